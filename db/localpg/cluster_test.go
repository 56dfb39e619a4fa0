package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// parentDir makes this test binary a parent to be killed: see TestKilledParentLeavesNothing.
const parentDir = "CLUSTER_TEST_PARENT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentDir); dir != "" {
		beParent(dir)
	}
	os.Exit(m.Run())
}

func beParent(dir string) {
	c, err := Start(context.Background(), Options{Dir: dir, Fast: true})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(c.server.PID())
	select {}
}

// folder is a temporary one right below the system's (t.TempDir puts it below another, which is private to root).
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cluster-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func mustStart(t *testing.T, dir string) *Cluster {
	t.Helper()
	c, err := Start(t.Context(), Options{Dir: dir, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop() })
	return c
}

func ask(t *testing.T, c *Cluster, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.URL(Superuser))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var answer string
	if err := conn.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return answer
}

// A server that refuses its own program will go on doing so, and that is told at once.
func TestRefusingServerIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := mustStart(t, dir)
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "pg_hba.conf"), []byte("local all all reject\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Start(t.Context(), Options{Dir: dir, Fast: true})
	if err == nil {
		_ = c.Stop()
	}
	if err == nil || !strings.Contains(err.Error(), "refuses this program") || !strings.Contains(err.Error(), "pg_hba.conf") {
		t.Errorf("%v", err)
	}
}

func TestRestartKeepsData(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := mustStart(t, dir)
	conn, err := pgx.Connect(t.Context(), c.URL(Superuser))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `CREATE TABLE kept AS SELECT 'here' AS word`); err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(); err != nil { // with a connection open: a fast shutdown ends it
		t.Fatalf("stop: %v", err)
	}
	select {
	case <-c.Done():
	default:
		t.Error("Done is not closed after Stop")
	}
	if err := c.Stop(); err != nil {
		t.Errorf("second stop: %v", err)
	}
	if got := ask(t, mustStart(t, dir), `SELECT word FROM kept`); got != "here" {
		t.Errorf("after a restart the row is %q", got)
	}
}

// A program that is just being started has a copy of every file of this process's, the lock of a folder among them. It keeps
// nobody out once the server has stopped.
func TestStopFreesTheFolderBesideAFork(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := mustStart(t, dir)
	forked, err := syscall.Dup(int(c.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(forked) }()
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	mustStart(t, dir)
}

func TestSettings(t *testing.T) {
	t.Parallel()
	c, err := Start(t.Context(), Options{Dir: folder(t), Fast: true, Settings: []string{"shared_buffers=16MB", "max_connections=7"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Stop() }()
	if got := ask(t, c, `SHOW shared_buffers`) + " " + ask(t, c, `SHOW max_connections`); got != "16MB 7" {
		t.Errorf("%s", got)
	}
}

func TestListensOnNothingButThePrivateSocket(t *testing.T) {
	t.Parallel()
	c := mustStart(t, folder(t))
	if got := ask(t, c, `SHOW listen_addresses`); got != "" {
		t.Errorf("listen_addresses = %q", got)
	}
	info, err := os.Stat(c.SocketDir())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("socket folder has mode %v", info.Mode())
	}
	if os.Geteuid() == 0 {
		if uid := info.Sys().(*syscall.Stat_t).Uid; uid == 0 {
			t.Error("as root, the server's folder belongs to root")
		}
	}
}

func TestSecondStart(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := mustStart(t, dir)
	if _, err := Start(t.Context(), Options{Dir: dir, Fast: true}); !errors.Is(err, ErrRunning) {
		t.Errorf("second Start: %v, want ErrRunning", err)
	}
	joined, err := Join(t.Context(), Options{Dir: dir, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	if joined.URL("x") != first.URL("x") {
		t.Errorf("joined %s, want %s", joined.URL("x"), first.URL("x"))
	}
	if err := joined.Stop(); err != nil {
		t.Errorf("stop of a joined one: %v", err)
	}
	ask(t, first, `SELECT 'still running'`)
}

func TestAttachToNothing(t *testing.T) {
	t.Parallel()
	if _, err := Attach(t.Context(), folder(t)); !errors.Is(err, ErrNotRunning) {
		t.Errorf("got %v, want ErrNotRunning", err)
	}
}

func TestLongFolderGetsAShortSocket(t *testing.T) {
	t.Parallel()
	parent := folder(t)
	if err := os.Chmod(parent, 0o711); err != nil {
		t.Fatal(err)
	}
	c := mustStart(t, filepath.Join(parent, strings.Repeat("long", 25)))
	ask(t, c, `SELECT 'reached'`)
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.SocketDir()); !os.IsNotExist(err) {
		t.Errorf("the scratch folder %s is left behind", c.SocketDir())
	}
}

func TestUnreachableFolder(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root lends the server another account")
	}
	locked := folder(t) // mode 0700 of root
	_, err := Start(t.Context(), Options{Dir: filepath.Join(locked, "cluster"), Fast: true})
	if err == nil || !strings.Contains(err.Error(), "cannot enter "+locked) {
		t.Errorf("got %v", err)
	}
}

func TestDataOfAnotherVersion(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("8\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir, Fast: true})
	if err == nil || !strings.Contains(err.Error(), "made by PostgreSQL 8, but only") {
		t.Errorf("got %v", err)
	}
}
