// Package localrows holds the rows on local disk, from which every answer is made: once the database has proved them current, or
// as they were last while no host of it answers.
package localrows

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db/localrows/disk"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
	"xmlcurld/internal/pace"
)

// Store holds all rows that answers are made of, in a file on local disk. It belongs to one server, and is kept up to date by
// Run while the database answers.
//
// What is committed reaches it within a second: it asks what changed since it asked last, at each notice and some times a
// second besides, since a notice may be lost and a standby gives none. What it knows to have changed, and could not read
// although the database answered, it does not answer.
type Store struct {
	store  *table.Store
	pg     *pg.DB
	path   string
	limit  time.Duration // for its age; 0: none
	log    *slog.Logger
	common rowCache
	proofs pg.Batch[struct{}, *proof]
	wake   chan struct{} // full when there is something to read

	told string // what damage was logged last

	mu        sync.RWMutex
	file      *disk.File
	now       state                // of the file
	proofArgs []any                // of unreadQuery, for now
	epoch     int                  // another one when everything was read anew
	followed  time.Time            // when they were brought up to date last
	doubt     map[change]time.Time // what changed and was not read yet, since when
	overtaken time.Time            // since when so much changed that all has to be read again; zero: not
	versions  map[string]uint64    // of tables and indexes: another one for other rows
}

var _ table.Source = (*Store)(nil)

const (
	fileName     = "rows.db"
	lookPause    = 250 * time.Millisecond // from one look at what changed to the next, if there is no notice
	lookGap      = 20 * time.Millisecond  // if there is
	tries        = 10                     // where connections break
	positionTime = 2 * time.Second        // for the host to say where it stands: one that hangs must not hold up the rest
	someTime     = 30 * time.Second       // for reading what changed
	allTime      = 10 * time.Minute       // for reading everything
)

// errNotHeld says that the local rows cannot answer either.
var errNotHeld = fmt.Errorf("%w: the local rows do not hold this", pg.ErrUnavailable)

// Open opens the local rows of store in folder dir, made if it is not there, and registers their metrics. Older than limit
// they do not answer, unless that is 0. The error is about the folder or the file: another server may have it open.
func Open(store *table.Store, dir string, limit time.Duration, log *slog.Logger, reg prometheus.Registerer) (*Store, error) {
	if err := makeFolder(dir); err != nil {
		return nil, fmt.Errorf("make the folder of the local rows: %w", err)
	}
	l := &Store{store: store, pg: store.DB(), path: filepath.Join(dir, fileName), limit: limit, log: log,
		wake: make(chan struct{}, 1), doubt: map[change]time.Time{}, versions: map[string]uint64{}}
	file, lost, err := disk.Open(l.path, layout)
	if err != nil {
		return nil, fmt.Errorf("local rows: %w", err)
	}
	if l.file = file; lost != nil {
		log.Warn("the local rows on disk cannot be used, and are made anew", "file", l.path, "reason", lost.Reason)
	}
	now, err := stateOf(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("local rows: %w", err), file.Close())
	}
	l.setNow(now)
	if at := l.now.InStepAt; !at.IsZero() { // a new mirror knows of no answer
		l.pg.NoteAnswer(at)
	}
	l.pg.Remember(l.now.Position.WAL)
	if err := reg.Register(collector{l}); err != nil {
		return nil, errors.Join(fmt.Errorf("register the metrics of the local rows: %w", err), file.Close())
	}
	l.proofs.Start(l.askProofs)
	return l, nil
}

// setNow makes s the state of the file.
func (l *Store) setNow(s state) {
	was := &s.Position
	l.now, l.proofArgs = s, []any{was.Last.ID, was.Last.XID, was.Last.At, was.Snapshot, unreadMost + 1}
}

// makeFolder makes dir private. What is above it is not: a private PostgreSQL, which may come to live beside it, has
// another account when the server is root.
func makeFolder(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// Close closes the file, which keeps what it holds. Run must have ended.
func (l *Store) Close() error {
	l.proofs.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// Age is how long ago the local rows were last known to hold what the database held; false if they may not answer.
func (l *Store) Age() (age time.Duration, usable bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.age()
}

func (l *Store) age() (age time.Duration, usable bool) {
	at := l.now.InStepAt
	if at.IsZero() {
		return 0, false
	}
	age = time.Since(at)
	return age, !l.tooOld(l.overtaken) && (l.limit == 0 || age <= l.limit)
}

// Run keeps the local rows up to date until ctx is done.
func (l *Store) Run(ctx context.Context) {
	var listening sync.WaitGroup
	listening.Go(func() { l.store.Listen(ctx, func(table.Notice) { l.awake() }) })
	defer listening.Wait()
	told := ""
	for ctx.Err() == nil {
		reason := ""
		if err := l.follow(ctx); err != nil && ctx.Err() == nil {
			reason = err.Error()
		}
		if reason != told {
			l.tell(reason)
			told = reason
		}
		pace.Sleep(ctx, lookGap) // what comes at once is read together
		l.awaitNews(ctx)
	}
}

func (l *Store) awake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Store) awaitNews(ctx context.Context) {
	wait := lookPause
	if l.hasUnread() {
		wait = lookGap
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-l.wake:
	}
}

func (l *Store) tell(reason string) {
	if reason == "" {
		l.log.Info("the local rows follow the database")
		return
	}
	l.log.Warn("the local rows do not follow the database", "err", reason)
}

// follow reads what changed since the last time, at one moment.
func (l *Store) follow(ctx context.Context) error {
	damaged := l.file.Harmed()
	if damaged != nil && damaged.Reason != l.told {
		l.told = damaged.Reason
		l.log.Warn("the file of the local rows are damaged, and is made anew when the database answers", "file", l.path, "reason", damaged.Reason)
	}
	err := l.insist(ctx, func(ctx context.Context, r *reader) error {
		if r.was.Database != "" && r.another() {
			l.log.Warn("the database is another one than the local rows were read from, or was restored: all is read anew")
			if err := l.forgetUsersSeen(ctx, r); err != nil {
				return err
			}
		}
		if damaged != nil || !l.overtaken.IsZero() || r.another() || r.now.Position.At.Sub(r.was.At) > changesSeen {
			return l.readAll(ctx, r)
		}
		ctx, cancel := context.WithTimeout(ctx, someTime)
		defer cancel()
		return l.readChanges(ctx, r)
	})
	l.mu.Lock()
	switch {
	case err == nil:
		l.followed = time.Now()
	case errors.Is(err, errSilent): // of what is not noted nothing is proved
		l.followed = time.Time{}
	}
	l.mu.Unlock()
	if err != nil {
		return err
	}
	return l.file.Flush()
}

// forgetUsersSeen forgets which changes of users each switch was given, once the database was restored: what was undone by
// that is noted nowhere, so that all users are flushed from the switches' caches. A standby gets that from its primary.
func (l *Store) forgetUsersSeen(ctx context.Context, r *reader) error {
	if r.moment.Standby || !r.restored() {
		return nil
	}
	_, err := l.pg.Primary().Exec(ctx, `UPDATE node_state SET users_seen = NULL`)
	if err != nil && !pg.Unavailable(err) && !pg.Lost(err) { // a role that may only read goes on answering
		l.log.Warn("switches may keep users in their caches that the restore changed: this role cannot have them flushed", "err", err)
		return nil
	}
	return pg.Translate("forget what switches were given", err)
}

// insist calls read with a transaction, and with another at once if the connection breaks: what is not read is in doubt.
func (l *Store) insist(ctx context.Context, read func(ctx context.Context, r *reader) error) error {
	for try := 1; ; try++ {
		err := l.atOneMoment(ctx, read)
		if err == nil || !pg.Lost(err) || try == tries {
			return err
		}
	}
}

// readChanges brings the rows from the moment they are at to that of r.
func (l *Store) readChanges(ctx context.Context, r *reader) error {
	news, err := r.changes(ctx)
	if err != nil {
		return err
	}
	l.expect(news)
	l.pg.NoteAnswer(time.Now())
	if !l.overtaken.IsZero() {
		return nil // the next look reads everything
	}
	if err := r.read(ctx, news); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.doubt)
	return l.keep(r.edits, r.now)
}

// keep makes edits the local rows' own. A file that cannot be written does not stop it: what it should hold stays in memory
// until it can be.
func (l *Store) keep(edits map[disk.Place][]byte, now state) error {
	text, err := now.text()
	if err != nil {
		return err
	}
	l.setNow(now)
	l.common.forget(edits)
	for at := range edits {
		l.versions[at.Bucket]++
	}
	if l.file.Keep(edits, text) {
		l.overtake()
		return errors.New("the file could not be written for too long: all has to be read again")
	}
	return nil
}

// readAll makes a new file of everything and puts it in the place of the old one. Until it is there nothing is answered:
// what the old one holds was overtaken long ago.
func (l *Store) readAll(ctx context.Context, r *reader) error {
	l.mu.Lock()
	l.overtake()
	l.mu.Unlock()

	fresh, err := disk.Create(l.path+".new", layout)
	if err != nil {
		return err
	}
	if err := r.readAll(ctx, fresh); err != nil {
		return errors.Join(err, fresh.Close())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := fresh.Replace(l.path); err != nil {
		return errors.Join(err, fresh.Close())
	}
	l.common.forgetAll()
	old := l.file
	l.setNow(r.now)
	l.file, l.overtaken, l.told, l.epoch = fresh, time.Time{}, "", l.epoch+1
	clear(l.doubt)
	for _, name := range layout.Buckets {
		l.versions[name]++
	}
	return old.Close()
}
