// Package localpg runs a private PostgreSQL server: the installed server as a child process, on a Unix socket that only
// its own account and root can reach, with its data kept in one folder between runs.
//
// One run of it: find the server's programs, initdb once, start postgres, ping it until it accepts, create the
// database, and in the end ask for a fast shutdown. If this process is killed instead, the kernel ends the server.
package localpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Superuser is the role that owns the cluster, and the name of the database that Start creates for it.
const Superuser = "xmlcurld"

// port is only the ending of the socket's file name: the server listens on no address.
const port = "5432"

// How long a shutdown may take before the next, ruder one is ordered.
const (
	fastShutdown      = 30 * time.Second
	immediateShutdown = 5 * time.Second
)

var (
	// ErrRunning says that a server, or another program about to start one, already uses the folder.
	ErrRunning = errors.New("a private PostgreSQL server already runs there")
	// ErrNotRunning says that there is no server to attach to.
	ErrNotRunning = errors.New("no private PostgreSQL server runs there")
)

// Options say where the cluster lives.
type Options struct {
	Dir    string    // the cluster's folder, made if absent: data/, run/ (the socket), lock
	Output io.Writer // receives the server's own log; nil drops it
	Fast   bool      // for tests: a crash of the machine may lose data (no fsync), everything is quicker

	Settings []string // name=value, where PostgreSQL's own will not do
}

// Cluster is a server that was started by Start, or one of another process that Attach found. A nil one is none: it may be
// stopped, and is never done.
type Cluster struct {
	socketDir string
	server    *process // nil when attached
	lock      *os.File
	scratch   string // a socket folder outside Dir, removed by Stop
}

// Start starts the server on o.Dir and returns when it accepts connections. It fails with ErrRunning when a server
// runs there, and with an error that says what to do when PostgreSQL is not installed, when the data belong to another
// major version, or when the server's account cannot reach the folder.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	c, err := start(ctx, o, initdb)
	if err != nil {
		return nil, fmt.Errorf("start the private PostgreSQL server in %s: %w", o.Dir, err)
	}
	return c, nil
}

// start is Start; fill makes the data of a folder that has none.
func start(ctx context.Context, o Options, fill filler) (_ *Cluster, err error) {
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	who, err := serverAccount()
	if err != nil {
		return nil, err
	}
	if err := who.ownFolder(o.Dir); err != nil {
		return nil, err
	}
	c := &Cluster{}
	defer func() {
		if err != nil {
			_ = c.Stop()
		}
	}()
	if c.lock, err = lockFolder(o.Dir); err != nil {
		return nil, err
	}
	data := filepath.Join(o.Dir, "data")
	if err := awaitPredecessor(ctx, data); err != nil {
		return nil, err
	}
	bin, err := initialize(ctx, data, who, o.Fast, fill)
	if err != nil {
		return nil, err
	}
	if c.socketDir, c.scratch, err = socketFolder(o.Dir, who); err != nil {
		return nil, err
	}
	c.server, err = spawn(filepath.Join(bin, "postgres"), serverArguments(data, c.socketDir, o), who, o.Output)
	if err != nil {
		return nil, err
	}
	if err := c.awaitReady(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Attach finds the server that another process runs on dir. Stop leaves that server alone. ErrNotRunning when there is
// none, or it does not accept connections yet.
func Attach(ctx context.Context, dir string) (*Cluster, error) {
	socketDir, err := runningSocketDir(filepath.Join(dir, "data"))
	if err == nil && socketDir == "" {
		err = ErrNotRunning // it has not opened its socket yet
	}
	if err != nil {
		return nil, fmt.Errorf("attach to the private PostgreSQL server in %s: %w", dir, err)
	}
	c := &Cluster{socketDir: socketDir}
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return nil, fmt.Errorf("attach to the private PostgreSQL server in %s: %w: %w", dir, ErrNotRunning, err)
	}
	return c, conn.Close(ctx)
}

// Join attaches to the server on o.Dir if one runs there, and starts one otherwise.
func Join(ctx context.Context, o Options) (*Cluster, error) {
	if c, err := Attach(ctx, o.Dir); err == nil {
		return c, nil
	}
	c, err := Start(ctx, o)
	if errors.Is(err, ErrRunning) { // it came up between the two looks
		return Attach(ctx, o.Dir)
	}
	return c, err
}

// URL is the connection string for one database, through the Unix socket. It holds no password: there is none.
func (c *Cluster) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User(Superuser),
		Path:     "/" + database,
		RawQuery: url.Values{"host": {c.socketDir}, "port": {port}, "sslmode": {"disable"}}.Encode(),
	}
	return u.String()
}

// SocketDir is what psql takes as -h.
func (c *Cluster) SocketDir() string { return c.socketDir }

// Done is closed when the server has ended, asked or not. It never is for an attached one.
func (c *Cluster) Done() <-chan struct{} {
	if c == nil || c.server == nil {
		return nil
	}
	return c.server.Done()
}

// Stop shuts the server down: open connections are ended, committed data are safe. It returns when the server is gone,
// may be called more than once, and does nothing to an attached server. The error is the server's own ending, when it
// was not a clean one.
func (c *Cluster) Stop() error {
	if c == nil {
		return nil
	}
	var err error
	if c.server != nil {
		err = c.server.stop()
	}
	if c.scratch != "" {
		_ = os.Remove(c.scratch)
	}
	if c.lock != nil {
		unlockFolder(c.lock)
	}
	return err
}

// awaitReady returns when the server accepts connections and the superuser's database exists.
func (c *Cluster) awaitReady(ctx context.Context) error {
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		conn, err := pgx.Connect(ctx, c.URL("postgres"))
		switch {
		case err == nil:
			return createDatabase(ctx, conn)
		case !passes(err):
			return fmt.Errorf("it refuses this program: %w", err)
		}
		select {
		case <-c.server.Done():
			return fmt.Errorf("postgres ended (%s), its last words: %s", c.server.State(), c.server.lastWords)
		case <-ctx.Done():
			return fmt.Errorf("%w while waiting for it to accept connections: %w", ctx.Err(), err)
		case <-retry.C:
		}
	}
}

// passes reports whether a connection may succeed later: the server is still starting, or is full.
func passes(err error) bool {
	if parse := (*pgconn.ParseConfigError)(nil); errors.As(err, &parse) {
		return false
	}
	said := (*pgconn.PgError)(nil)
	return !errors.As(err, &said) || strings.HasPrefix(said.Code, "57") || strings.HasPrefix(said.Code, "53")
}

// createDatabase creates the superuser's database if there is none, and closes conn.
func createDatabase(ctx context.Context, conn *pgx.Conn) error {
	defer func() { _ = conn.Close(ctx) }()
	var exists bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, Superuser).Scan(&exists)
	if err != nil || exists {
		return err
	}
	if _, err := conn.Exec(ctx, `CREATE DATABASE `+Superuser); err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return nil
}

// lockFolder keeps two programs from starting a server in one folder. The kernel frees the lock when its holder dies, and
// all that the holder forked has died or become another program.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%w: stop the program that started it, or use another folder", ErrRunning)
	}
	return f, nil
}

// unlockFolder frees the lock, and not only by closing the file: any program that this process is about to start has a copy
// of it for a moment, with which the folder would stay locked.
func unlockFolder(lock *os.File) {
	_ = syscall.Flock(int(lock.Fd()), syscall.LOCK_UN)
	_ = lock.Close()
}
