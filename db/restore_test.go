package db_test

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

// A backup that is restored in place is noticed, whatever the journal says, also by a copy that was closed meanwhile.
func TestCopyNoticesARestore(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]bool{"under a running server": true, "while the server is down": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, dir, dump := dbtest.DemoURL(t), t.TempDir(), filepath.Join(t.TempDir(), "dump")
			run(t, "pg_dump", "--format=custom", "--file="+dump, url)
			execute(t, url, `UPDATE number SET forward_number = '7777' WHERE number = '7000'`)
			store := openStore(t, url)
			c := openCopy(t, store, dir)
			follow(t, c)
			forwards := func() string {
				route, err := c.Route(t.Context(), db.Call{Context: "acme", Number: "7000"})
				if err != nil || route.Called == nil {
					return ""
				}
				return route.Called.ForwardNumber
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
				store = openStore(t, url)
				c = openCopy(t, store, dir)
			}
			t.Cleanup(func() { _ = c.Close() })
			await(t, "the copy has what was restored", func() bool {
				return c.Follow(t.Context()) == nil && forwards() == "7001"
			})
		})
	}
}

// What connections have prepared is of no use after a restore: they are made anew, and nobody notices.
func TestAnswersAfterARestore(t *testing.T) {
	t.Parallel()
	url, dump := dbtest.DemoURL(t), filepath.Join(t.TempDir(), "dump")
	store := openStore(t, url)
	run(t, "pg_dump", "--format=custom", "--file="+dump, url)
	for range 3 { // more than one connection of each pool
		ask(t.Context(), store)
	}
	before := ask(t.Context(), store)
	run(t, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--dbname="+url, dump)
	same(t, "after the restore", before, ask(t.Context(), store))
}

// With its triggers off a table tells nothing: the copy does not pass for what the database holds, and what was written
// meanwhile is read when they are on again.
func TestCopyNoticesTriggersThatWereOff(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	c := openCopy(t, openStore(t, url), t.TempDir())
	t.Cleanup(func() { _ = c.Close() })
	follow(t, c)
	follow(t, c)
	execute(t, url, `ALTER TABLE number DISABLE TRIGGER ALL; UPDATE number SET forward_number = '7777' WHERE number = '7000'`)
	if err := c.Follow(t.Context()); err == nil || !strings.Contains(err.Error(), "table number") {
		t.Errorf("with the triggers off: %v", err)
	}
	execute(t, url, `ALTER TABLE number ENABLE TRIGGER ALL`)
	await(t, "the copy has what was written meanwhile", func() bool {
		if c.Follow(t.Context()) != nil {
			return false
		}
		route, err := c.Route(t.Context(), db.Call{Context: "acme", Number: "7000"})
		return err == nil && route.Called != nil && route.Called.ForwardNumber == "7777"
	})
}

// A journal that was emptied tells of nothing that it told before, so all is read anew.
func TestCopyNoticesThatTheJournalIsGone(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	c := openCopy(t, openStore(t, url), t.TempDir())
	t.Cleanup(func() { _ = c.Close() })
	follow(t, c)
	follow(t, c)
	execute(t, url, `UPDATE number SET forward_number = '7777' WHERE number = '7000'; TRUNCATE change`)
	await(t, "the copy has what the journal does not tell", func() bool {
		if c.Follow(t.Context()) != nil {
			return false
		}
		route, err := c.Route(t.Context(), db.Call{Context: "acme", Number: "7000"})
		return err == nil && route.Called != nil && route.Called.ForwardNumber == "7777"
	})
}

// What a switch was given before a restore is not known any more, so that all users are flushed once.
func TestUsersAfterARestore(t *testing.T) {
	t.Parallel()
	url, dump := dbtest.DemoURL(t), filepath.Join(t.TempDir(), "dump")
	store := openStore(t, url)
	c := openCopy(t, store, t.TempDir())
	t.Cleanup(func() { _ = c.Close() })
	follow(t, c)
	execute(t, url, `INSERT INTO node (name) VALUES ('fs1');
		INSERT INTO node_state (node, server, reachable, pending, restart_required, last_error, users_seen, users_seen_at, checked_at)
		VALUES ('fs1', 's', true, '{}', '{}', '', pg_current_snapshot(), now(), now())`)
	follow(t, c)
	seen := func() (known bool) {
		if err := connect(t, url).QueryRow(t.Context(), `SELECT users_seen IS NOT NULL FROM node_state`).Scan(&known); err != nil {
			t.Fatal(err)
		}
		return known
	}
	if !seen() {
		t.Fatal("forgotten without a restore")
	}
	run(t, "pg_dump", "--format=custom", "--file="+dump, url)
	run(t, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--dbname="+url, dump)
	await(t, "what the switches were given is forgotten", func() bool { return c.Follow(t.Context()) == nil && !seen() })
}

// A dump brings the journals of another cluster along, with transactions that are yet to come in this one. They count
// neither once nor again and again, and are forgotten.
func TestChangesOfAnotherCluster(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	execute(t, url, `
		INSERT INTO user_change (xid, domain, user_id, unregister) VALUES (((pg_current_xact_id()::text::bigint) + 1000000)::text::xid8, 'acme.example', '1000', true);
		INSERT INTO change (xid, relation) VALUES (((pg_current_xact_id()::text::bigint) + 1000000)::text::xid8, 'number');
		UPDATE domain_user SET password_xid = ((pg_current_xact_id()::text::bigint) + 1000000)::text::xid8 WHERE id = '1000'`)
	store := openStore(t, url)
	_, seen, err := store.UserChanges(t.Context(), "", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, noted := range []bool{true, false} {
		changes, _, err := store.UserChanges(t.Context(), seen, noted)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if c.Unregister {
				t.Errorf("noted %t: %+v", noted, c)
			}
		}
	}
	c := openCopy(t, store, t.TempDir())
	t.Cleanup(func() { _ = c.Close() })
	follow(t, c)
	follow(t, c)
	if age, usable := c.Age(); !usable {
		t.Errorf("the copy is overtaken for ever: age %v", age)
	}
	if err := store.ForgetChanges(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := connect(t, url).QueryRow(t.Context(), `SELECT (SELECT count(*) FROM user_change WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())) + (SELECT count(*) FROM change WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d are left, %v", left, err)
	}
}

// What notes an edit does so in a session that replays another server's, too.
func TestEditsOfAReplicaAreNoted(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.DemoURL(t))
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
