// Package dbtest gives each test a database of its own on a real PostgreSQL server. That is the server named by the
// environment variable DBTEST_URL, which make test starts for all packages. Without it a package starts its own.
package dbtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // pgtestdb connects through database/sql's driver "pgx"
	"github.com/peterldowns/pgtestdb"

	"xmlcurld/db/localpg"
	"xmlcurld/db/schema"
	"xmlcurld/testdata"
)

// patience is for what takes a moment on a machine that has time.
const patience = time.Minute

// ServerVariable is the environment variable with the connection string of a server that is there already.
const ServerVariable = "DBTEST_URL"

// server is the private server of the package under test. It is started when the first test asks for a database and
// no other server was given.
var server = struct {
	sync.Mutex
	dir     string
	cluster *localpg.Cluster
}{}

// inMain says that Main runs the tests, so that a private server will be stopped.
var inMain atomic.Bool

// Main runs the tests of a package and stops the server that they started: the whole body of its TestMain.
func Main(m *testing.M) {
	inMain.Store(true)
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "dbtest:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// URL returns the connection string of a fresh database with the newest schema and no rows but the schema's own. It is
// dropped when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	return fresh(t, template{})
}

// DemoURL returns the connection string of a fresh database that holds the demo world.
func DemoURL(t testing.TB) string {
	t.Helper()
	return fresh(t, template{rows: testdata.Demo})
}

// EmptyURL returns the connection string of a fresh database that was never migrated.
func EmptyURL(t testing.TB) string {
	t.Helper()
	return fresh(t, nothing{})
}

// FillDemo migrates the empty database at url and loads the demo world.
func FillDemo(t testing.TB, url string) {
	t.Helper()
	if err := schema.Migrate(t.Context(), url, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if _, err := schema.LoadDemo(t.Context(), url, testdata.Demo, schema.Ports{}); err != nil {
		t.Fatal(err)
	}
}

// AwaitBlocked returns when a statement in the database waits for what another transaction holds.
func AwaitBlocked(t testing.TB, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	const query = `
		SELECT EXISTS (
			SELECT FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock')`
	for until := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		var blocked bool
		if err := conn.QueryRow(t.Context(), query).Scan(&blocked); err != nil {
			t.Fatal(err)
		}
		if blocked {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("no statement waits after %v", patience)
		}
	}
}

func fresh(t testing.TB, contents pgtestdb.Migrator) string {
	t.Helper()
	address, err := serverURL()
	if err != nil {
		t.Fatal(err)
	}
	config := pgtestdb.Config{
		DriverName:                "pgx",
		User:                      localpg.Superuser,
		Database:                  localpg.Superuser,
		Options:                   address.RawQuery,
		TestRole:                  &pgtestdb.Role{Username: localpg.Superuser},
		ForceTerminateConnections: true,
	}
	address.Path = "/" + pgtestdb.Custom(t, config, contents).Database
	return address.String()
}

// serverURL returns the address of the server that was given, or of the private one.
func serverURL() (*url.URL, error) {
	if !inMain.Load() {
		return nil, errors.New("dbtest: the package needs func TestMain(m *testing.M) { dbtest.Main(m) }")
	}
	if given := os.Getenv(ServerVariable); given != "" {
		return url.Parse(given)
	}
	c, err := start()
	if err != nil {
		return nil, err
	}
	return url.Parse(c.URL(localpg.Superuser))
}

func start() (*localpg.Cluster, error) {
	server.Lock()
	defer server.Unlock()
	if server.cluster != nil {
		return server.cluster, nil
	}
	var err error
	if server.dir == "" {
		if server.dir, err = os.MkdirTemp("", "dbtest-"); err != nil {
			return nil, err
		}
	}
	server.cluster, err = localpg.Start(context.Background(), localpg.Options{Dir: server.dir, Fast: true})
	return server.cluster, err
}

func stop() error {
	server.Lock()
	defer server.Unlock()
	var err error
	if server.cluster != nil {
		err = server.cluster.Stop()
	}
	if server.dir != "" {
		_ = os.RemoveAll(server.dir)
	}
	return err
}

// template makes the template that databases are cloned from: the migrations, then rows.
type template struct{ rows string }

// Hash names the template by everything that goes into it.
func (t template) Hash() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(schema.Migrations, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := schema.Migrations.ReadFile(path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(content), content)
		return err
	})
	fmt.Fprint(sum, t.rows)
	return hex.EncodeToString(sum.Sum(nil)), err
}

// Migrate fills the template.
func (t template) Migrate(ctx context.Context, pool *sql.DB, config pgtestdb.Config) error {
	if err := schema.Migrate(ctx, config.URL(), slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	_, err := pool.ExecContext(ctx, t.rows)
	return err
}

// nothing makes an empty template.
type nothing struct{}

// Hash is that of no content.
func (nothing) Hash() (string, error) { return "nothing", nil }

// Migrate has nothing to do.
func (nothing) Migrate(context.Context, *sql.DB, pgtestdb.Config) error { return nil }
