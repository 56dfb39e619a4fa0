package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
)

// Copy answers what a Store answers, out of a file on local disk, for the time in which no host of the database does: all
// numbers and all users, whether anybody asked for them or not, and every other question that was ever asked. It belongs
// to one server, and is kept up to date by Run while the database answers.
//
// What is committed reaches it within a second: it asks what changed since it asked last, at each notice and some times a
// second besides, since a notice may be lost and a standby gives none. What it knows to have changed, and could not read
// although the database answered, it does not answer.
type Copy struct {
	store      *Store
	path       string
	limit      time.Duration // for its age; 0: none
	log        *slog.Logger
	extensions extensionReader
	wake       chan struct{} // full when there is something to read

	mu        sync.RWMutex
	file      *copyFile
	doubt     map[change]time.Time // what changed and was not read yet, since when
	overtaken time.Time            // since when so much changed that all has to be read again; zero: not
	asked     map[question]bool
	waiting   map[question]bool // those of asked whose answers were not read yet
}

const (
	copyFileName = "copy.db"
	copyPause    = 250 * time.Millisecond // from one look at what changed to the next, if there is no notice
	copyGap      = 20 * time.Millisecond  // if there is
	copyRelisten = time.Second            // before listening again
	positionTime = 2 * time.Second        // for the host to say where it stands: one that hangs must not hold up the rest
	copyTime     = 30 * time.Second       // for reading what changed
	copyAllTime  = 10 * time.Minute       // for reading everything
)

// errNotCopied says that the copy cannot answer either.
var errNotCopied = fmt.Errorf("%w: the copy does not hold this", ErrUnavailable)

// OpenCopy opens the copy in folder dir, made if it is not there, and registers its metrics. Older than limit it does not
// answer, unless that is 0. The error is about the folder or the file: another server may have it open.
func (s *Store) OpenCopy(dir string, limit time.Duration, log *slog.Logger, reg prometheus.Registerer) (*Copy, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the copy's folder: %w", err)
	}
	c := &Copy{store: s, path: filepath.Join(dir, copyFileName), limit: limit, log: log, wake: make(chan struct{}, 1),
		doubt: map[change]time.Time{}, waiting: map[question]bool{}}
	var err error
	if c.file, err = openCopyFile(c.path); err != nil {
		return nil, err
	}
	c.asked = c.file.questions()
	if err := reg.Register(copyCollector{c}); err != nil {
		return nil, errors.Join(fmt.Errorf("register the copy's metrics: %w", err), c.file.close())
	}
	s.copied.Store(c)
	return c, nil
}

// Close closes the file, which keeps what it holds. Run must have ended.
func (c *Copy) Close() error {
	c.store.copied.Store(nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.file.close()
}

// Age is how long ago the copy was last known to hold what the database held; false if it may not answer.
func (c *Copy) Age() (age time.Duration, usable bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.age()
}

func (c *Copy) age() (age time.Duration, usable bool) {
	at := c.file.state().InStepAt
	if at.IsZero() {
		return 0, false
	}
	age = time.Since(at)
	return age, !c.tooOld(c.overtaken) && (c.limit == 0 || age <= c.limit)
}

// Run keeps the copy up to date until ctx is done.
func (c *Copy) Run(ctx context.Context) {
	var listening sync.WaitGroup
	listening.Go(func() { c.listen(ctx) })
	defer listening.Wait()
	told := ""
	for ctx.Err() == nil {
		reason := ""
		if err := c.follow(ctx); err != nil && ctx.Err() == nil {
			reason = err.Error()
		}
		if reason != told {
			c.tell(reason)
			told = reason
		}
		pause(ctx, copyGap) // what comes at once is read together
		c.awaitNews(ctx)
	}
}

// listen has what is committed read at once, where the database tells of it.
func (c *Copy) listen(ctx context.Context) {
	for ctx.Err() == nil {
		_ = c.store.Listen(ctx, func(Notice) { c.awake() }) // why it ended shows in reading, too
		pause(ctx, copyRelisten)
	}
}

func (c *Copy) awake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Copy) awaitNews(ctx context.Context) {
	timer := time.NewTimer(copyPause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-c.wake:
	}
}

func (c *Copy) tell(reason string) {
	if reason == "" {
		c.log.Info("the copy follows the database")
		return
	}
	c.log.Warn("the copy does not follow the database", "err", reason)
}

// position is a moment in the life of a database.
type position struct {
	Snapshot string
	At       time.Time // by the database's clock
	Database string    // which one it is, and which of its timelines
}

// positionQuery tells also whether this moment is not before the one that is known already: a standby may be behind.
const positionQuery = `
SELECT
	pg_current_snapshot()::text,
	statement_timestamp(),
	(SELECT system_identifier FROM pg_control_system())
		|| '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
		|| '/' || (SELECT timeline_id FROM pg_control_checkpoint()),
	coalesce(pg_snapshot_xmax(nullif($1, '')::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot()), true)`

// follow reads what changed since the last time, in a transaction that sees one moment.
func (c *Copy) follow(ctx context.Context) error {
	began, was := time.Now(), c.file.state().Position
	ctx, cancel := context.WithTimeout(ctx, copyAllTime)
	defer cancel()
	limit := time.AfterFunc(positionTime, cancel)
	defer limit.Stop()
	tx, err := c.store.hosts.best().pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return translate("copy", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = tx.Rollback(ctx)
	}()
	var now position
	var later bool
	if err := tx.QueryRow(ctx, positionQuery, was.Snapshot).Scan(&now.Snapshot, &now.At, &now.Database, &later); err != nil {
		return translate("copy", err)
	}
	c.store.heard()
	r := &copyReader{rows: c.store.within(tx), tx: tx, file: c.file}
	state := copyState{Position: now, InStepAt: began}
	if !c.overtaken.IsZero() || was.Database != now.Database || now.At.Sub(was.At) > changesSeen {
		limit.Stop()
		return translate("copy everything", c.readAll(ctx, r, state))
	}
	if !later {
		return nil
	}
	limit.Reset(copyTime)
	return translate("copy", c.readChanges(ctx, r, state))
}

// readChanges brings the file from the moment it is at to that of r.
func (c *Copy) readChanges(ctx context.Context, r *copyReader, state copyState) error {
	news, err := r.changes(ctx, c.file.state().Position)
	if err != nil {
		return err
	}
	questions := c.expect(news)
	c.store.heard()
	if !c.overtaken.IsZero() {
		return nil // the next look reads everything
	}
	if err := r.read(ctx, news, questions); err != nil {
		return err
	}
	return c.settle(r, questions, state)
}

// settle makes what r read the copy's own. A file that cannot be written is told of and does not stop it: what it should
// hold stays in memory until it can be.
func (c *Copy) settle(r *copyReader, questions []question, state copyState) error {
	c.mu.Lock()
	clear(c.doubt)
	for _, q := range questions {
		delete(c.waiting, q)
	}
	if c.file.keep(r.edits, state) {
		c.overtake()
	}
	c.mu.Unlock()
	return c.file.flush()
}

// readAll makes a new file of everything and puts it in the place of the old one. Until it is there nothing is answered:
// what the old one holds was overtaken long ago.
func (c *Copy) readAll(ctx context.Context, r *copyReader, state copyState) error {
	c.mu.Lock()
	c.overtake()
	questions := make([]question, 0, len(c.asked))
	for q := range c.asked {
		questions = append(questions, q)
	}
	c.mu.Unlock()

	fresh, err := createCopyFile(c.path + ".new")
	if err != nil {
		return err
	}
	if err := r.readAll(ctx, fresh, questions, state); err != nil {
		return errors.Join(err, fresh.close())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := fresh.replace(c.path); err != nil {
		return errors.Join(err, fresh.close())
	}
	old := c.file
	c.file, c.overtaken = fresh, time.Time{}
	clear(c.doubt)
	for _, q := range questions {
		delete(c.waiting, q)
	}
	return old.close()
}
