package localpg

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func mustStartStandby(t *testing.T, primary *Cluster, dir string) *Cluster {
	t.Helper()
	c, err := StartStandby(t.Context(), primary, Options{Dir: dir, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop() })
	return c
}

func execute(t *testing.T, c *Cluster, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.URL(Superuser))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// awaitAnswer returns when c answers with want.
func awaitAnswer(t *testing.T, c *Cluster, sql, want string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for ask(t, c, sql) != want {
		if time.Now().After(deadline) {
			t.Fatalf("%s is not %q in time", sql, want)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A standby follows, also a primary that was started anew; promoted, it takes writes, and can have a standby itself.
func TestStandby(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	primary := mustStart(t, dir)
	execute(t, primary, `CREATE TABLE word AS SELECT 'first' AS word`)
	standby := mustStartStandby(t, primary, folder(t))
	if got := ask(t, standby, `SELECT word || ' ' || pg_is_in_recovery() FROM word`); got != "first true" {
		t.Errorf("the standby says %q", got)
	}
	execute(t, primary, `UPDATE word SET word = 'second'`)
	awaitAnswer(t, standby, `SELECT word FROM word`, "second")

	if err := primary.Stop(); err != nil {
		t.Fatal(err)
	}
	primary = mustStart(t, dir)
	execute(t, primary, `UPDATE word SET word = 'third'`)
	awaitAnswer(t, standby, `SELECT word FROM word`, "third")

	if err := primary.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	execute(t, standby, `UPDATE word SET word = 'fourth'`)
	next := mustStartStandby(t, standby, folder(t))
	awaitAnswer(t, next, `SELECT word FROM word`, "fourth")
}

func TestStandbyOfNobody(t *testing.T) {
	t.Parallel()
	primary := mustStart(t, folder(t))
	if err := primary.Stop(); err != nil {
		t.Fatal(err)
	}
	_, err := StartStandby(t.Context(), primary, Options{Dir: folder(t), Fast: true})
	if err == nil || !strings.Contains(err.Error(), "pg_basebackup: ") {
		t.Errorf("got %v", err)
	}
}

func TestPromoteAPrimary(t *testing.T) {
	t.Parallel()
	if err := mustStart(t, folder(t)).Promote(t.Context()); err == nil {
		t.Error("a primary was promoted")
	}
}

func TestProcesses(t *testing.T) {
	t.Parallel()
	c := mustStart(t, folder(t))
	conn, err := pgx.Connect(t.Context(), c.URL(Superuser))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	backend := int(conn.PgConn().PID())
	all := c.Processes()
	if all[0] != c.server.PID() {
		t.Errorf("the first of %v is not the postmaster", all)
	}
	for _, pid := range all {
		if pid == backend {
			return
		}
	}
	t.Errorf("%d is not in %v", backend, all)
}
