package rowfile_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/plan"
	"xmlcurld/internal/rowfile"
)

func read(t *testing.T, url, table string, key ...string) (*rowfile.Object, string, error) {
	t.Helper()
	tx, err := dbtest.Connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	o, err := rowfile.Read(t.Context(), tx, table, key)
	if err != nil {
		return nil, "", err
	}
	var file bytes.Buffer
	if err := o.Write(&file); err != nil {
		t.Fatal(err)
	}
	return o, file.String(), nil
}

// body is a file without its comments.
func body(file string) (text string) {
	for line := range strings.Lines(file) {
		if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			text += line
		}
	}
	return text
}

func TestFile(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, `INSERT INTO gateway_param (gateway, name, value) VALUES ('twilio', 'ping', '30')`)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"gateway", "twilio"}, `gateway:
  name: twilio
  profile: external
  node: '*'
  tenant: vumi
  enabled: true
  username: change-me
  password: (unchanged)
  proxy: example.pstn.twilio.com
  realm: sip.twilio.com
  register: false
  caller_id_in_from: true
  gateway_param:
    - name: ping
      value: "30"
      expand: false
`},
		{[]string{"number", "+27210000000"}, `number:
  context: public
  number: "+27210000000"
  tenant: acme
  extension: reception
  enabled: true
  display_name: Acme Reception
`},
		{[]string{"domain_user", "acme.example", "1000"}, `domain_user:
  domain: acme.example
  id: "1000"
  number_alias: "71000"
  enabled: true
  login: true
  expand: false
  password: (unchanged)
  vm_password: (unchanged)
  caller_id_name: Acme Reception
  caller_id_number: "1000"
`},
		{[]string{"extension", "local.user"}, `extension:
  name: local.user
  tenant: acme
  continue: false
  expand: false
  note: Rings the phone with that number
  condition:
    - position: 1
      field: destination_number
      expression: ^(10\d\d)$
      break: on-false
      require_nested: true
      expand: false
  action:
    - condition: 1
      position: 1
      application: bridge
      data: user/$1@acme.example
      inline: false
      anti: false
      expand: false
`},
	} {
		o, file, err := read(t, url, test.args[0], test.args[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		want := body(test.want)
		for _, line := range []string{"  action:\n", "  condition:\n"} { // in which order they stand does not matter here
			if strings.Contains(want, line) != strings.Contains(body(file), line) {
				t.Errorf("%s", file)
			}
		}
		if diff := cmp.Diff(sorted(want), sorted(body(file))); diff != "" {
			t.Errorf("%v: %s", test.args, diff)
		}
		if changes, err := o.Changes([]byte(file)); len(changes) > 0 || err != nil {
			t.Errorf("%v as it was: %v, %v", test.args, changes, err)
		}
	}
}

func sorted(text string) map[string]int {
	lines := make(map[string]int)
	for line := range strings.Lines(text) {
		lines[line]++
	}
	return lines
}

// TestEveryObject has all rows of the demo as files, which say nothing as they are.
func TestEveryObject(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	for _, key := range [][]string{
		{"tenant", "acme"}, {"tenant", "vumi"}, {"node", "*"}, {"sip_profile", "internal"}, {"acl_list", "domains"}, {"domain", "acme.example"},
		{"context", "acme"}, {"document", "ivr.conf"}, {"module", "mod_sofia"}, {"domain_group", "acme.example", "sales"}, {"extension", "reception"},
	} {
		o, file, err := read(t, url, key[0], key[1:]...)
		if err != nil {
			t.Errorf("%v: %v", key, err)
			continue
		}
		if changes, err := o.Changes([]byte(file)); len(changes) > 0 || err != nil {
			t.Errorf("%v: %v, %v\n%s", key, changes, err, file)
		}
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, table, key string
		edits            []string // old and new, in turn
		query, want      string
	}{
		{"a column", "number", "+27210000000", []string{"display_name: Acme Reception", "display_name: Acme"},
			`SELECT display_name FROM number WHERE number = '+27210000000'`, "Acme"},
		{"NULL", "number", "+27210000000", []string{"  display_name: Acme Reception\n", ""},
			`SELECT coalesce(display_name, 'NULL') FROM number WHERE number = '+27210000000'`, "NULL"},
		{"a new part", "gateway", "twilio", []string{"  caller_id_in_from: true\n", "  caller_id_in_from: true\n  gateway_param:\n    - {name: ping, value: 45}\n"},
			`SELECT value FROM gateway_param WHERE gateway = 'twilio'`, "45"},
		{"a new secret", "gateway", "twilio", []string{"password: (unchanged)", "password: new"},
			`SELECT password FROM gateway WHERE name = 'twilio'`, "new"},
		{"another secret stays", "domain_user", "acme.example 1000", []string{"password: (unchanged)\n  vm", "password: new\n  vm"},
			`SELECT password || ' ' || vm_password FROM domain_user WHERE id = '1000'`, "new 1000"},
		{"a list", "context", "public", []string{"[plus, bare, \"00\"]", "[plus]"},
			`SELECT number_forms::text FROM context WHERE name = 'public'`, "{plus}"},
		{"a range and an address", "node", "*", []string{"rtp_port: '[16384,16395)'", "rtp_port: '[20000,20009]'", "event_socket_ip: 127.0.0.1", "event_socket_ip: 127.0.0.2"},
			`SELECT concat_ws(' ', rtp_port, host(event_socket_ip)) FROM node WHERE name = '*'`, "[20000,20010) 127.0.0.2"},
		{"a new name, with what belongs to it", "gateway", "twilio", []string{"  name: twilio\n", "  name: carrier\n",
			"  caller_id_in_from: true\n", "  caller_id_in_from: true\n  gateway_param:\n    - {name: ping, value: 45}\n"},
			`SELECT gateway || value FROM gateway_param`, "carrier45"},
		{"an action", "extension", "reception", []string{"data: greeting", "data: another"},
			`SELECT string_agg(data, ',' ORDER BY position) FROM action WHERE extension = 'reception'`, ",another,main_menu"},
		{"a new condition with its action", "extension", "reception", []string{"  action:\n", `  condition:
    - {position: 1, wday: mon-fri}
  action:
    - {condition: 1, position: 1, application: answer}
`},
			`SELECT c.wday || a.application FROM condition c JOIN action a ON a.condition = c.position AND a.extension = c.extension WHERE c.extension = 'reception'`, "mon-frianswer"},
		{"an entry of a list", "acl_list", "domains", []string{"cidr: 127.0.0.1/32", "cidr: 127.0.0.2/32"},
			`SELECT count(*) || ' ' || bool_or(cidr = '127.0.0.2') FROM acl_entry WHERE list = 'domains'`, "9 true"},
		{"a tenant's number to a new extension", "tenant", "acme", []string{"  name: acme\n  enabled: true\n", "  name: acme\n  enabled: true\n",
			"extension: reception\n      enabled: true\n      display_name", "extension: desk\n      enabled: true\n      display_name",
			"  extension:\n", "  extension:\n    - {name: desk, action: [{position: 1, application: answer}]}\n"},
			`SELECT extension FROM number WHERE number = '+27210000000'`, "desk"},
		{"a user is deleted", "domain", "acme.example", []string{"    - id: \"1002\"\n", "    - id: \"1003\"\n      password: other\n", "      a1_hash: (unchanged)\n", ""},
			`SELECT string_agg(id, ',' ORDER BY id) FROM domain_user`, "1000,1001,1003"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url := dbtest.DemoURL(t)
			o, file, err := read(t, url, test.table, strings.Fields(test.key)...)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(test.edits); i += 2 {
				if !strings.Contains(file, test.edits[i]) {
					t.Fatalf("no %q in\n%s", test.edits[i], file)
				}
				file = strings.Replace(file, test.edits[i], test.edits[i+1], 1)
			}
			statements, err := o.Changes([]byte(file))
			if err != nil {
				t.Fatalf("%v\n%s", err, file)
			}
			e := plan.Edit{Statements: statements}
			p, err := plan.Make(t.Context(), url, e, plan.Options{})
			if err != nil {
				t.Fatalf("%v\n%v", err, statements)
			}
			if _, err := plan.Commit(t.Context(), url, e, p.Base, ""); err != nil {
				t.Fatal(err)
			}
			var got string
			if err := dbtest.Connect(t, url).QueryRow(t.Context(), test.query).Scan(&got); err != nil || got != test.want {
				t.Errorf("%q, %v, want %q\n%v", got, err, test.want, statements)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	for _, test := range []struct{ old, text, want string }{
		{"  profile: external\n", "", "profile of gateway cannot be left out"},
		{"\n  profile:", "\n  profle:", "a row of gateway has no profle here"},
		{"gateway:\n", "gateways:\n", "the file must hold one row, below the name gateway"},
		{"  profile: external\n", "  profile: external\n  profile: internal\n", "profile stands twice"},
		{"  profile: external\n", "  profile: external\n  gateway_param: 7\n", "gateway_param is a list of rows"},
		{"  profile: external\n", "  profile: external\n  gateway_param:\n    - {name: a, value: b}\n    - {name: a, value: c}\n", "this row of gateway_param stands twice"},
		{"  profile: external\n", "  profile: {}\n", "this is no value"},
		{"  profile: external\n", "  profile: [\n", "yaml: "},
	} {
		o, file, err := read(t, url, "gateway", "twilio")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Changes([]byte(strings.Replace(file, test.old, test.text, 1))); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
	o, file, err := read(t, url, "domain_user", "acme.example", "1002")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Changes([]byte(strings.Replace(file, "a1_hash: (un", "password: (un", 1))); err == nil || !strings.Contains(err.Error(), "password cannot stay (unchanged)") {
		t.Error(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"gateway", "nothing"}, "gateway nothing: no rows in result set"},
		{[]string{"nothing", "a"}, "there is no table nothing to edit"},
		{[]string{"edit_row", "a"}, "there is no table edit_row to edit"},
		{[]string{"domain_user", "1000"}, "a row of domain_user is known by: domain, id"},
	} {
		if _, _, err := read(t, url, test.args[0], test.args[1:]...); err == nil || err.Error() != test.want {
			t.Errorf("%v: %v", test.args, err)
		}
	}
	dbtest.Execute(t, url, `INSERT INTO domain_user (domain, id, password) SELECT 'acme.example', n::text, 'p' FROM generate_series(2000, 7000) n`)
	if _, _, err := read(t, url, "tenant", "acme"); !errors.Is(err, rowfile.ErrTooMany) {
		t.Error(err)
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	o, _, err := read(t, url, "gateway", "twilio")
	if err != nil {
		t.Fatal(err)
	}
	same := func() error {
		return pgx.BeginFunc(t.Context(), dbtest.Connect(t, url), func(tx pgx.Tx) error { return o.Same(t.Context(), tx) })
	}
	if err := same(); err != nil {
		t.Error(err)
	}
	for _, sql := range []string{`INSERT INTO gateway_param (gateway, name, value) VALUES ('twilio', 'ping', '30')`, `DELETE FROM gateway`} {
		dbtest.Execute(t, url, sql)
		if err := same(); !errors.Is(err, rowfile.ErrChanged) {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
