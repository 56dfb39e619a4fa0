package compare

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/conftree"
	"xmlcurld/internal/mask"
)

// outside are the variables that only the switch knows.
var outside = map[string]string{"local_ip_v4": "192.0.2.4"}

// noon is a Tuesday.
var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func options(t testing.TB) Options {
	t.Helper()
	masker, err := mask.New(strings.NewReader(strings.Repeat("1", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return Options{Node: "fs1", Variables: outside, Time: noon, Masker: masker}
}

func readTree(t testing.TB, dir string) *conftree.Tree {
	t.Helper()
	tree, err := conftree.Read(dir, conftree.Options{Globals: outside})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// filledURL is a database with the rows of the tree.
func filledURL(t testing.TB) string {
	t.Helper()
	rows, err := os.ReadFile("testdata/rows.sql")
	if err != nil {
		t.Fatal(err)
	}
	url := dbtest.URL(t)
	dbtest.Execute(t, url, string(rows))
	return url
}

// begin begins a transaction that sees one moment.
func begin(t testing.TB, url string) pgx.Tx {
	t.Helper()
	tx, err := dbtest.Connect(t, url).BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(t.Context()) })
	return tx
}

func run(t testing.TB, tree *conftree.Tree, tx pgx.Tx, o Options) *Result {
	t.Helper()
	result, err := Run(t.Context(), tree, tx, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestEqual(t *testing.T) {
	t.Parallel()
	result := run(t, readTree(t, "testdata/tree"), begin(t, filledURL(t)), options(t))
	for _, d := range result.Differences {
		if d.Kind != Explained || d.Reason == "" || d.Meaning == "" {
			t.Errorf("%+v", d)
		}
	}
	got := map[string]int{}
	for _, c := range result.Compared {
		got[c.Document+": "+c.What] = c.Count
	}
	want := map[string]int{
		"post_load_switch.conf: global variables": 2, "post_load_modules.conf: modules": 7, "post_load_switch.conf: settings": 2,
		"acl.conf: lists": 2, "acl.conf: addresses looked up": 57, "acl.conf: domains named": 1, "event_socket.conf: settings": 3,
		"sofia.conf: global settings": 1, "sofia.conf: profiles": 1, "sofia.conf: settings of profiles": 3, "sofia.conf: aliases": 1,
		"sofia.conf: domains of profiles": 1, "sofia.conf: gateways": 1, "sofia.conf: settings of gateways": 8, "conference.conf: elements": 6,
		"directory acme.example: users": 2, "directory acme.example: params of users": 7, "directory acme.example: variables of users": 3,
		"directory acme.example: domain": 4, "directory acme.example: groups": 2, "directory acme.example: dial strings of groups": 4,
		"directory acme.example: networks of users": 1, "directory acme.example: gateways of users": 1, "directory acme.example: settings of gateways": 6,
		"context public: extensions": 5, "context public: calls": got["context public: calls"], "languages en: elements": 7, "chatplan public: elements": 4,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if calls := got["context public: calls"]; calls < 30 {
		t.Errorf("%d calls were made", calls)
	}
}

// What is said of each kind of difference, and that no secret is shown.
func TestDifferences(t *testing.T) {
	t.Parallel()
	url := filledURL(t)
	dbtest.Execute(t, url, `
		UPDATE gateway SET password = 'another s3cr3t' WHERE name = 'carrier';
		UPDATE domain_user SET password = 'another s3cr3t' WHERE id = '1001';
		UPDATE action SET data = 'user/1009@$${domain}' WHERE application = 'bridge' AND extension = 'reception';
		UPDATE acl_entry SET action = 'deny' WHERE cidr = '192.0.2.0/24';
		DELETE FROM switch_variable WHERE name = 'carrier';
		INSERT INTO module (name) VALUES ('mod_lua');
		INSERT INTO number (number, tenant, extension) VALUES ('5000', 'acme', 'reception');
		INSERT INTO document (name, body) VALUES ('ivr.conf', '<configuration name="ivr.conf"/>');
		INSERT INTO context (name) VALUES ('other')`)
	result := run(t, readTree(t, "testdata/tree"), begin(t, url), options(t))
	var got []string
	for _, d := range result.Differences {
		if strings.Contains(d.Tree+d.Server+d.Meaning, "s3cr3t") || strings.Contains(d.Tree+d.Server, "hunter2") {
			t.Errorf("a secret is shown: %+v", d)
		}
		if d.Kind == Different {
			got = append(got, strings.Join([]string{d.Document, d.What, d.Place, d.Row, d.Tree, d.Server}, " | "))
		}
	}
	want := []string{
		"post_load_switch.conf | variable carrier | freeswitch.xml:4 | switch_variable carrier | carrier.example | ",
		`post_load_modules.conf | mod_lua |  | module mod_lua |  | <load module="mod_lua"/>`,
		"acl.conf | list carriers, address 192.0.2.0 | configuration/acl.xml:4 | acl_entry carriers 192.0.2.0/24 | allow, for 192.0.2.0/24 | deny, for 192.0.2.0/24",
		"sofia.conf | profile external, gateway carrier, param password | configuration/sofia.xml:10 | gateway carrier | secret:07fbe791 | secret:04d8281b",
		"ivr.conf | ivr.conf |  | document configuration ivr.conf |  | ivr.conf",
		"directory acme.example | user 1001, param password | directory.xml:23 | domain_user acme.example 1001 | secret:a9659c25 | secret:d69ded7b",
		"context public | call to 1000 | dialplan.xml:7 | extension reception | bridge(user/1000@acme.example) | bridge(user/1009@acme.example)",
		"context public | call to 5000 | dialplan.xml:13 | extension reception | set(open=true) inline | answer(), bridge(user/1009@acme.example)",
		"context other | context other |  | context other |  | other",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An extension of which nothing runs is told of, also where another one of its name acts.
func TestUnreached(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tree := `<document><section name="dialplan"><context name="public">
		<extension name="a"><condition field="destination_number" expression="^1"><action application="answer"/></condition></extension>
		<extension name="a"><condition field="destination_number" expression="^12$"><action application="hangup"/></condition></extension>
		<extension name="b"><condition field="destination_number" expression="^2(?&lt;=3)$"><action application="hangup"/></condition></extension>
		<extension name="c"><condition field="off" expression="^true$"><action application="hangup"/></condition></extension>
		</context></section></document>`
	if err := os.WriteFile(dir+"/freeswitch.xml", []byte(tree), 0o600); err != nil {
		t.Fatal(err)
	}
	url := dbtest.URL(t)
	dbtest.Execute(t, url, `INSERT INTO context (name) VALUES ('public'); INSERT INTO extension (name) VALUES ('a');
		INSERT INTO condition (extension, position, field, expression) VALUES ('a', 1, 'destination_number', '^1');
		INSERT INTO action (extension, condition, position, application) VALUES ('a', 1, 1, 'answer');
		INSERT INTO context_extension (context, extension) VALUES ('public', 'a')`)
	got := map[string]string{}
	for _, d := range run(t, readTree(t, dir), begin(t, url), options(t)).Differences {
		if strings.HasPrefix(d.What, "extension") {
			got[d.Place] = d.Kind
		}
	}
	want := map[string]string{"freeswitch.xml:3": Explained, "freeswitch.xml:4": Different, "freeswitch.xml:5": Explained}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
