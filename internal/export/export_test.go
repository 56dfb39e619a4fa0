package export_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/table"
	"xmlcurld/internal/conftree"
	"xmlcurld/internal/export"
	"xmlcurld/internal/form"
	"xmlcurld/internal/hunt"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// world is a database, what a server answers from it, and the tree that was exported.
type world struct {
	conn *pgx.Conn
	mux  *xmlcurl.Mux
	tree *export.Tree
	dir  string
}

// node is who asks.
const node = "fs1"

// demo is the demo world after edits, exported.
func demo(t *testing.T, edits ...string) *world {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dbtest.DemoURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	for _, edit := range edits {
		if _, err := conn.Exec(t.Context(), edit); err != nil {
			t.Fatalf("%s: %v", edit, err)
		}
	}
	return exported(t, conn, true)
}

func exported(t *testing.T, conn *pgx.Conn, withSecrets bool) *world {
	t.Helper()
	w := &world{conn: conn, dir: filepath.Join(t.TempDir(), "conf")}
	err := pgx.BeginTxFunc(t.Context(), conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rows, err := table.ReadWhole(t.Context(), tx)
		if err != nil {
			return err
		}
		w.mux = sections.New(db.NewRulebook(rows, nil), nil)
		w.tree, err = export.Static(t.Context(), rows, nil, export.Options{Node: node, WithSecrets: withSecrets})
		return err
	})
	if err == nil {
		err = w.tree.Write(w.dir, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// answer is what the server answers; nil: not found.
func (w *world) answer(t *testing.T, f *form.Form) []byte {
	t.Helper()
	request, err := xmlcurl.ParseRequest([]byte(f.String()))
	if err != nil {
		t.Fatal(err)
	}
	document, err := xmlcurl.Render(t.Context(), w.mux, request)
	if err != nil && !errors.Is(err, xmlcurl.ErrNotFound) {
		t.Fatal(err)
	}
	return document
}

var lines = regexp.MustCompile(`(?m)^\s+`)

// inside is the text of a file between its <include> tags, a tag a line.
func (w *world) inside(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(w.dir, path))
	if err != nil {
		t.Fatal(err)
	}
	text := lines.ReplaceAllString(string(content), "")
	return strings.TrimSuffix(strings.TrimPrefix(text, "<include>\n"), "</include>\n")
}

// section is the text of an answer inside its section, without what sets global variables.
func section(document []byte) string {
	_, text, _ := strings.Cut(string(document), "<section ")
	_, text, _ = strings.Cut(text, "\n")
	text, _, _ = strings.Cut(text, "</section>\n</document>")
	return regexp.MustCompile(`(?m)^<X-PRE-PROCESS .*\n`).ReplaceAllString(text, "")
}

// The tree says of each document what the server answers.
func TestStaticDocuments(t *testing.T) {
	t.Parallel()
	w := demo(t,
		`INSERT INTO node (name, sessions_per_second) VALUES ('fs1', 29), ('other', 30)`,
		`INSERT INTO document (name, node, body) VALUES
			('ivr.conf', 'fs1', '<configuration name="ivr.conf"><menus/></configuration>'),
			('other.conf', 'other', '<configuration name="other.conf"/>')`,
		`INSERT INTO document (section, name, body) VALUES ('chatplan', 'default', '<context name="default"/>')`,
		`INSERT INTO switch_variable (name, value, expand) VALUES ('music', '$${base}/x', true), ('base', '/srv', false)`)
	for path, f := range map[string]*form.Form{
		"autoload_configs/acl.conf.xml":               form.Configuration(node, "acl.conf"),
		"autoload_configs/event_socket.conf.xml":      form.Configuration(node, "event_socket.conf"),
		"autoload_configs/post_load_modules.conf.xml": form.Configuration(node, "post_load_modules.conf"),
		"autoload_configs/post_load_switch.conf.xml":  form.Configuration(node, "post_load_switch.conf"),
		"autoload_configs/ivr.conf.xml":               form.Configuration(node, "ivr.conf"),
		"autoload_configs/db.conf.xml":                form.Configuration(node, "db.conf"),
		"lang/en.xml":                                 form.Section(node, "languages").With("lang", "en"),
		"chatplan/default.xml":                        form.Section(node, "chatplan").With("context", "default"),
	} {
		if diff := cmp.Diff(section(w.answer(t, f)), w.inside(t, path)); diff != "" {
			t.Errorf("%s: (-server +tree)\n%s", path, diff)
		}
	}
	if _, err := os.Stat(filepath.Join(w.dir, "autoload_configs/other.conf.xml")); err == nil {
		t.Error("a document of another node is in the tree")
	}
	if len(w.tree.Left)+len(w.tree.Cut) > 0 {
		t.Errorf("left out are %v %v", w.tree.Left, w.tree.Cut)
	}
	for _, p := range []string{"external", "internal"} {
		_, want, _ := strings.Cut(section(w.answer(t, form.Configuration(node, "sofia.conf").With("profile", p))), "<profiles>\n")
		want, _, _ = strings.Cut(want, "</profiles>")
		if got := w.inside(t, "autoload_configs/sofia.conf.xml"); want == "" || !strings.Contains(got, want) {
			t.Errorf("there is no profile\n%s\nin\n%s", want, got)
		}
	}
}

// FreeSWITCH reads the tree, sets the variables before anything needs them, and finds all sections.
func TestStaticTreeIsRead(t *testing.T) {
	t.Parallel()
	w := demo(t, `INSERT INTO switch_variable (name, value, expand) VALUES ('music', '$${base}/x', true), ('base', '/srv', false)`)
	tree, err := conftree.Read(w.dir, conftree.Options{Globals: map[string]string{"local_ip_v4": "192.0.2.1"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range [][3]string{
		{"configuration", "configuration", "modules.conf"}, {"configuration", "configuration", "switch.conf"},
		{"configuration", "configuration", "sofia.conf"}, {"configuration", "configuration", "msrp.conf"}, {"dialplan", "context", "public"},
		{"dialplan", "context", "global"}, {"directory", "domain", "acme.example"}, {"languages", "language", "en"},
	} {
		if section := tree.Section(want[0]); section == nil || section.Named(want[1], want[2]) == nil {
			t.Errorf("section %s has no %s %s", want[0], want[1], want[2])
		}
	}
	acl := tree.Section("configuration").Named("configuration", "acl.conf")
	if got, _ := tree.Expand(acl, "$${music} $${local_ip_v4}"); got != "/srv/x 192.0.2.1" {
		t.Errorf("the variables are %q", got)
	}
	for _, load := range tree.Section("configuration").Named("configuration", "modules.conf").Child("modules").All("load") {
		if load.Attr("module") == "mod_xml_curl" {
			t.Error("it would ask a server")
		}
	}
}

// plan is a context of the tree as a document that FreeSWITCH is answered.
func (w *world) plan(t *testing.T) *hunt.Plan {
	t.Helper()
	document := "<document type=\"freeswitch/xml\">\n<section name=\"dialplan\">\n"
	paths, err := filepath.Glob(filepath.Join(w.dir, "dialplan", "*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		document += w.inside(t, filepath.Join("dialplan", filepath.Base(path)))
	}
	p, err := hunt.Parse([]byte(document + "</section>\n</document>\n"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sameCalls compares what becomes of calls by the tree, and by the server's answers.
func (w *world) sameCalls(t *testing.T, contexts ...string) {
	t.Helper()
	rows, err := w.conn.Query(t.Context(), `SELECT number::text FROM number`)
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	numbers = append(numbers, "+27999999999", "1001", "nobody", "*97", "70", "70011")
	tree := w.plan(t)
	for _, n := range slices.Clone(numbers) {
		digits := strings.TrimPrefix(n, "+")
		numbers = append(numbers, digits, "00"+digits, "+"+digits, n+"0", "1"+n)
	}
	for _, context := range contexts {
		for _, number := range numbers {
			call := hunt.Call{Number: number, Context: context, Complete: true, Time: time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)}
			server, err := hunt.Parse(w.answer(t, form.Call(node, context, number).With("Event-Sequence", "7")))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(done(server.Hunt(call)), done(tree.Hunt(call))); diff != "" {
				t.Errorf("%s in %s: (-server +tree)\n%s", number, context, diff)
			}
		}
	}
}

// done is what is done with a call, without the marks of the not-found extension.
func done(r hunt.Result) (all []string) {
	for _, a := range r.Actions {
		if a.Inline && strings.HasPrefix(a.Data, "xmlcurld=") {
			continue
		}
		all = append(all, fmt.Sprint(a.Extension, ": ", a.Application, " ", a.Data, a.Inline))
	}
	return all
}

func TestStaticCalls(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		edits []string
	}{
		{"demo", nil},
		{"every call", []string{
			`INSERT INTO extension (name, "continue") VALUES ('record', true), ('behind', true), ('odd', true)`,
			`INSERT INTO extension (name) VALUES ('first'), ('forwarded')`,
			`INSERT INTO action (extension, position, application, data) VALUES
				('record', 1, 'set', 'RECORD_STEREO=true'), ('behind', 1, 'playback', 'a.wav'), ('odd', 1, 'playback', 'b.wav')`,
			`INSERT INTO condition (extension, position, field, expression) VALUES ('first', 1, 'destination_number', '^(7\d+)$')`,
			`INSERT INTO action (extension, condition, position, application, data) VALUES ('first', 1, 1, 'playback', '$1.wav')`,
			`INSERT INTO condition (extension, position, field, expression) VALUES ('forwarded', 1, 'caller_id_number', '^nobody$')`,
			`INSERT INTO action (extension, condition, position, application, data) VALUES ('forwarded', 1, 1, 'playback', 'never')`,
			`INSERT INTO context_extension (context, extension, position, after_number) VALUES
				('acme', 'first', 1, false), ('acme', 'record', 2, false), ('acme', 'behind', 3, true), ('public', 'record', 1, false), ('public', 'odd', 2, false)`,
			`INSERT INTO number (context, number, tenant, extension) VALUES
				('acme', '7002', 'acme', 'record'), ('acme', '7003', 'acme', 'forwarded'), ('acme', '*97', 'acme', 'behind'), ('public', '+27210000001', 'acme', 'odd')`,
		}},
		{"switched off", []string{
			`UPDATE tenant SET enabled = false WHERE name = 'vumi'`,
			`UPDATE number SET enabled = false WHERE number = '7000'`,
			`UPDATE context SET not_found_extension = 'reception' WHERE name = 'acme'`,
		}},
		{"a context switched off", []string{`UPDATE tenant SET enabled = false WHERE name = 'acme'`}},
		{"one way to write a number", []string{
			`UPDATE context SET number_forms = '{bare}' WHERE name = 'public'`,
			`INSERT INTO number (number, tenant, extension) VALUES ('123456789', 'acme', 'reception')`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			demo(t, test.edits...).sameCalls(t, "public", "acme", "ACME", "elsewhere")
		})
	}
}

// A user is in the tree with all that the server says of it.
func TestStaticUsers(t *testing.T) {
	t.Parallel()
	w := demo(t,
		`INSERT INTO domain_param (domain, name, value) VALUES ('acme.example', 'esl-password', 'a & b')`,
		`INSERT INTO gateway (name, profile, tenant, domain, user_id, username, password, proxy) VALUES
			('own', 'internal', 'acme', 'acme.example', '1001', 'u', 'p', 'sip.example')`)
	tree := w.inside(t, "directory/acme.example.xml")
	for _, user := range []string{"1000", "1001", "1002"} {
		answer := section(w.answer(t, form.Register(node, user, "acme.example")))
		head, own, _ := strings.Cut(answer, "<groups>")
		_, own, _ = strings.Cut(own, "<users>\n")
		own, _, _ = strings.Cut(own, "</user>")
		for _, want := range []string{head, own} {
			if want == "" || !strings.Contains(tree, want) {
				t.Errorf("there is no\n%s\nin\n%s", want, tree)
			}
		}
	}
	answer := section(w.answer(t, form.Domain(node, "acme.example").With("domain", "acme.example").With("purpose", "gateways").With("profile", "internal")))
	_, gateways, _ := strings.Cut(answer, "<gateways>")
	gateways, _, _ = strings.Cut(gateways, "</gateways>")
	if gateways == "" || !strings.Contains(tree, gateways) {
		t.Errorf("there is no\n%s\nin\n%s", gateways, tree)
	}
	answer = section(w.answer(t, form.Domain(node, "acme.example")))
	_, groups, _ := strings.Cut(answer, `<group name="sales">`)
	if groups == "" || !strings.Contains(tree, groups) {
		t.Errorf("there is no\n%s\nin\n%s", groups, tree)
	}
}

// Without secrets the tree names each that is missing, and holds none.
func TestStaticWithoutSecrets(t *testing.T) {
	t.Parallel()
	whole := demo(t, `UPDATE gateway SET password = 'hidden-0'`, `INSERT INTO switch_variable (name, value) VALUES ('default_password', 'hidden-1')`,
		`INSERT INTO document (name, body) VALUES ('x.conf', '<configuration name="x.conf"><a password="hidden-2" b="c"><b/></a></configuration>')`)
	w := exported(t, whole.conn, false)
	secrets := []string{"demo-1000", "demo-1001", "ClueCon", "hidden-0", "hidden-1", "hidden-2"}
	all, without := "", ""
	for path := range w.tree.Files {
		without += w.tree.Files[path]
		all += whole.tree.Files[path]
	}
	for _, secret := range secrets {
		if !strings.Contains(all, secret) {
			t.Errorf("%s is not even in the tree with secrets", secret)
		}
		if strings.Contains(without, ">"+secret+"<") || strings.Contains(without, `value="`+secret+`"`) || strings.Contains(without, "="+secret) || strings.Contains(without, `="`+secret+`"`) {
			t.Errorf("%s is in the tree", secret)
		}
	}
	if strings.Contains(without, "secret:") {
		t.Errorf("a placeholder is in the tree:\n%s", without)
	}
	var cut []string
	for _, c := range w.tree.Cut {
		cut = append(cut, c.File+" "+c.What)
	}
	for _, want := range []string{
		"autoload_configs/event_socket.conf.xml param password", "autoload_configs/sofia.conf.xml param password",
		"directory/acme.example.xml param a1-hash", "autoload_configs/x.conf.xml a",
	} {
		if !slices.Contains(cut, want) {
			t.Errorf("%s is not among what was left out:\n%s", want, strings.Join(cut, "\n"))
		}
	}
	w.sameCalls(t, "public", "acme")
}

// A folder is replaced only if a tree is in it, and never by half of one.
func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tree := demo(t).tree
	to := filepath.Join(dir, "conf")
	if err := tree.Write(to, false); err != nil {
		t.Fatal(err)
	}
	if err := tree.Write(to, false); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("written twice: %v", err)
	}
	if err := os.WriteFile(filepath.Join(to, "old"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := &export.Tree{Files: map[string]string{"a": "", "a/b": ""}}
	if err := bad.Write(to, true); err == nil {
		t.Error("half a tree was written")
	}
	if _, err := os.Stat(filepath.Join(to, "old")); err != nil {
		t.Errorf("an error left something else than the old tree: %v", err)
	}
	if err := tree.Write(to, true); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(to, "old")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old tree is still there: %v", err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("something is left beside the tree: %v", entries)
	}
	for path := range tree.Files {
		if info, err := os.Stat(filepath.Join(to, path)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", path, info, err)
		}
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%s: %v %v", to, info, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tree.Write(dir, true); err == nil || !strings.Contains(err.Error(), "was not exported") {
		t.Errorf("somebody's folder was replaced: %v", err)
	}
}

// Ten thousand numbers are a matter of seconds, with the same meaning.
func TestStaticManyNumbers(t *testing.T) {
	t.Parallel()
	w := demo(t, `INSERT INTO number (number, tenant, extension)
		SELECT '+2780' || lpad(n::text, 7, '0'), 'acme', 'reception' FROM generate_series(1, 10000) n`)
	tree := w.plan(t)
	for _, number := range []string{"+27800000001", "00278000005000", "27800010000", "+27800010001"} {
		call := hunt.Call{Number: number, Context: "public", Complete: true}
		server, err := hunt.Parse(w.answer(t, form.Call(node, "public", number)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(done(server.Hunt(call)), done(tree.Hunt(call))); diff != "" {
			t.Errorf("%s: (-server +tree)\n%s", number, diff)
		}
	}
}
