package db_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
)

// rows is what both a Store and its Copy answer.
type rows interface {
	Route(ctx context.Context, call db.Call) (db.Route, error)
	User(ctx context.Context, node, domain, name string) ([]db.Domain, bool, error)
	Domain(ctx context.Context, node, domain string) ([]db.Domain, bool, error)
	Users(ctx context.Context, node, domain string) ([]db.Domain, bool, error)
	Networks(ctx context.Context, node, domain string) ([]db.Domain, bool, error)
	Group(ctx context.Context, node, domain, name string) ([]db.Domain, bool, error)
	UserGateways(ctx context.Context, node, domain, profile string) ([]db.Domain, bool, error)
	ACL(ctx context.Context, node string) ([]db.ACLEntry, error)
	Credentials(ctx context.Context) ([]db.Credential, error)
	Document(ctx context.Context, node, section, name string) (db.Document, error)
	EventSocket(ctx context.Context, node string) ([]db.NodeSetting, error)
	Modules(ctx context.Context, node string) ([]db.Module, error)
	Sofia(ctx context.Context, node, profile, gateway string) (db.Sofia, error)
	Switch(ctx context.Context, node string) ([]db.NodeSetting, error)
}

// told are the answers to many questions, by the question.
type told map[string]any

func (t told) add(what string, answer any, err error) {
	if err != nil {
		answer = err.Error()
	}
	t[what] = answer
}

func (t told) addDomains(what string, domains []db.Domain, known bool, err error) {
	t.add(what, []any{domains, known}, err)
}

// calls asks for numbers in all the forms in which they may be dialled, and in all contexts.
func (t told) calls(ctx context.Context, r rows) {
	for _, context := range []string{"public", "PUBLIC", "acme", "vumi", "nowhere", ""} {
		for _, digits := range []string{"27123456789", "27210000000", "27990000000", "27000000000", "1000", "1001", "9", "*97", "x\x1fy"} {
			for _, form := range []string{"", "+", "00"} {
				call := db.Call{Node: "fs1", Context: context, Number: form + digits}
				route, err := r.Route(ctx, call)
				t.add(fmt.Sprintf("%q", call), route, err)
			}
		}
	}
}

func (t told) users(ctx context.Context, r rows) {
	for _, domain := range []string{"acme.example", "ACME.example", "beta.example", "nowhere.example", ""} {
		for _, name := range []string{"1000", "1001", "1003", "2000", "2001", "nobody", "NEW", ""} {
			d, known, err := r.User(ctx, "fs1", domain, name)
			t.addDomains("user "+name+"@"+domain, d, known, err)
		}
	}
}

func (t told) documents(ctx context.Context, r rows) {
	credentials, err := r.Credentials(ctx)
	t.add("credentials", credentials, err)
	for _, node := range []string{"fs1", "unknown"} {
		acl, err := r.ACL(ctx, node)
		t.add(node+" acl", acl, err)
		modules, err := r.Modules(ctx, node)
		t.add(node+" modules", modules, err)
		settings, err := r.Switch(ctx, node)
		t.add(node+" switch", settings, err)
		settings, err = r.EventSocket(ctx, node)
		t.add(node+" event socket", settings, err)
		document, err := r.Document(ctx, node, "configuration", "ivr.conf")
		t.add(node+" ivr.conf", document, err)
		for _, profile := range []string{"", "external", "internal", "new"} {
			sofia, err := r.Sofia(ctx, node, profile, "")
			t.add(node+" sofia "+profile, sofia, err)
		}
		for _, domain := range []string{"acme.example", "nowhere.example"} {
			d, known, err := r.Domain(ctx, node, domain)
			t.addDomains(node+" domain "+domain, d, known, err)
			d, known, err = r.Users(ctx, node, domain)
			t.addDomains(node+" users "+domain, d, known, err)
			d, known, err = r.Networks(ctx, node, domain)
			t.addDomains(node+" networks "+domain, d, known, err)
			d, known, err = r.Group(ctx, node, domain, "sales")
			t.addDomains(node+" group "+domain, d, known, err)
			d, known, err = r.UserGateways(ctx, node, domain, "internal")
			t.addDomains(node+" gateways "+domain, d, known, err)
		}
	}
}

func ask(ctx context.Context, r rows) told {
	t := told{}
	t.calls(ctx, r)
	t.users(ctx, r)
	t.documents(ctx, r)
	return t
}

func openCopy(t *testing.T, store *db.Store, dir string) *db.Copy {
	t.Helper()
	c, err := store.OpenCopy(dir, 0, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	c.Hurry()
	return c
}

func follow(t *testing.T, c *db.Copy) {
	t.Helper()
	if err := c.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// same wants got to say what want says.
func same(t *testing.T, when string, want, got told) {
	t.Helper()
	comparable := cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateComparable(db.ACLEntry{}.CIDR)}
	if diff := cmp.Diff(want, got, comparable); diff != "" {
		t.Errorf("%s: the copy (+) is not as the database (-):\n%s", when, diff)
	}
}

const secondNode = `INSERT INTO node (name) VALUES ('fs1')`

// Whatever is edited, after a look the copy answers every question as the database does, also those about numbers and
// users that nobody asked before.
func TestCopyFollows(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store, dir := openStore(t, url), t.TempDir()
	c := openCopy(t, store, dir)
	defer func() { _ = c.Close() }()
	early := told{}
	if early.calls(t.Context(), c); early[`{"fs1" "public" "+27123456789"}`] != "database unavailable: the copy does not hold this" {
		t.Errorf("an empty copy says %v", early[`{"fs1" "public" "+27123456789"}`])
	}
	told{}.documents(t.Context(), store)
	follow(t, c)
	same(t, "at first", ask(t.Context(), store), ask(t.Context(), c))
	for _, edit := range copyEdits {
		execute(t, url, edit)
		follow(t, c)
		follow(t, c) // where so much changed that all has to be read
		same(t, edit, ask(t.Context(), store), ask(t.Context(), c))
	}
	want := ask(t.Context(), store)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = openCopy(t, openStore(t, "postgres://127.0.0.1:1/x?sslmode=disable"), dir)
	same(t, "opened again, with no database", want, ask(t.Context(), c))
	if age, usable := c.Age(); !usable || age <= 0 || age > time.Minute {
		t.Errorf("age %v, %v", age, usable)
	}
}

var copyEdits = []string{
	secondNode,
	`INSERT INTO node_credential (node, username, password_hash) VALUES ('fs1', 'fs1', '$2a$10$' || repeat('a', 53))`,
	`UPDATE number SET enabled = false WHERE number = '+27123456789'`,
	`UPDATE number SET enabled = true, display_name = 'Front desk' WHERE number = '+27123456789'`,
	`INSERT INTO number (context, number, tenant, extension) SELECT context, '+27990000000', tenant, extension FROM number WHERE number = '+27123456789'`,
	`UPDATE number SET number = '+27000000000' WHERE number = '+27990000000'`,
	`UPDATE number SET tenant = 'acme', extension = 'reception', display_name = 'Acme' WHERE number = '+27000000000'`,
	`UPDATE tenant SET enabled = false WHERE name = 'acme'`,
	`UPDATE tenant SET enabled = true WHERE name = 'acme'`,
	`UPDATE context SET number_forms = '{bare}' WHERE name = 'public'`,
	`UPDATE context SET number_forms = '{plus,bare,00}' WHERE name = 'public'`,
	`UPDATE context_extension SET enabled = false`,
	`UPDATE context_extension SET enabled = true`,
	`INSERT INTO extension (name) VALUES ('busy'); INSERT INTO action (extension, position, application, data) VALUES ('busy', 1, 'hangup', 'USER_BUSY');
	 UPDATE context SET not_found_extension = 'busy' WHERE name = 'public'`,
	`UPDATE action SET data = 'CALL_REJECTED' WHERE extension = 'busy'`,
	`UPDATE extension SET tenant = 'acme' WHERE name = 'reception'`,
	`DELETE FROM number WHERE number = '+27000000000'`,
	`UPDATE domain_user SET password = 'new-password' WHERE id = '1000'`,
	`UPDATE domain_user SET number_alias = CASE id WHEN '1000' THEN '2001' WHEN '1001' THEN '2000' END WHERE id IN ('1000', '1001')`,
	`UPDATE domain_user SET enabled = false WHERE id = '1001'`,
	`UPDATE domain_user SET id = 'new' WHERE id = '1000'`,
	`INSERT INTO domain_user (domain, id, password) VALUES ('acme.example', '1003', 'another-password')`,
	`INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1003', 'toll_allow', 'local')`,
	`UPDATE domain_variable SET value = 'changed'`,
	`INSERT INTO domain (name, tenant) VALUES ('beta.example', 'acme'); INSERT INTO domain_user (domain, id, password) VALUES ('beta.example', '1000', 'yet-another-password')`,
	`UPDATE domain SET enabled = false WHERE name = 'beta.example'`,
	`UPDATE domain SET name = 'gamma.example', enabled = true WHERE name = 'beta.example'`,
	`DELETE FROM domain WHERE name = 'gamma.example'`,
	`INSERT INTO acl_entry (list, cidr) SELECT name, '198.51.100.0/24' FROM acl_list`,
	`UPDATE gateway SET password = 'new-password'`,
	`INSERT INTO sip_profile (name) VALUES ('new')`,
	`INSERT INTO sip_profile_param (profile, node, name, value) VALUES ('new', 'fs1', 'sip-port', '5099')`,
	`UPDATE node SET max_sessions = 17, event_socket_port = 8099 WHERE name = 'fs1'`,
	`INSERT INTO module (name, position) VALUES ('mod_spy', 900)`,
	`INSERT INTO document (section, name, body) VALUES ('configuration', 'ivr.conf', '<configuration name="ivr.conf"><menus/></configuration>')
	 ON CONFLICT (node, section, name) DO UPDATE SET body = excluded.body`,
	`DELETE FROM domain_group_user`,
	`DELETE FROM node WHERE name = 'fs1'`,
	`INSERT INTO number (context, number, tenant, extension) SELECT 'public', '+2799' || to_char(n, 'FM0000000'), 'vumi', 'twilio.inbound' FROM generate_series(0, 25000) n`,
	`DELETE FROM number WHERE number LIKE '+2799%'`,
	`TRUNCATE number`,
}

// What is known to have changed and could not be read is not answered; everything else is.
func TestCopyDoubts(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store := openStore(t, url)
	c := openCopy(t, store, t.TempDir())
	defer func() { _ = c.Close() }()
	follow(t, c)
	conn := connect(t, url)
	for _, sql := range []string{
		`UPDATE number SET enabled = false WHERE number = '+27123456789'`,
		`UPDATE domain_user SET password = 'new-password' WHERE id = '1000'`,
		`BEGIN`,
		`LOCK number IN ACCESS EXCLUSIVE MODE`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := c.Follow(ctx); !errors.Is(err, db.ErrUnavailable) {
		t.Fatalf("a look while the table is locked: %v", err)
	}
	if r, err := c.Route(t.Context(), db.Call{Context: "public", Number: "+27123456789"}); err != nil || r.Called == nil {
		t.Errorf("what was switched off at the moment at which the database went away: %v, %v", r.Called, err)
	}
	if _, err := store.Modules(t.Context(), "fs1"); err != nil { // it did not
		t.Fatal(err)
	}
	if r, err := c.Route(t.Context(), db.Call{Context: "public", Number: "+27123456789"}); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("what was switched off: %v, %v", r.Called, err)
	}
	if d, _, err := c.User(t.Context(), "fs1", "acme.example", "1000"); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("whose password changed: %v, %v", d, err)
	}
	if r, err := c.Route(t.Context(), db.Call{Context: "public", Number: "+27210000000"}); err != nil || r.Called == nil {
		t.Errorf("what did not change: %v, %v", r.Called, err)
	}
	if _, err := conn.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	follow(t, c)
	same(t, "read", ask(t.Context(), store), askTwice(t, store, c))
}

// askTwice has the copy learn the questions first.
func askTwice(t *testing.T, store *db.Store, c *db.Copy) told {
	t.Helper()
	told{}.documents(t.Context(), store)
	follow(t, c)
	return ask(t.Context(), c)
}

// A disk that cannot be written takes nothing from what the copy answers.
func TestCopyOnAReadOnlyDisk(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store := openStore(t, url)
	c := openCopy(t, store, t.TempDir())
	defer func() { _ = c.Close() }()
	told{}.documents(t.Context(), store)
	follow(t, c)
	if err := c.RefuseWrites(); err != nil {
		t.Fatal(err)
	}
	for _, edit := range copyEdits[:20] {
		execute(t, url, edit)
		if err := c.Follow(t.Context()); err == nil {
			t.Errorf("%s: nobody is told that the disk cannot be written", edit)
		}
		same(t, edit, ask(t.Context(), store), ask(t.Context(), c))
	}
}

// A copy is for its server alone, and nobody else may read it; one that is broken is made anew.
func TestCopyFile(t *testing.T) {
	t.Parallel()
	store, dir := openStore(t, dbtest.DemoURL(t)), filepath.Join(t.TempDir(), "copy")
	c := openCopy(t, store, dir)
	if at := store.Answered(); at != 0 {
		t.Errorf("a new copy knows that the database answered at %v", time.Unix(0, at))
	}
	follow(t, c)
	if _, err := store.OpenCopy(dir, 0, slog.New(slog.DiscardHandler), prometheus.NewRegistry()); err == nil {
		t.Error("two have it open")
	}
	for _, name := range []string{dir, filepath.Join(dir, "copy.db")} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "copy.db"), []byte("not a copy"), 0o600); err != nil {
		t.Fatal(err)
	}
	c = openCopy(t, store, dir)
	if age, usable := c.Age(); usable {
		t.Errorf("a broken copy is %v old", age)
	}
	follow(t, c)
	if _, usable := c.Age(); !usable {
		t.Error("it was not made anew")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// The operator may say how old an answer may be.
func TestCopyAgeLimit(t *testing.T) {
	t.Parallel()
	store, dir := openStore(t, dbtest.DemoURL(t)), t.TempDir()
	c, err := store.OpenCopy(dir, time.Nanosecond, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	follow(t, c)
	if r, err := c.Route(t.Context(), db.Call{Context: "public", Number: "+27123456789"}); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("%v, %v", r, err)
	}
}
