package plan_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/plan"
)

// editor is the URL of a new role that may write users, numbers and gateways, to be dropped. With planning it may read what a plan
// needs.
func editor(t *testing.T, database string, planning bool) (address, role string, drop func()) {
	t.Helper()
	role = "editor_" + strings.ReplaceAll(dbtest.One[string](t, database, `SELECT gen_random_uuid()::text`), "-", "")
	dbtest.Execute(t, database, fmt.Sprintf(`CREATE ROLE %[1]s LOGIN; GRANT INSERT, UPDATE, DELETE ON domain_user, number, gateway, action, node TO %[1]s;
		GRANT SELECT (domain, id, enabled) ON domain_user TO %[1]s`, role))
	if planning {
		dbtest.Execute(t, database, fmt.Sprintf(`SELECT grant_planning('%s')`, role))
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	return u.String(), role, func() { dbtest.Execute(t, database, fmt.Sprintf(`DROP OWNED BY %[1]s; DROP ROLE %[1]s`, role)) }
}

// TestWithoutSecrets plans for who may not read secrets: rows with marks, documents without them, and a word on what is missing.
func TestWithoutSecrets(t *testing.T) {
	t.Parallel()
	database := dbtest.DemoURL(t)
	dbtest.Execute(t, database, `INSERT INTO node (name, local_ip) VALUES ('fs1', '192.0.2.1')`)
	address, role, drop := editor(t, database, true)
	defer drop()
	for _, forbidden := range []string{"SELECT password FROM domain_user", "SELECT password FROM gateway", "SELECT event_socket_password FROM node", "SELECT revision_key FROM node",
		"SELECT FROM edit_row", "SELECT FROM mask_key", "SELECT password_hash FROM node_credential", "SELECT event_socket_password FROM node_state"} {
		if _, err := dbtest.Connect(t, address).Exec(t.Context(), forbidden); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: %v", forbidden, err)
		}
	}
	for _, test := range []struct {
		name, sql string
		want      []string
	}{
		{"a number", `UPDATE number SET extension = 'reception', tenant = 'acme' WHERE number = '+27123456789'`, []string{
			"extension 'twilio.inbound' -> 'reception'", "+<extension name=\"reception\""}},
		{"a password", `UPDATE domain_user SET password = 'hunter2' WHERE id = '1000'`, []string{"1000: password 'secret:"}},
		{"a user", `UPDATE domain_user SET caller_id_name = 'Otto' WHERE id = '1000'`, []string{
			"caller_id_name 'Acme Reception' -> 'Otto'", "user 1000@acme.example", `+<variable name="effective_caller_id_name" value="Otto"/>`}},
		{"a new user", `INSERT INTO domain_user (domain, id, password) VALUES ('acme.example', '1009', 'hunter2')`, []string{
			"password 'secret:", "user 1009@acme.example", `+<user id="1009"`}},
		{"a gateway", `UPDATE gateway SET proxy = 'sip.example.com', password = 'hunter2' WHERE name = 'twilio'`, []string{
			"proxy 'example.pstn.twilio.com' -> 'sip.example.com'", `+<param name="proxy" value="sip.example.com"/>`}},
		{"a node", `UPDATE node SET max_sessions = 7, event_socket_password = 'hunter2' WHERE name = '*'`, []string{"max_sessions 6 -> 7", `+<param name="max-sessions" value="7"/>`}},
		{"nothing", `UPDATE domain_user SET password = 'hunter2' WHERE id = '1000'`, []string{"0 rows"}},
	} {
		p, err := plan.Make(t.Context(), address, edit(t, test.sql), plan.Options{Examples: 2, Check: true, SwitchTime: time.Second})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var out strings.Builder
		if err := p.Show(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range append(test.want, role+" may not read domain_user (password, a1_hash, vm_password, password_xid)",
			"documents have a mark in place of each, also where there is none, and do not show its change, and no switch is asked. To see them: GRANT SELECT ON domain_user, gateway, node, node_credential TO \""+role+"\".\n") {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q", test.name, want)
			}
		}
		for _, secret := range []string{"hunter2", "demo-1000", `"password" value="change-me"`, "ClueCon"} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%s: shows %s", test.name, secret)
			}
		}
		if len(p.Switches) > 0 || len(p.Unread) != 4 || p.Unread[0].Table != "domain_user" {
			t.Errorf("%s: %+v, %+v", test.name, p.Switches, p.Unread)
		}
		if t.Failed() {
			t.Fatal(out.String())
		}
		// What was planned without secrets, others can apply who may read them.
		if _, err := plan.Commit(t.Context(), database, edit(t, test.sql), p.Base, "xmlcurld apply"); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	p, err := plan.Make(t.Context(), address, edit(t, `UPDATE number SET display_name = 'x' WHERE number = '7001'`), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Commit(t.Context(), address, edit(t, `UPDATE number SET display_name = 'x' WHERE number = '7001'`), p.Base, "xmlcurld apply"); err != nil {
		t.Error(err)
	}
}

// TestWithoutRights tells who may not even read rows what to ask for.
func TestWithoutRights(t *testing.T) {
	t.Parallel()
	address, role, drop := editor(t, dbtest.DemoURL(t), false)
	defer drop()
	_, err := plan.Make(t.Context(), address, edit(t, `DELETE FROM domain_user WHERE id = '1000'`), plan.Options{})
	if err == nil || !strings.HasSuffix(err.Error(), "SELECT grant_planning('"+role+"')") {
		t.Error(err)
	}
	_, err = plan.Make(t.Context(), address, edit(t, `SELECT password FROM domain_user`), plan.Options{})
	if err == nil || strings.Contains(err.Error(), "grant_planning('"+role) == strings.Contains(err.Error(), "line 1: ERROR:  permission denied") {
		t.Error(err)
	}
}
