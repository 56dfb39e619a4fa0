package fault

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// Pair is a primary and its standby, at two addresses that they keep when they change roles. Like Server it is for one
// goroutine.
type Pair struct {
	Primary, Standby *Server
	addresses        [2]string // socket folders
}

// StartPair starts a pair in folders below dir, which the account that PostgreSQL runs as must be able to enter.
func StartPair(ctx context.Context, dir string) (p *Pair, err error) {
	p = &Pair{}
	defer func() {
		if err != nil {
			_ = p.Stop()
		}
	}()
	if p.Primary, err = StartServer(ctx, filepath.Join(dir, "a")); err != nil {
		return nil, err
	}
	for _, statement := range []string{
		// A commit that was told survives a kill: the server's quick settings would leave that to chance.
		`ALTER ROLE ALL SET synchronous_commit = local`,
		// The standby looks at once for a primary that was away.
		`ALTER SYSTEM SET wal_retrieve_retry_interval = '50ms'`,
	} {
		if err := p.Primary.Execute(ctx, "postgres", statement); err != nil {
			return nil, err
		}
	}
	if p.Standby, err = p.Primary.StartStandby(ctx, filepath.Join(dir, "b")); err != nil {
		return nil, err
	}
	p.addresses = [2]string{p.Primary.SocketDir(), p.Standby.SocketDir()}
	return p, nil
}

// StartTempPair starts a pair in a folder of its own, which goes with the pair when stop is called.
func StartTempPair(ctx context.Context) (p *Pair, stop func(), err error) {
	dir, remove, err := TempDir()
	if err != nil {
		return nil, nil, err
	}
	if p, err = StartPair(ctx, dir); err != nil {
		remove()
		return nil, nil, err
	}
	return p, func() { _ = p.Stop(); remove() }, nil
}

// URL is the connection string for a database on both servers, the first primary's address first.
func (p *Pair) URL(role, database string) string {
	u := url.URL{
		Scheme: "postgres",
		User:   url.User(role),
		Path:   "/" + database,
		RawQuery: url.Values{
			"host":    {p.addresses[0] + "," + p.addresses[1]},
			"port":    {"5432,5432"},
			"sslmode": {"disable"},
		}.Encode(),
	}
	return u.String()
}

// Promote kills the primary and makes the standby one, once it has all that was committed: no commit is lost by it. There
// is no standby then until Rebuild.
func (p *Pair) Promote(ctx context.Context) error {
	if err := p.AwaitStandby(ctx); err != nil {
		return err
	}
	p.Primary.Kill()
	if err := p.Standby.Promote(ctx); err != nil {
		return err
	}
	p.Primary, p.Standby = p.Standby, p.Primary
	return nil
}

// Rebuild makes a standby of what was the primary before Promote, from nothing.
func (p *Pair) Rebuild(ctx context.Context) (err error) {
	p.Standby, err = p.Primary.StartStandby(ctx, p.Standby.options.Dir)
	return err
}

// AwaitStandby returns when the standby has all that happened before, locks too. Those, and rollbacks, reach it with the
// next commit, so there is one.
func (p *Pair) AwaitStandby(ctx context.Context) error {
	var committed string
	if err := p.Primary.ask(ctx, `SELECT pg_logical_emit_message(true, 'fault', 'await')::text`, &committed); err != nil {
		return err
	}
	for {
		var there bool
		err := p.Standby.ask(ctx, `SELECT pg_last_wal_replay_lsn() >= '`+committed+`'::pg_lsn`, &there)
		if err == nil && there {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the standby has not replayed %s: %w", committed, ctx.Err()), err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Servers are both.
func (p *Pair) Servers() []*Server { return []*Server{p.Primary, p.Standby} }

// Stop stops both.
func (p *Pair) Stop() error {
	var err error
	for _, s := range p.Servers() {
		if s != nil {
			err = errors.Join(err, s.Stop())
		}
	}
	return err
}

// Execute executes statements on a database of s, as its owner.
func (s *Server) Execute(ctx context.Context, database, statements string) error {
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statements); err != nil {
		return fmt.Errorf("%s: %w", statements, err)
	}
	return nil
}

func (s *Server) ask(ctx context.Context, query string, answer any) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return conn.QueryRow(ctx, query).Scan(answer)
}

// TempDir makes a folder that the account that PostgreSQL runs as can enter, and remove removes it.
func TempDir() (dir string, remove func(), err error) {
	if dir, err = os.MkdirTemp("", "pair-"); err != nil {
		return "", nil, err
	}
	return dir, func() { _ = os.RemoveAll(dir) }, os.Chmod(dir, 0o755)
}
