package plan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/fakeswitch"
	"xmlcurld/internal/plan"
)

func edit(t *testing.T, text string) plan.Edit {
	t.Helper()
	e, err := plan.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func planned(t *testing.T, url, text string) (*plan.Plan, string) {
	t.Helper()
	p, err := plan.Make(t.Context(), url, edit(t, text), plan.Options{Examples: 2, Check: true})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := p.Show(&out); err != nil {
		t.Fatal(err)
	}
	return p, out.String()
}

const move = "-- to acme\nUPDATE number SET extension = 'reception', tenant = 'acme' WHERE number = '+27123456789';\n"

func TestJSON(t *testing.T) {
	t.Parallel()
	p, _ := planned(t, dbtest.DemoURL(t), move)
	got, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal(want, &w)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("%s\n%s", diff, got)
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, `INSERT INTO node (name, local_ip) SELECT 'fs' || n, '192.0.2.1' FROM generate_series(1, 5) n;
		INSERT INTO acl_entry (list, node, cidr) VALUES ('domains', 'fs5', '198.51.100.0/24')`)
	for _, test := range []struct {
		name, sql string
		want, not []string
	}{
		{"a number", move, []string{
			"1 statement, 1 row: nothing is changed yet.", "  number: 1 updated (acme 1)",
			"tenant 'vumi' -> 'acme'", "  number +27123456789 in context public, for every node", "\n    +<extension name=\"reception\"",
			"  Changed: 1 number"}, []string{"acl.conf", "secret:", "domain"}},
		{"a list, for nodes that differ", `INSERT INTO acl_entry (list, cidr) VALUES ('domains', '203.0.113.0/24')`, []string{
			"acl.conf, for nodes without rows of their own, fs1 and 3 more", "acl.conf, for fs5"}, []string{"sofia.conf", "xmlcurld."}},
		{"a secret", `UPDATE domain_user SET password = 'never shown' WHERE id = '1000'`, []string{
			"password 'secret:", "user 1000@acme.example"}, []string{"never shown", "demo-1000", "password_xid"}},
		{"a gateway's param", `INSERT INTO gateway_param (gateway, name, value) VALUES ('twilio', 'ping', '30')`, []string{
			"gateway twilio of profile external, for nodes without rows of their own, fs1 and 4 more", `+<param name="ping" value="30"/>`, "1 row:"},
			[]string{"revision"}},
		{"an action", `UPDATE action SET data = 'other' WHERE data = 'greeting'`, []string{
			"    ~ extension 'reception', position 2: data 'greeting' -> 'other'", "number 7001 in context acme", "number +27210000000 in context public", "Reached by extension: 2 numbers", "1 row:"}, []string{"compiled"}},
		{"networks of users", `UPDATE domain_user SET cidr = '{192.0.2.128/29}' WHERE id = '1002'`, []string{
			"acl.conf, for nodes without", `-<list name="xmlcurld.`, "domain_user: 1 updated"}, nil},
		{"many rows", `INSERT INTO number (number, tenant, extension) SELECT '+2730000' || n, 'acme', 'reception' FROM generate_series(1000, 3999) n`, []string{
			"3,000 rows", "  number: 3,000 inserted (acme 3,000)", "… and 2,998 more", "Changed: 3,000 numbers"}, []string{"+27300001002"}},
		{"a document", `UPDATE document SET body = replace(body::text, 'main_menu', 'menu')::xml WHERE name = 'ivr.conf'`, []string{
			"configuration ivr.conf, for nodes"}, nil},
		{"no row", `DELETE FROM number WHERE number = '+27123450000'`, []string{"Line 1: DELETE 0: it found no row."}, nil},
		{"nothing", `UPDATE number SET enabled = true`, []string{"1 statement, 0 rows"}, []string{"Documents", "Rows"}},
		{"a tenant", `UPDATE tenant SET enabled = false WHERE name = 'vumi'`, []string{
			"Reached by tenant: 1 number", "Reached by tenant: 1 gateway", "-<gateway name=\"twilio\">"}, nil},
		{"a finding", `DELETE FROM module WHERE name = 'mod_flite'`, []string{"Findings that begin\n  warning module-missing"}, []string{"that end"}},
		{"a domain", `UPDATE domain SET dial_string = 'user/x'`, []string{"domain acme.example, for every node", "Reached by domain: 3 users"}, nil},
		{"a group", `DELETE FROM domain_group_user WHERE user_id = '1000'`, []string{"group sales@acme.example"}, nil},
		{"a context", `DELETE FROM context_extension WHERE context = 'acme'`, []string{
			"a number that nobody has in context acme"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, out := planned(t, url, test.sql)
			for _, want := range test.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q", want)
				}
			}
			for _, not := range test.not {
				if strings.Contains(out, not) {
					t.Errorf("%q", not)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// TestNothingIsDone fails half way, and then not at all: the rows stay.
func TestNothingIsDone(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	conn := dbtest.Connect(t, url)
	var edits int
	count := func() {
		t.Helper()
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM edit`).Scan(&edits); err != nil {
			t.Fatal(err)
		}
	}
	count()
	before := edits
	for text, want := range map[string]string{
		move + "\nINSERT INTO number (number,\n tenant, extension)\nVALUES ('+27110000001', 'nobody', 'reception')": "line 4: ERROR:  There is no tenant nobody\nHINT:  Insert it into table tenant first, or write one that is there.\nNothing is changed.",
		move + "SELECT\n 1 +\n nothing":     "line 5: ERROR:  column \"nothing\" does not exist\nNothing is changed.",
		move + "VACUUM":                     "line 3: ERROR:  VACUUM cannot run inside a transaction block\nNothing is changed.",
		move + "DO $$ BEGIN COMMIT; END $$": "line 3: ERROR:  invalid transaction termination\nNothing is changed.",
		"SELECT 1;\nTRUNCATE number": "line 2: this locks table number against everybody who reads it, for as long as the plan takes. " +
			"Write DELETE instead of TRUNCATE, and make a change of the schema with psql.\nNothing is changed",
		"SELECT 1; SELECT 2; \n\n SELCT 3": "line 3: ERROR:  syntax error at or near \"SELCT\"\nNothing is changed.",
	} {
		if _, err := plan.Make(t.Context(), url, edit(t, text), plan.Options{}); err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
	planned(t, url, move)
	if count(); edits != before {
		t.Errorf("%d edits, and %d before", edits, before)
	}
}

// TestCommit makes an edit, unless it would come to something else than planned.
func TestCommit(t *testing.T) {
	t.Parallel()
	const everything = move + `
		INSERT INTO gateway (name, profile, proxy, password) VALUES ('second', 'external', 'a.example', 'a');
		INSERT INTO acl_entry (list, cidr) VALUES ('domains', '203.0.113.0/24');
		UPDATE domain_user SET password = 'new' WHERE password IS NOT NULL;
		UPDATE action SET data = 'other' WHERE data = 'greeting';`
	for _, test := range []struct{ name, meanwhile, want string }{
		{"nothing happens", "", ""},
		{"another row changes", `UPDATE number SET display_name = 'x' WHERE number = '7001'`, ""},
		{"identities are used up", `INSERT INTO acl_entry (list, cidr) SELECT 'phones', cidr FROM acl_entry WHERE cidr IS NOT NULL`, ""},
		{"a row is another one", `UPDATE number SET display_name = 'x' WHERE number = '+27123456789'`,
			"number +27123456789 public is another row now, or would become another one"},
		{"there is one more", `INSERT INTO domain_user (domain, id, password) VALUES ('acme.example', '1003', 'p')`,
			"domain_user acme.example 1003 would be changed, too"},
		{"one is gone", `DELETE FROM domain_user WHERE id = '1001'`, "domain_user acme.example 1001 would not be changed any more"},
		{"a secret is another one", `UPDATE domain_user SET vm_password = '1111' WHERE id = '1000'`, "domain_user acme.example 1000 is another"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url := dbtest.DemoURL(t)
			e := edit(t, everything)
			e.Reason = "a move"
			p, err := plan.Make(t.Context(), url, e, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(t.TempDir(), "a.plan")
			if err := plan.Save(name, e, p.Base); err != nil {
				t.Fatal(err)
			}
			saved, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			e, base, err := plan.Load(bytes.NewReader(saved))
			if err != nil {
				t.Fatal(err)
			}
			dbtest.Execute(t, url, test.meanwhile)
			done, err := plan.Commit(t.Context(), url, e, base, "xmlcurld apply")
			conn := dbtest.Connect(t, url)
			var tenant, reason string
			made := conn.QueryRow(t.Context(), `
				SELECT n.tenant, e.reason FROM number n, edit e WHERE n.number = '+27123456789' AND e.application = 'xmlcurld apply'`).Scan(&tenant, &reason)
			if test.want == "" {
				if err != nil || len(done) != 5 || made != nil || tenant != "acme" || reason != "a move" {
					t.Errorf("%v, %v: %v, %s, %s", done, err, made, tenant, reason)
				}
				return
			}
			if !errors.Is(err, plan.ErrChanged) || !strings.Contains(err.Error(), test.want) ||
				!strings.Contains(err.Error(), " by xmlcurld with ") || !errors.Is(made, pgx.ErrNoRows) {
				t.Errorf("%v, %v", err, made)
			}
		})
	}
}

func TestOtherDatabase(t *testing.T) {
	t.Parallel()
	p, _ := planned(t, dbtest.DemoURL(t), move)
	_, err := plan.Commit(t.Context(), dbtest.DemoURL(t), edit(t, move), p.Base, "")
	if err == nil || !regexp.MustCompile(`^the plan is for another database: `).MatchString(err.Error()) {
		t.Error(err)
	}
}

func TestSavedPlans(t *testing.T) {
	t.Parallel()
	p, _ := planned(t, dbtest.DemoURL(t), move)
	name := filepath.Join(t.TempDir(), "a.plan")
	if err := plan.Save(name, edit(t, move), p.Base); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if err := plan.Save(name, edit(t, move), p.Base); !errors.Is(err, os.ErrExist) {
		t.Errorf("onto another: %v", err)
	}
	for text, want := range map[string]string{
		"UPDATE number":  "this is no saved plan",
		`{"version": 7}`: "this plan was saved by another version: form 7, and not 1",
		`{"a": 1}`:       "this is no saved plan",
	} {
		if _, _, err := plan.Load(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestSwitches asks a switch what it would get, and tells it nothing.
func TestSwitches(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	s, err := fakeswitch.NewSwitch("fs1", "http://127.0.0.1:1/xml")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Off)
	s.Boot()
	dbtest.Execute(t, url, fmt.Sprintf(`INSERT INTO node (name, event_socket_port) VALUES ('fs1', %d), ('fs2', NULL)`, s.Port()))
	before := len(s.Told())
	p, err := plan.Make(t.Context(), url, edit(t, `UPDATE node SET max_sessions = 5, rtp_port = '[20000,20009]' WHERE name = '*'`),
		plan.Options{SwitchTime: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := p.Show(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nSwitches\n  fs1\n    fsctl max_sessions 5\n", "  fs2\n    unknown: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q", want)
		}
	}
	for _, told := range s.Told()[before:] {
		if strings.Contains(told, "max_sessions 5") {
			t.Errorf("the switch was told %s", told)
		}
	}
	if t.Failed() {
		t.Log(out.String(), s.Told())
	}
}
