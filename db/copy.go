package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Copy answers what a Store answers, out of a file on local disk, for the time in which no host of the database does: all
// numbers and all users, whether anybody asked for them or not, and what else was asked, within a bound for each node. It belongs
// to one server, and is kept up to date by Run while the database answers.
//
// What is committed reaches it within a second: it asks what changed since it asked last, at each notice and some times a
// second besides, since a notice may be lost and a standby gives none. What it knows to have changed, and could not read
// although the database answered, it does not answer.
type Copy struct {
	store      *Store
	path       string
	limit      time.Duration // for its age; 0: none
	patience   time.Duration // before an answer is read again
	log        *slog.Logger
	extensions extensionReader
	wake       chan struct{} // full when there is something to read

	told string // what damage was logged last

	mu        sync.RWMutex
	file      *copyFile
	doubt     map[change]time.Time // what changed and was not read yet, since when
	overtaken time.Time            // since when so much changed that all has to be read again; zero: not
	asked     askedQuestions
	waiting   map[question]time.Time // those of asked whose answers have to be read, since when
	forgotten map[question]bool      // no longer asked, and still in the file
}

const (
	copyFileName = "copy.db"
	copyPause    = 250 * time.Millisecond // from one look at what changed to the next, if there is no notice
	copyGap      = 20 * time.Millisecond  // if there is
	copyPatience = 100 * time.Millisecond // before an answer is read again: together with all else well below doubtTime
	copyTries    = 10                     // where connections break
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
	if err := makeCopyFolder(dir); err != nil {
		return nil, fmt.Errorf("make the copy's folder: %w", err)
	}
	c := &Copy{store: s, path: filepath.Join(dir, copyFileName), limit: limit, patience: copyPatience, log: log,
		wake: make(chan struct{}, 1), doubt: map[change]time.Time{}, forgotten: map[question]bool{}}
	file, lost, err := openCopyFile(c.path)
	if err != nil {
		return nil, err
	}
	if c.file = file; lost != nil {
		log.Warn("the copy on disk cannot be used, and is made anew", "file", c.path, "reason", lost.reason)
	}
	c.asked, c.waiting = c.file.questions()
	if at := c.file.state().InStepAt; !at.IsZero() { // a new copy knows of no answer
		s.answered.Store(at.UnixNano())
	}
	s.hosts.seen.remember(c.file.state().Position.WAL)
	if err := reg.Register(copyCollector{c}); err != nil {
		return nil, errors.Join(fmt.Errorf("register the copy's metrics: %w", err), c.file.close())
	}
	s.copied.Store(c)
	return c, nil
}

// makeCopyFolder makes dir private. What is above it is not: a private PostgreSQL, which may come to live beside it, has
// another account when the server is root.
func makeCopyFolder(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
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
	wait := copyPause
	if c.hasUnread() {
		wait = copyPatience / 5
	}
	timer := time.NewTimer(wait)
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

// follow reads what changed since the last time: the rows at one moment, then the answers at moments that are no earlier.
func (c *Copy) follow(ctx context.Context) error {
	damaged := c.file.harmed()
	if damaged != nil && damaged.reason != c.told {
		c.told = damaged.reason
		c.log.Warn("the copy's file is damaged, and is made anew when the database answers", "file", c.path, "reason", damaged.reason)
	}
	err := c.insist(ctx, func(ctx context.Context, r *copyReader) error {
		if r.was.Database != "" && r.another() {
			c.log.Warn("the database is another one than the copy was made of, or was restored: all is read anew")
			if err := c.forgetUsersSeen(ctx, r); err != nil {
				return err
			}
		}
		if damaged != nil || !c.overtaken.IsZero() || r.another() || r.now.Position.At.Sub(r.was.At) > changesSeen {
			return c.readAll(ctx, r)
		}
		ctx, cancel := context.WithTimeout(ctx, copyTime)
		defer cancel()
		return c.readChanges(ctx, r)
	})
	if err != nil {
		return err
	}
	if err := c.readAnswers(ctx); err != nil {
		return err
	}
	return c.file.flush()
}

// forgetUsersSeen forgets which changes of users each switch was given, once the database was restored: what was undone by
// that is noted nowhere, so that all users are flushed from the switches' caches. A standby gets that from its primary.
func (c *Copy) forgetUsersSeen(ctx context.Context, r *copyReader) error {
	if r.host.standby || !r.restored() {
		return nil
	}
	_, err := c.store.pool.Exec(ctx, `UPDATE node_state SET users_seen = NULL`)
	if err != nil && !unavailable(err) && !lost(err) { // a role that may only read goes on answering
		c.log.Warn("switches may keep users in their caches that the restore changed: this role cannot have them flushed", "err", err)
		return nil
	}
	return translate("forget what switches were given", err)
}

// insist calls read with a transaction, and with another at once if the connection breaks: what is not read is in doubt.
func (c *Copy) insist(ctx context.Context, read func(ctx context.Context, r *copyReader) error) error {
	for tries := 1; ; tries++ {
		err := c.atOneMoment(ctx, read)
		if err == nil || !lost(err) || tries == copyTries {
			return err
		}
	}
}

// readAnswers asks the questions that have to be asked again. Each answer is kept at once, so that connections that break
// now and then do not keep it from getting on.
func (c *Copy) readAnswers(ctx context.Context) error {
	questions := c.unread()
	for len(questions) > 0 {
		before := len(questions)
		err := c.insist(ctx, func(ctx context.Context, r *copyReader) error {
			for len(questions) > 0 {
				if err := c.readAnswer(ctx, r, questions[0]); err != nil {
					return err
				}
				questions = questions[1:]
			}
			return nil
		})
		if err != nil && len(questions) == before {
			return err
		}
	}
	return nil
}

// readChanges brings the rows from the moment they are at to that of r.
func (c *Copy) readChanges(ctx context.Context, r *copyReader) error {
	news, err := r.changes(ctx)
	if err != nil {
		return err
	}
	c.expect(news)
	c.store.heard()
	if !c.overtaken.IsZero() {
		return nil // the next look reads everything
	}
	if err := r.read(ctx, news); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.doubt)
	c.forgetNodes(r.edits)
	c.eraseForgotten(r.edits)
	for q, since := range c.waiting { // who reads the file when this program was killed has to know of them
		r.edits[place{ofWaiting, string(q)}] = []byte(since.Format(time.RFC3339Nano))
	}
	return c.keep(r.edits, r.now)
}

// readAnswer asks q.
func (c *Copy) readAnswer(ctx context.Context, r *copyReader, q question) error {
	ctx, cancel := context.WithTimeout(ctx, copyTime)
	defer cancel()
	r.edits = map[place][]byte{{ofWaiting, string(q)}: nil}
	if err := r.readAnswer(ctx, q); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked[q] == nil {
		return nil // it was forgotten meanwhile
	}
	delete(c.waiting, q)
	return c.keep(r.edits, c.file.state())
}

// keep makes edits the copy's own. A file that cannot be written does not stop it: what it should hold stays in memory
// until it can be.
func (c *Copy) keep(edits map[place][]byte, now copyState) error {
	if c.file.keep(edits, now) {
		c.overtake()
		return errors.New("the file could not be written for too long: all has to be read again")
	}
	return nil
}

// readAll makes a new file of everything and puts it in the place of the old one. Until it is there nothing is answered:
// what the old one holds was overtaken long ago.
func (c *Copy) readAll(ctx context.Context, r *copyReader) error {
	c.mu.Lock()
	c.overtake()
	questions := c.asked.latestFirst(maps.Keys(c.asked))
	c.mu.Unlock()

	fresh, err := createCopyFile(c.path + ".new")
	if err != nil {
		return err
	}
	if err := r.readAll(ctx, fresh, questions); err != nil {
		return errors.Join(err, fresh.close())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := fresh.replace(c.path); err != nil {
		return errors.Join(err, fresh.close())
	}
	old := c.file
	c.file, c.overtaken, c.told = fresh, time.Time{}, ""
	clear(c.doubt)
	for _, q := range questions {
		delete(c.waiting, q)
		if c.asked[q] == nil { // forgotten while it was read
			c.forgotten[q] = true
		}
	}
	return old.close()
}
