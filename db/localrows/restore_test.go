package localrows_test

import (
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
)

func run(t *testing.T, program string, args ...string) {
	t.Helper()
	if out, err := osexec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// A backup that is restored in place is noticed, whatever the journal says, also by local rows that was closed meanwhile.
func TestLocalRowsNoticesARestore(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]bool{"under a running server": true, "while the server is down": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, dir, dump := dbtest.DemoURL(t), t.TempDir(), filepath.Join(t.TempDir(), "dump")
			run(t, "pg_dump", "--format=custom", "--file="+dump, url)
			dbtest.Execute(t, url, `UPDATE number SET forward_number = '7777' WHERE number = '7000'`)
			store := dbtest.Open(t, url)
			c := openLocal(t, store, dir)
			follow(t, c)
			forwards := func() string {
				route, err := rules(c).Route(t.Context(), db.Call{Context: "acme", Number: "7000"})
				if err != nil || route.Value.Called == nil {
					return ""
				}
				return route.Value.Called.ForwardNumber
			}
			if got := forwards(); got != "7777" {
				t.Fatalf("before: %q", got)
			}
			if !open {
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
			}
			run(t, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--dbname="+url, dump)
			if !open {
				store = dbtest.Open(t, url)
				c = openLocal(t, store, dir)
			}
			t.Cleanup(func() { _ = c.Close() })
			dbtest.Await(t, "the local rows have what was restored", func() bool {
				return c.Follow(t.Context()) == nil && forwards() == "7001"
			})
		})
	}
}

// What connections have prepared is of no use after a restore: they are made anew, and nobody notices.
func TestAnswersAfterARestore(t *testing.T) {
	t.Parallel()
	url, dump := dbtest.DemoURL(t), filepath.Join(t.TempDir(), "dump")
	store := dbtest.Open(t, url)
	run(t, "pg_dump", "--format=custom", "--file="+dump, url)
	for range 3 { // more than one connection of each pool
		ask(t.Context(), store)
	}
	before := ask(t.Context(), store)
	run(t, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--dbname="+url, dump)
	same(t, "after the restore", before, ask(t.Context(), store))
}

// With its triggers off a table tells nothing: the local rows do not pass for what the database holds, and what was written
// meanwhile is read when they are on again.
func TestLocalRowsNoticesTriggersThatWereOff(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	c := openLocal(t, dbtest.Open(t, url), t.TempDir())
	t.Cleanup(func() { _ = c.Close() })
	follow(t, c)
	follow(t, c)
	dbtest.Execute(t, url, `ALTER TABLE number DISABLE TRIGGER ALL; UPDATE number SET forward_number = '7777' WHERE number = '7000'`)
	if err := c.Follow(t.Context()); err == nil || !strings.Contains(err.Error(), "table number") {
		t.Errorf("with the triggers off: %v", err)
	}
	dbtest.Execute(t, url, `ALTER TABLE number ENABLE TRIGGER ALL`)
	dbtest.Await(t, "the local rows have what was written meanwhile", func() bool {
		if c.Follow(t.Context()) != nil {
			return false
		}
		route, err := rules(c).Route(t.Context(), db.Call{Context: "acme", Number: "7000"})
		return err == nil && route.Value.Called != nil && route.Value.Called.ForwardNumber == "7777"
	})
}

// A journal that was emptied tells of nothing that it told before, so all is read anew.
func TestLocalRowsNoticesThatTheJournalIsGone(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	c := openLocal(t, dbtest.Open(t, url), t.TempDir())
	t.Cleanup(func() { _ = c.Close() })
	follow(t, c)
	follow(t, c)
	dbtest.Execute(t, url, `UPDATE number SET forward_number = '7777' WHERE number = '7000'; TRUNCATE change`)
	dbtest.Await(t, "the local rows have what the journal does not tell", func() bool {
		if c.Follow(t.Context()) != nil {
			return false
		}
		route, err := rules(c).Route(t.Context(), db.Call{Context: "acme", Number: "7000"})
		return err == nil && route.Value.Called != nil && route.Value.Called.ForwardNumber == "7777"
	})
}

// What a switch was given before a restore is not known any more, so that all users are flushed once.
func TestUsersAfterARestore(t *testing.T) {
	t.Parallel()
	url, dump := dbtest.DemoURL(t), filepath.Join(t.TempDir(), "dump")
	_, c := openBoth(t, url)
	follow(t, c)
	dbtest.Execute(t, url, `INSERT INTO node (name) VALUES ('fs1');
		INSERT INTO node_state (node, server, reachable, pending, restart_required, last_error, users_seen, users_seen_at, checked_at)
		VALUES ('fs1', 's', true, '{}', '{}', '', pg_current_snapshot(), now(), now())`)
	follow(t, c)
	seen := func() (known bool) {
		if err := dbtest.Connect(t, url).QueryRow(t.Context(), `SELECT users_seen IS NOT NULL FROM node_state`).Scan(&known); err != nil {
			t.Fatal(err)
		}
		return known
	}
	if !seen() {
		t.Fatal("forgotten without a restore")
	}
	run(t, "pg_dump", "--format=custom", "--file="+dump, url)
	run(t, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--dbname="+url, dump)
	dbtest.Await(t, "what the switches were given is forgotten", func() bool { return c.Follow(t.Context()) == nil && !seen() })
}

// A dump brings the journals of another cluster along, with transactions that are yet to come in this one. They count
// neither once nor again and again, and are forgotten.
func TestChangesOfAnotherCluster(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, `
		INSERT INTO change (xid, relation) VALUES (((pg_current_xact_id()::text::bigint) + 1000000)::text::xid8, 'number');
		INSERT INTO change (xid, relation, scope, key)
		VALUES (((pg_current_xact_id()::text::bigint) + 1000000)::text::xid8, 'domain_user', 'acme.example', '1000');
		UPDATE domain_user SET password_xid = ((pg_current_xact_id()::text::bigint) + 1000000)::text::xid8 WHERE id = '1000'`)
	store := dbtest.Open(t, url)
	state := dbtest.State(store)
	_, seen, err := state.UserChanges(t.Context(), "", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, noted := range []bool{true, false} {
		changes, _, err := state.UserChanges(t.Context(), seen, noted)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if c.Unregister {
				t.Errorf("noted %t: %+v", noted, c)
			}
		}
	}
	c := openLocal(t, store, t.TempDir())
	t.Cleanup(func() { _ = c.Close() })
	follow(t, c)
	follow(t, c)
	if age, usable := c.Age(); !usable {
		t.Errorf("the local rows are overtaken for ever: age %v", age)
	}
	if err := state.ForgetChanges(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := dbtest.Connect(t, url).QueryRow(t.Context(), `SELECT count(*) FROM change WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d are left, %v", left, err)
	}
}

// What notes an edit does so in a session that replays another server's, too.
func TestEditsOfAReplicaAreNoted(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	rows, err := conn.Query(t.Context(), `
		SELECT g.tgrelid::regclass::text || ' ' || g.tgname
		FROM pg_trigger g
		JOIN pg_class c ON c.oid = g.tgrelid
		WHERE c.relnamespace = 'public'::regnamespace
			AND NOT g.tgisinternal
			AND g.tgname ~ '^(note_|tell_servers|revise_|compile_|date_password)'
			AND g.tgenabled <> 'A'`)
	if err != nil {
		t.Fatal(err)
	}
	missed, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(missed) > 0 {
		t.Errorf("not always enabled: %v, %v", missed, err)
	}
	var before, after int
	const changes = `SELECT count(*) FROM change`
	if err := conn.QueryRow(t.Context(), changes).Scan(&before); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `SET session_replication_role = replica; UPDATE number SET forward_number = '7002' WHERE number = '7000'`); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), changes).Scan(&after); err != nil || after == before {
		t.Errorf("%d changes before and %d after, %v", before, after, err)
	}
}
