package localrows_test

import (
	"log/slog"
	osexec "os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/dbtest/fault"
	"xmlcurld/db/localpg"
	"xmlcurld/db/schema"
	"xmlcurld/db/switchstate"
	"xmlcurld/testdata"
)

// Rows that arrive by logical replication, at first all of them and then one by one, reach the local rows, and what is noted of
// users. The publisher's journals and what its servers know of their switches come along, and do not stop it.
func TestLogicalReplication(t *testing.T) {
	t.Parallel()
	dir, remove, err := fault.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	server, err := localpg.Start(t.Context(), localpg.Options{Dir: dir, Fast: true,
		Settings: []string{"wal_level=logical", "max_wal_senders=10", "max_replication_slots=60", "wal_retrieve_retry_interval=50ms"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	dbtest.Execute(t, server.URL("postgres"), `CREATE DATABASE publisher`)
	dbtest.Execute(t, server.URL("postgres"), `CREATE DATABASE subscriber`)
	publisher, subscriber := server.URL("publisher"), server.URL("subscriber")
	if err := schema.Migrate(t.Context(), publisher, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	dbtest.Execute(t, publisher, testdata.Demo)
	schema, err := osexec.CommandContext(t.Context(), "pg_dump", "--schema-only", publisher).Output()
	if err != nil {
		t.Fatal(err)
	}
	load := osexec.CommandContext(t.Context(), "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", subscriber)
	load.Stdin = strings.NewReader(string(schema))
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Both databases are in one cluster: a slot that CREATE SUBSCRIPTION made would wait for its own transaction.
	dbtest.Execute(t, publisher, `CREATE PUBLICATION xmlcurld FOR ALL TABLES`)
	dbtest.Execute(t, publisher, `SELECT pg_create_logical_replication_slot('xmlcurld', 'pgoutput')`)
	dbtest.Execute(t, subscriber, `CREATE SUBSCRIPTION xmlcurld CONNECTION 'host=`+server.SocketDir()+` dbname=publisher user=`+localpg.Superuser+`'
		PUBLICATION xmlcurld WITH (create_slot = false, slot_name = 'xmlcurld')`)

	store := dbtest.Open(t, subscriber)
	state := dbtest.State(store)
	c := openLocal(t, store, t.TempDir())
	t.Cleanup(func() { _ = c.Close() })
	conn := dbtest.Connect(t, subscriber)
	dbtest.Await(t, "all tables are in sync", func() bool {
		var waiting int
		err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'`).Scan(&waiting)
		return err == nil && waiting == 0
	})
	follow(t, c)
	follow(t, c)
	forwards := func() string {
		route, err := rules(c).Route(t.Context(), db.Call{Context: "acme", Number: "7000"})
		if err != nil || route.Value.Called == nil {
			return ""
		}
		return route.Value.Called.ForwardNumber
	}
	if got := forwards(); got != "7001" {
		t.Fatalf("in the beginning: %q", got)
	}
	_, seen, err := state.UserChanges(t.Context(), "", true)
	if err != nil {
		t.Fatal(err)
	}
	listener := dbtest.Connect(t, subscriber)
	if _, err := listener.Exec(t.Context(), "LISTEN xmlcurld"); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO change (relation) SELECT 'nothing' FROM generate_series(1, 100)`, // their keys are the subscriber's, too
		`INSERT INTO node_fetch (node, document, revision) VALUES ('*', 'a', 'b')`,
		`UPDATE domain_user SET password = 'another-1' WHERE id = '1001'`,
		`DELETE FROM domain_user WHERE id = '1000'`,
		`INSERT INTO domain_user (domain, id, password) VALUES ('acme.example', '1000', 'another-2')`,
		`UPDATE number SET forward_number = '7002' WHERE number = '7000'`,
	} {
		dbtest.Execute(t, publisher, statement)
	}
	dbtest.Await(t, "the local rows have what was replicated", func() bool { return c.Follow(t.Context()) == nil && forwards() == "7002" })
	if notice, err := listener.WaitForNotification(t.Context()); err != nil || notice.Payload == "" {
		t.Errorf("notice %v, %v", notice, err)
	}
	changes, _, err := state.UserChanges(t.Context(), seen, true)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(changes, func(a, b switchstate.UserChange) int { return strings.Compare(a.Name, b.Name) })
	want := []switchstate.UserChange{
		{Domain: "acme.example", Name: "1000", Unregister: true},
		{Domain: "acme.example", Name: "1001", Unregister: true},
		{Domain: "acme.example", Name: "71000"}, // nobody's now
		{Domain: "acme.example", Name: "71001", Unregister: true},
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("changes of users (-want +got):\n%s", diff)
	}
	var edits string // its own, of rows that came
	if err := conn.QueryRow(t.Context(), `
		SELECT coalesce(string_agg(concat_ws(' ', relation, key, operation), ', ' ORDER BY relation, key, operation), '')
		FROM history
		WHERE relation IN ('number', 'domain_user') AND key ~ '^(acme.example 100[01]|7000 acme)$'`).Scan(&edits); err != nil {
		t.Fatal(err)
	}
	if want := "domain_user acme.example 1000 delete, domain_user acme.example 1000 insert, domain_user acme.example 1000 insert, " +
		"domain_user acme.example 1001 insert, domain_user acme.example 1001 update, number 7000 acme insert, number 7000 acme update"; edits != want {
		t.Errorf("history %q, want %q", edits, want)
	}
	var foreign, fetches, errors int
	err = conn.QueryRow(t.Context(), `
		SELECT (SELECT count(*) FROM change WHERE relation = 'nothing'),
			(SELECT count(*) FROM node_fetch),
			(SELECT sum(apply_error_count + sync_error_count) FROM pg_stat_subscription_stats)`).Scan(&foreign, &fetches, &errors)
	if err != nil || foreign+fetches+errors != 0 {
		t.Errorf("%d changes and %d fetches of the publisher's, %d errors, %v", foreign, fetches, errors, err)
	}
}
