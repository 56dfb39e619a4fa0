package linear_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/dbtest/fault"
	"xmlcurld/db/localpg"
)

// backups are steps that back the database up and restore it, while servers answer.
func backups(backUp, restore func(r *trial) error) []step {
	var versions map[*object]int64
	return []step{
		{"back up", func(r *trial) (err error) {
			versions, err = r.backUp(func() error { return backUp(r) })
			return err
		}},
		{"restore", func(r *trial) error { return r.restore(versions, func() error { return restore(r) }) }},
	}
}

// A dump that is restored in place is what servers answer from as soon as pg_restore returns.
func TestAnswersAcrossARestoredDump(t *testing.T) {
	t.Parallel()
	dump := filepath.Join(t.TempDir(), "dump")
	steps := backups(
		func(r *trial) error { return run(r, "pg_dump", "--format=custom", "--file="+dump, r.url) },
		func(r *trial) error {
			return run(r, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--dbname="+r.url, dump)
		})
	newTrial(t, dbtest.DemoURL(t), newObjects(false), steps...).run(t, fewChecks, trialTime)
}

// A data folder that is put back from a backup is what servers answer from as soon as PostgreSQL runs on it. It has
// forgotten transactions whose numbers and positions in the log it will give to others.
func TestAnswersAcrossARestoredFolder(t *testing.T) {
	t.Parallel()
	server, stop, err := fault.StartTempServer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	url := server.URL(localpg.Superuser)
	dbtest.FillDemo(t, url)
	steps := backups(
		func(r *trial) error { return server.Keep(r.ctx) },
		func(r *trial) error { return server.Revert(r.ctx) })
	newTrial(t, url, newObjects(false), steps...).run(t, fewChecks, trialTime)
}

// restore calls f, which makes all objects show what they showed as some versions, while nobody makes others.
func (r *trial) restore(backedUp map[*object]int64, f func() error) error {
	return r.disturb(func() error {
		begun, versions := time.Now(), make(map[*object]int64)
		for _, o := range r.objects {
			o.asNow(o.started.Load()+1, o.shows(backedUp[o]))
			versions[o] = o.begin()
		}
		if err := f(); err != nil {
			return err
		}
		for _, o := range r.objects {
			o.end(made{version: versions[o], how: "a restore", begun: begun, asked: begun, commits: time.Now()})
		}
		return nil
	})
}

// disturb calls f while nobody makes versions. Meanwhile the database may be unavailable, and afterwards servers may take
// until settle returns to find back to it.
func (r *trial) disturb(f func() error) error {
	r.unavailable.Add(1)
	unlock := r.lockAll()
	err := f()
	unlock()
	if err != nil {
		return err
	}
	return r.settle()
}

// backUp calls f, and returns which versions it found.
func (r *trial) backUp(f func() error) (versions map[*object]int64, err error) {
	versions = make(map[*object]int64)
	return versions, r.disturb(func() error {
		for _, o := range r.objects {
			versions[o] = o.committed.Load()
		}
		return f()
	})
}

// settle returns once both servers answer all questions with current answers again.
func (r *trial) settle() error {
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for _, s := range r.servers {
		for _, o := range r.objects {
			all.Go(func() {
				for q := range o.asks {
					if err := r.settleOne(s, o, q); err != nil {
						mu.Lock()
						failed = err
						mu.Unlock()
					}
				}
			})
		}
	}
	all.Wait()
	r.unavailable.Add(1)
	return failed
}

func (r *trial) settleOne(s *server, o *object, q int) error {
	for until := time.Now().Add(patience); ; {
		if fresh, err := r.ask(s, o, q); fresh || err != nil {
			return err
		}
		if time.Now().After(until) {
			return errors.New("no current answer since the database is back: " + o.String())
		}
		if !r.pause() {
			return r.ctx.Err()
		}
	}
}

// lockAll keeps all versions as they are until unlock is called.
func (r *trial) lockAll() (unlock func()) {
	for _, o := range r.objects {
		o.writing.Lock()
	}
	return func() {
		for _, o := range r.objects {
			o.writing.Unlock()
		}
	}
}

// asNow makes version v one that shows as version former.
func (o *object) asNow(v, former int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.restored == nil {
		o.restored = make(map[int64]int64)
	}
	o.restored[v] = former
}

func run(r *trial, program string, args ...string) error {
	command := exec.CommandContext(r.ctx, program, args...)
	// Where a question and the restore wait for each other, the question is ended for it: servers look for that sooner.
	command.Env = append(os.Environ(), "PGOPTIONS=-c deadlock_timeout=1min")
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, said)
	}
	return nil
}
