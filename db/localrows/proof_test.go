package localrows_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/localrows"
	"xmlcurld/db/table"
)

// manyEntries are of every kind that an access list has.
const manyEntries = `
INSERT INTO acl_list (name) VALUES ('empty');
INSERT INTO acl_entry (list, cidr) SELECT 'domains', set_masklen((inet '12.0.0.0' + 256 * n)::cidr, 24) FROM generate_series(1, 170) n;
INSERT INTO acl_entry (list, cidr, action, port) SELECT 'phones', set_masklen((inet '13.0.0.0' + 256 * n)::cidr, 24), 'deny', int4range(n, 2 * n, '[]') FROM generate_series(1, 60) n;
INSERT INTO acl_entry (list, node, cidr) SELECT 'domains', 'fs2', set_masklen((inet '14.0.0.0' + 256 * n)::cidr, 24) FROM generate_series(1, 60) n;
INSERT INTO acl_entry (list, cidr, action) VALUES ('domains', '15.0.0.0/8', 'deny')`

// An answer reflects what was committed before it was asked for, whether the local rows have read that or not. Once they have,
// the database is asked for a proof and for no row.
func TestAnswersAreProvedCurrent(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, dbtest.SecondNode)
	dbtest.Execute(t, url, manyEntries)
	anew := dbtest.Open(t, url)
	registry := prometheus.NewRegistry()
	store, err := table.Open(t.Context(), url, registry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	c := openLocal(t, store, t.TempDir())
	t.Cleanup(func() { _ = c.Close() })
	source := localrows.NewSource(store, c)
	follow(t, c)
	asked := func() (n uint64) {
		for _, kind := range []string{"route", "user", "acl", "sofia", "document", "modules", "switch", "event_socket", "credentials",
			"domain", "users", "networks", "group", "user_gateways"} {
			n += dbtest.Queries(t, registry, kind)
		}
		return n
	}
	for _, edit := range dbtest.Edits {
		dbtest.Execute(t, url, edit)
		want := ask(t.Context(), anew)
		same(t, edit+", at once", want, ask(t.Context(), source))
		follow(t, c)
		follow(t, c) // where so much changed that all has to be read
		before := asked()
		same(t, edit+", when it was read", want, ask(t.Context(), source))
		if again := asked() - before; again > 0 {
			t.Errorf("%s: the database was asked %d times for rows that are at hand", edit, again)
		}
	}
}

// A transaction that was open while the local rows were read is seen as soon as it is committed, however many came after it.
func TestProofSeesOpenTransactions(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store, c := openBoth(t, url)
	source := localrows.NewSource(store, c)
	open, err := dbtest.Connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`UPDATE number SET enabled = false WHERE number = '+27123456789'`,
		`UPDATE domain_user SET enabled = false WHERE id = '1000'`,
	} {
		if _, err := open.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	dbtest.Execute(t, url, `UPDATE domain_user SET caller_id_name = 'Another' WHERE id = '1001'`)
	follow(t, c)
	state := func() (called, there bool) {
		t.Helper()
		route, err := rules(source).Route(t.Context(), demoCall)
		if err != nil {
			t.Fatal(err)
		}
		user, err := rules(source).User(t.Context(), "fs1", "acme.example", "1000")
		if err != nil {
			t.Fatal(err)
		}
		return route.Value.Called != nil, len(user.Value) > 0
	}
	if called, there := state(); !called || !there {
		t.Errorf("before the commit: called %t, user there %t", called, there)
	}
	if err := open.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if called, there := state(); called || there {
		t.Errorf("after the commit: called %t, user there %t", called, there)
	}
}

// What does not note its changes proves nothing: then the database is asked for the rows.
func TestSilentTablesProveNothing(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store, c := openBoth(t, url)
	source := localrows.NewSource(store, c)
	follow(t, c)
	dbtest.Execute(t, url, `ALTER TABLE number DISABLE TRIGGER ALL`)
	if err := c.Follow(t.Context()); err == nil {
		t.Error("nobody is told that triggers are off")
	}
	dbtest.Execute(t, url, `UPDATE number SET enabled = false WHERE number = '+27123456789'`)
	if route, err := rules(source).Route(t.Context(), demoCall); err != nil || route.Value.Called != nil {
		t.Errorf("%+v, %v", route, err)
	}
}

// A restore makes another journal, which says nothing of what was there before: the database is asked for the rows, before
// the restore was noticed.
func TestAnotherJournalProvesNothing(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store, c := openBoth(t, url)
	source := localrows.NewSource(store, c)
	follow(t, c)
	dbtest.Execute(t, url, `
		BEGIN;
		UPDATE number SET enabled = false WHERE number = '+27123456789';
		ALTER TABLE change RENAME TO change_before;
		CREATE TABLE change (LIKE change_before INCLUDING ALL);
		COMMIT`)
	if route, err := rules(source).Route(t.Context(), demoCall); err != nil || route.Value.Called != nil {
		t.Errorf("%+v, %v", route, err)
	}
}
