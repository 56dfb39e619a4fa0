package explain

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
)

func TestPositionOf(t *testing.T) {
	t.Parallel()
	x := &db.Extension{Conditions: []db.Condition{{Position: 0}, {Position: 10}, {Position: 15, Parent: 20}, {Position: 20}, {Position: 30, Parent: 20}}}
	for place, want := range map[string]int{"1": 0, "2": 10, "3": 20, "3.1": 15, "3.2": 30, "3.3": 0, "4": 0, "2.1": 0} {
		if got := positionOf(x, place, 1); got != want {
			t.Errorf("%s: %d, want %d", place, got, want)
		}
	}
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	got := candidates(&db.ACLEntry{List: "phones", Allow: true, Domain: "a.example", Networks: "1000 {192.0.2.0/24,2001:db8::/32} 1001 {10.0.0.1/32}"})
	want := []string{"192.0.2.0/24", "2001:db8::/32", "10.0.0.1/32"}
	if len(got) != len(want) {
		t.Fatalf("%d networks, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].network != netip.MustParsePrefix(want[i]) {
			t.Errorf("network %d is %s, want %s", i, got[i].network, want[i])
		}
	}
	if last := got[2].key; last != "phones domain a.example, user 1001, 10.0.0.1/32" {
		t.Errorf("key %q", last)
	}
}

// TestListForAddress compares the entries that are read for an address with all those of the list that hold it.
func TestListForAddress(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, `
		INSERT INTO node (name) VALUES ('fs1'), ('fs2');
		INSERT INTO acl_list (name, default_action) VALUES ('one', 'allow'), ('two', 'deny'), ('none', 'allow');
		UPDATE domain_user SET cidr = '{203.0.113.0/28}' WHERE domain = 'acme.example' AND id = '1000';
		INSERT INTO acl_entry (list, cidr) VALUES ('one', '10.0.0.0/8'), ('one', '10.1.0.0/16'), ('one', '2001:db8::/32'), ('two', '10.1.0.0/24'), ('two', '192.0.2.0/24');
		INSERT INTO acl_entry (list, node, cidr) VALUES ('two', 'fs1', '10.1.0.0/20'), ('two', 'fs2', '10.1.0.0/22');
		INSERT INTO acl_entry (list, domain) VALUES ('two', 'acme.example')`)
	tx, err := dbtest.Connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	e := New(tx, "fs1", nil, nil)
	whole, err := e.rules.ACL(t.Context(), "fs1")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"one", "two", "none", "unknown"} {
		for _, text := range []string{"10.1.0.1", "10.2.0.1", "::ffff:10.1.0.1", "192.0.2.7", "203.0.113.1", "2001:db8::1", "fe80::1%eth0", "198.51.100.1"} {
			address := netip.MustParseAddr(text)
			var want []db.ACLEntry
			known := false
			for _, entry := range whole.Value.Entries {
				if entry.List != list {
					continue
				}
				known = true
				if entry.Domain != "" || entry.CIDR.Contains(address.Unmap()) {
					want = append(want, entry)
				}
			}
			got, err := e.rules.ACLEntries(t.Context(), "fs1", list, address)
			if err != nil {
				t.Fatal(err)
			}
			if known != (len(got.Value) > 0) {
				t.Errorf("%s in %s: %d entries of a list that is known: %v", text, list, len(got.Value), known)
			}
			some := slices.DeleteFunc(got.Value, func(one db.ACLEntry) bool { return one.Domain == "" && !one.CIDR.IsValid() })
			if !slices.Equal(some, want) {
				t.Errorf("%s in %s: %v, want %v", text, list, some, want)
			}
		}
	}
}

// TestReachedOfEveryTable asks about a row of each table whose changes are remembered, which are those that reach FreeSWITCH.
func TestReachedOfEveryTable(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, `
		INSERT INTO node (name) VALUES ('fs1');
		INSERT INTO node_credential (username, node, password_hash) VALUES ('fs1', 'fs1', '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy');
		INSERT INTO switch_param (name, value) VALUES ('max-db-handles', '50');
		INSERT INTO switch_variable (name, value) VALUES ('a', 'b');
		INSERT INTO event_socket_param (name, value) VALUES ('nat-map', 'false');
		INSERT INTO sofia_param (name, value) VALUES ('log-level', '0');
		INSERT INTO condition (extension, position, regex) VALUES ('local.user', 2, 'any');
		INSERT INTO condition_regex (extension, condition, position, field, expression) VALUES ('local.user', 2, 1, 'destination_number', '^1$');
		INSERT INTO domain_param (domain, name, value) VALUES ('acme.example', 'a', 'b');
		INSERT INTO domain_user_param (domain, user_id, name, value) VALUES ('acme.example', '1000', 'a', 'b');
		INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'a', 'b');
		INSERT INTO sip_profile_alias (profile, name) VALUES ('internal', 'inside');
		INSERT INTO gateway_param (gateway, name, value) VALUES ('twilio', 'ping', '30');
		INSERT INTO gateway_variable (gateway, name, value) VALUES ('twilio', 'a', 'b')`)
	conn := dbtest.Connect(t, url)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	rows, err := tx.Query(t.Context(), `SELECT DISTINCT ON (relation) relation, key FROM edit_row WHERE new IS NOT NULL AND key <> '*' ORDER BY relation, id DESC`)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Row])
	if err != nil {
		t.Fatal(err)
	}
	all, err := tx.Query(t.Context(), `SELECT relname::text COLLATE "C" FROM pg_trigger g JOIN pg_class c ON c.oid = tgrelid WHERE tgname = 'record_insert' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(all, pgx.RowTo[string])
	if err != nil || !slices.Equal(tables, Tables()) {
		t.Errorf("known are %v, and there are %v, %v", Tables(), tables, err)
	}
	e := New(tx, "fs1", nil, nil)
	for _, name := range tables {
		i := slices.IndexFunc(keys, func(r Row) bool { return r.Table == name })
		if i < 0 {
			t.Errorf("no row of table %s to ask about", name)
			continue
		}
		x, err := e.Reached(t.Context(), name, keys[i].Key)
		if err != nil {
			t.Fatalf("%s %s: %v", name, keys[i].Key, err)
		}
		if !x.Found || len(x.Reaches) == 0 {
			t.Errorf("%s %s: %s", name, keys[i].Key, x.Answer)
		}
	}
}
