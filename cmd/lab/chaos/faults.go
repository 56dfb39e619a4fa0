//go:build linux

package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"xmlcurld/db/dbtest/fault"
	"xmlcurld/internal/pace"
)

// breakage is one thing that breaks, and is mended.
type breakage struct {
	name  string
	short bool // part of the short form
	// happen lets it be broken for d, and returns when it is mended.
	happen func(c *chaos, ctx context.Context, d time.Duration) error
}

var breakages = []breakage{
	{"primary frozen", true, func(c *chaos, ctx context.Context, d time.Duration) error {
		return c.frozen(ctx, d, c.pair.Primary)
	}},
	{"primary killed", false, func(c *chaos, ctx context.Context, d time.Duration) error {
		return c.killed(ctx, d, c.pair.Primary)
	}},
	{"standby killed", false, func(c *chaos, ctx context.Context, d time.Duration) error {
		return c.killed(ctx, d, c.pair.Standby)
	}},
	{"both killed", true, func(c *chaos, ctx context.Context, d time.Duration) error {
		return c.killed(ctx, d, c.pair.Servers()...)
	}},
	{"standby frozen", false, func(c *chaos, ctx context.Context, d time.Duration) error {
		return c.frozen(ctx, d, c.pair.Standby)
	}},
	{"both frozen", true, func(c *chaos, ctx context.Context, d time.Duration) error {
		return c.frozen(ctx, d, c.pair.Servers()...)
	}},
	{"primary restarted", false, (*chaos).restarted},
	{"primary's disk full", false, (*chaos).full},
	{"writes refused", false, (*chaos).writesRefused},
	{"standby promoted", true, (*chaos).promoted},
	{"connections cut", false, (*chaos).cut},
	{"connections exhausted", false, (*chaos).exhausted},
	{"table number locked", true, (*chaos).locked},
	{"backup restored in place", false, (*chaos).restored},
	{"older data folder put back", false, (*chaos).olderData},
	{"server terminated", false, (*chaos).serverTerminated},
	{"server killed", false, (*chaos).serverKilled},
	{"server killed, no database", true, (*chaos).serverKilledAlone},
	{"local rows cut short", true, func(c *chaos, ctx context.Context, d time.Duration) error {
		return c.rowsDamaged(ctx, d, func(file []byte) []byte { return file[:len(file)/2] })
	}},
	{"local rows with a wrong byte", false, func(c *chaos, ctx context.Context, d time.Duration) error {
		return c.rowsDamaged(ctx, d, func(file []byte) []byte {
			file[c.chance.IntN(len(file))] ^= 1
			return file
		})
	}},
	{"server's disk read-only, then no database", false, (*chaos).diskReadOnly},
}

func (c *chaos) killed(ctx context.Context, d time.Duration, servers ...*fault.Server) error {
	if err := c.replicated(ctx, (*fault.Server).Kill, servers...); err != nil {
		return err
	}
	pace.Sleep(ctx, d)
	return c.startAgain(ctx, servers...)
}

// replicated does something to servers at a moment when the standby has all commits, and nobody edits: what it lacks
// while the primary is away no server can know.
func (c *chaos) replicated(ctx context.Context, do func(*fault.Server), servers ...*fault.Server) error {
	return c.editor.rest(func() error {
		if err := c.pair.AwaitStandby(ctx); err != nil {
			return err
		}
		for _, s := range servers {
			do(s)
		}
		return nil
	})
}

// startAgain starts database servers, the last first: a standby may be there before its primary.
func (c *chaos) startAgain(ctx context.Context, servers ...*fault.Server) error {
	for i := range servers {
		if err := servers[len(servers)-1-i].Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *chaos) frozen(ctx context.Context, d time.Duration, servers ...*fault.Server) error {
	if err := c.replicated(ctx, (*fault.Server).Freeze, servers...); err != nil {
		return err
	}
	pace.Sleep(ctx, d)
	for _, s := range servers {
		s.Thaw()
	}
	return nil
}

func (c *chaos) restarted(ctx context.Context, d time.Duration) error {
	if err := c.pair.Primary.Stop(); err != nil {
		return err
	}
	pace.Sleep(ctx, d)
	return c.pair.Primary.Start(ctx)
}

func (c *chaos) full(ctx context.Context, d time.Duration) error {
	if err := c.pair.Primary.Fill(); err != nil {
		return err
	}
	pace.Sleep(ctx, d)
	c.pair.Primary.Kill()
	return c.pair.Primary.Start(ctx)
}

func (c *chaos) writesRefused(ctx context.Context, d time.Duration) error {
	if err := c.pair.Primary.RefuseWrites(ctx, true); err != nil {
		return err
	}
	pace.Sleep(ctx, d)
	return c.pair.Primary.RefuseWrites(ctx, false)
}

// promoted: what the primary had committed and the standby did not have yet would be lost, so nobody edits at that moment.
func (c *chaos) promoted(ctx context.Context, d time.Duration) error {
	err := c.editor.rest(func() error {
		err := c.pair.Promote(ctx)
		c.primary.set(c.primaryURL())
		return err
	})
	if err != nil {
		return err
	}
	pace.Sleep(ctx, d)
	return c.pair.Rebuild(ctx)
}

// cut ends all connections again and again.
func (c *chaos) cut(ctx context.Context, d time.Duration) error {
	for until := time.Now().Add(d); time.Now().Before(until); {
		for _, s := range c.pair.Servers() {
			if err := s.Cut(ctx, role); err != nil {
				return err
			}
		}
		pace.Sleep(ctx, 50*time.Millisecond)
	}
	return nil
}

func (c *chaos) exhausted(ctx context.Context, d time.Duration) error {
	for _, s := range c.pair.Servers() {
		release, err := s.Exhaust(ctx, role)
		defer release()
		if err != nil {
			return err
		}
	}
	pace.Sleep(ctx, d)
	return nil
}

func (c *chaos) locked(ctx context.Context, d time.Duration) error {
	unlock, err := c.pair.Primary.Lock(ctx, database, "number")
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.pair.AwaitStandby(ctx); err != nil { // there it is locked then, too
		return err
	}
	pace.Sleep(ctx, d)
	return nil
}

// patient makes a connection string one of a session that outlasts others in a deadlock.
const patient = "&options=-c%20deadlock_timeout%3D1min"

// restored: pg_restore makes all tables anew under a running server. The edits since the dump are undone by that. Queries hold
// some tables while it waits for others. In a deadlock PostgreSQL ends who looked first, so the restore looks late.
func (c *chaos) restored(ctx context.Context, d time.Duration) error {
	url, dump := c.primaryURL(), filepath.Join(c.dir, "backup.dump")
	if err := command(ctx, "pg_dump", "--format=custom", "--file="+dump, url); err != nil {
		return err
	}
	pace.Sleep(ctx, d)
	return c.editor.undo(ctx, func() error {
		return command(ctx, "pg_restore", "--clean", "--if-exists", "--single-transaction", "--dbname="+url+patient, dump)
	})
}

// olderData: the primary goes on with the data folder that it had a while ago, and a standby is made of that.
func (c *chaos) olderData(ctx context.Context, d time.Duration) error {
	if err := c.editor.rest(func() error { return c.pair.Primary.Keep(ctx) }); err != nil {
		return err
	}
	pace.Sleep(ctx, d)
	err := c.editor.undo(ctx, func() error {
		if err := c.pair.AwaitStandby(ctx); err != nil {
			return err
		}
		c.pair.Standby.Kill()
		return c.pair.Primary.PutBack(ctx)
	})
	if err != nil {
		return err
	}
	return c.pair.Rebuild(ctx)
}

func command(ctx context.Context, program string, arguments ...string) error {
	if said, err := exec.CommandContext(ctx, program, arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, said)
	}
	return nil
}

func (c *chaos) serverTerminated(ctx context.Context, d time.Duration) error {
	c.server.stop()
	pace.Sleep(ctx, d)
	return c.server.start(ctx)
}

func (c *chaos) serverKilled(ctx context.Context, d time.Duration) error {
	c.server.kill()
	pace.Sleep(ctx, d)
	return c.server.start(ctx)
}

// serverKilledAlone: the server starts while no database answers.
func (c *chaos) serverKilledAlone(ctx context.Context, d time.Duration) error {
	servers := c.pair.Servers()
	if err := c.replicated(ctx, (*fault.Server).Kill, servers...); err != nil {
		return err
	}
	c.server.kill()
	if err := c.server.start(ctx); err != nil {
		return err
	}
	pace.Sleep(ctx, d)
	return c.startAgain(ctx, servers...)
}

// rowsDamaged: the server starts with local rows that a bad disk changed.
func (c *chaos) rowsDamaged(ctx context.Context, d time.Duration, damage func([]byte) []byte) error {
	c.server.stop()
	path := filepath.Join(c.server.data(), "rows", "rows.db")
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, damage(file), 0o600); err != nil { // the owner stays
		return err
	}
	if err := c.server.start(ctx); err != nil {
		return err
	}
	pace.Sleep(ctx, d)
	return nil
}

func (c *chaos) diskReadOnly(ctx context.Context, d time.Duration) error {
	if err := c.server.keepFromWriting(true); err != nil {
		return err
	}
	pace.Sleep(ctx, d)
	err := c.killed(ctx, d, c.pair.Servers()...)
	return errors.Join(err, c.server.keepFromWriting(false))
}
