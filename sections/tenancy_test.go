package sections_test

import (
	"database/sql"
	"strings"
	"testing"

	"xmlcurld/xmlcurl"
)

// Statements that would let a call of one tenant reach the other. Each is refused, in whatever order the rows come.
var trespasses = []struct{ name, statement string }{
	{"number in another's context", `INSERT INTO number (context, number, tenant, extension) VALUES ('acme', '8000', 'vumi', 'transfer')`},
	{"number of another's extension", `INSERT INTO number (number, tenant, extension) VALUES ('8000', 'acme', 'twilio.inbound')`},
	{"number given away with its extension", `UPDATE number SET tenant = 'acme' WHERE number = '+27123456789'`},
	{"number moved into another's context", `UPDATE number SET context = 'acme' WHERE number = '+27123456789'`},
	{"number's extension changed", `UPDATE number SET extension = 'twilio.inbound' WHERE number = '7000'`},
	{"shared context given to one", `UPDATE context SET tenant = 'acme' WHERE name = 'public'`},
	{"context given to another", `UPDATE context SET tenant = 'vumi' WHERE name = 'acme'`},
	{"context's not_found_extension", `UPDATE context SET not_found_extension = 'twilio.inbound' WHERE name = 'acme'`},
	{"shared context's not_found_extension", `UPDATE context SET not_found_extension = 'twilio.inbound' WHERE name = 'public'`},
	{"extension in another's context", `INSERT INTO context_extension (context, extension) VALUES ('acme', 'twilio.inbound')`},
	{"extension in a shared context", `INSERT INTO context_extension (context, extension) VALUES ('public', 'twilio.inbound')`},
	{"extension given away under its numbers", `UPDATE extension SET tenant = 'acme' WHERE name = 'twilio.inbound'`},
	{"extension given away under its context", `UPDATE extension SET tenant = 'vumi' WHERE name = 'local.user'`},
	{"shared extension kept by one", `INSERT INTO number (number, tenant, extension, forward_number) VALUES ('8000', 'vumi', 'transfer', '1'); UPDATE extension SET tenant = 'acme' WHERE name = 'transfer'`},
	{"context made shared under its extensions", `UPDATE context SET tenant = NULL WHERE name = 'acme'`},
	{"users in another's context", `INSERT INTO domain (name, tenant, context) VALUES ('vumi.example', 'vumi', 'acme')`},
	{"domain given away under its context", `UPDATE domain SET tenant = 'vumi'`},
	{"user in another's context", `INSERT INTO context (name, tenant) VALUES ('vumi', 'vumi');
		INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'USER_context', 'Vumi')`},
}

func TestTrespassIsRefused(t *testing.T) {
	t.Parallel()
	w := demo(t)
	for _, tc := range trespasses {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if err := w.try(t, `BEGIN`, tc.statement, `ROLLBACK`); err == nil || !strings.Contains(err.Error(), "23514") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// vumis2 is a world of vumi's, each row marked, that acme's calls must never see.
var vumis2 = []string{
	`INSERT INTO context (name, tenant) VALUES ('vumiroom', 'vumi')`,
	`INSERT INTO extension (name, tenant) VALUES ('vumiext', 'vumi')`,
	`INSERT INTO action (extension, position, application, data) VALUES ('vumiext', 1, 'bridge', 'vumisecret')`,
	`INSERT INTO context_extension (context, extension) VALUES ('vumiroom', 'vumiext')`,
	`INSERT INTO number (context, number, tenant, extension) VALUES ('vumiroom', '8000', 'vumi', 'vumiext')`,
}

// With all triggers and foreign keys out of the way, as after two transactions at once that each fitted alone, the rows
// stand there; the queries themselves let nothing of vumi's into acme's calls.
func TestTrespassIsNotAnswered(t *testing.T) {
	t.Parallel()
	w := demo(t, vumis2...)
	all := []string{
		`INSERT INTO number (context, number, tenant, extension) VALUES ('acme', '8000', 'vumi', 'vumiext'), ('acme', '8001', 'acme', 'vumiext')`,
		`INSERT INTO number (number, tenant, extension) VALUES ('8002', 'acme', 'vumiext')`,
		`INSERT INTO context_extension (context, extension) VALUES ('acme', 'vumiext'), ('public', 'vumiext')`,
		`UPDATE extension SET continue = true WHERE name = 'vumiext'`,
		`UPDATE context SET not_found_extension = 'vumiext' WHERE name IN ('acme', 'public')`,
		`UPDATE domain SET context = 'vumiroom'`,
		`INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'user_context', 'VumiRoom')`,
	}
	w.unguarded(t, all...)
	never := expectation{never: []string{"vumi", "Vumi"}}
	for _, number := range []string{"8000", "8001", "9999", "1000", "7000", "+27123456789"} {
		never.check(t, w.ask(t, call("acme", number)))
	}
	for _, number := range []string{"8001", "8002", "9999", "+27210000000"} {
		never.check(t, w.ask(t, call("public", number)))
	}
	never.check(t, w.ask(t, lookupUser("acme.example", "1000")))
	never.check(t, w.ask(t, lookup("acme.example")))
	expectation{want: []string{"vumiext", "vumisecret"}}.check(t, w.ask(t, call("vumiroom", "8000")))
}

// Two transactions at once: neither trigger sees the other's row, and the query still does.
func TestTrespassAtOnce(t *testing.T) {
	t.Parallel()
	w := demo(t, append(vumis2, `INSERT INTO context (name) VALUES ('free')`)...)
	one, other := w.conn(t), w.conn(t)
	for _, step := range []struct {
		conn      *sql.Conn
		statement string
	}{
		{one, `BEGIN`}, {one, `UPDATE context SET tenant = 'acme' WHERE name = 'free'`},
		{other, `BEGIN`}, {other, `INSERT INTO number (context, number, tenant, extension) VALUES ('free', '8000', 'vumi', 'vumiext')`},
		{one, `COMMIT`}, {other, `COMMIT`},
	} {
		if _, err := step.conn.ExecContext(t.Context(), step.statement); err != nil {
			t.Fatalf("%s: %v", step.statement, err)
		}
	}
	expectation{want: []string{notOne}, never: []string{"vumi"}}.check(t, w.ask(t, call("free", "8000")))
}

// A body that asks for a value and a number without it wait for each other's commit, so that not both get in.
func TestBodyAndNumberAtOnce(t *testing.T) {
	t.Parallel()
	const (
		body   = `UPDATE extension SET body = '<condition><action application="log" data="%{address}"/></condition>' WHERE name = 'x'`
		number = `INSERT INTO number (number, tenant, extension) VALUES ('5', 'acme', 'x')`
	)
	for _, pair := range [][2]string{{body, number}, {number, body}} {
		w := demo(t, `INSERT INTO extension (name, body) VALUES ('x', '<condition/>')`)
		one, other := w.conn(t), w.conn(t)
		for _, step := range []struct {
			conn      *sql.Conn
			statement string
			want      string // what the error says
		}{
			{one, `BEGIN`, ""}, {one, pair[0], ""},
			{other, `SET lock_timeout = '50ms'`, ""}, {other, pair[1], "55P03"},
			{one, `COMMIT`, ""}, {other, pair[1], "23514"},
		} {
			_, err := step.conn.ExecContext(t.Context(), step.statement)
			if step.want == "" && err != nil || step.want != "" && (err == nil || !strings.Contains(err.Error(), step.want)) {
				t.Errorf("%s: %v, want %q", step.statement, err, step.want)
			}
		}
	}
}

// markers are words that stand in rows of acme and nowhere else.
var markers = []string{"acme", "Acme", "demo-100", "71000", "+27210000000", "192.0.2.64", "2000::", "acmegw", "gatewaysecret", "203.0.113.77", "reception", "local.user"}

// marked gives acme a row wherever a tenant can have one.
var marked = append([]string{
	`UPDATE domain SET cacheable = 1000`,
	`INSERT INTO gateway (name, profile, tenant, proxy, username, password) VALUES ('acmegw', 'external', 'acme', 'sip.acme.example', 'acme', 'gatewaysecret')`,
	`INSERT INTO gateway_param (gateway, name, value) VALUES ('acmegw', 'from-domain', 'acme')`,
	`INSERT INTO gateway_variable (gateway, name, value) VALUES ('acmegw', 'v', 'acme')`,
	`INSERT INTO acl_entry (list, tenant, cidr) VALUES ('domains', 'acme', '203.0.113.77'), ('phones', 'acme', '2000::/16')`,
	`INSERT INTO acl_entry (list, domain) VALUES ('domains', 'acme.example')`,
	`INSERT INTO sip_profile_domain (profile, name) VALUES ('external', 'acme.example')`,
}, crowded[1:]...)

// A tenant that is off is in no answer: not to what was captured, not to what is made up here. Documents stored as XML
// have no tenant and stay.
func TestTenantOff(t *testing.T) {
	t.Parallel()
	w := demo(t, marked...)
	forms := append(manyUsers(), conf("acl.conf"), conf("sofia.conf"), conf("sofia.conf", "profile=internal"), conf("sofia.conf", "profile=external"),
		conf("sofia.conf", "profile=external", "gateway=acmegw"), conf("sofia.conf", "profile=external", "gateway=_all_"),
		conf("event_socket.conf"), conf("post_load_switch.conf"), conf("post_load_modules.conf"))
	for _, user := range []string{"1000", "1001", "1002", "71000", "71001"} {
		forms = append(forms, lookupUser("acme.example", user))
	}
	for _, number := range []string{"+27210000000", "27210000000", "7000", "7001", "1000"} {
		forms = append(forms, call("public", number), call("acme", number))
	}
	for _, c := range captures(t) {
		forms = append(forms, c.Body)
	}
	before := ""
	for _, form := range forms {
		before += strings.Join(w.ask(t, form), "\n")
	}
	for _, marker := range markers {
		if !strings.Contains(before, marker) {
			t.Errorf("%q is in no answer while the tenant is on", marker)
		}
	}
	w.edit(t, `UPDATE tenant SET enabled = false WHERE name = 'acme'`)
	for _, form := range forms {
		if !stored(t, form) {
			expectation{never: markers, missing: strings.Contains(form, "section=directory")}.check(t, w.ask(t, form))
		}
	}
}

// stored reports whether form asks for a document of table document, or for one that nobody has.
func stored(t *testing.T, form string) bool {
	t.Helper()
	r, err := xmlcurl.ParseRequest([]byte(form))
	if err != nil {
		t.Fatal(err)
	}
	switch r.KeyValue {
	case "acl.conf", "sofia.conf", "event_socket.conf", "post_load_switch.conf", "post_load_modules.conf":
		return false
	}
	return r.Section == "configuration" || r.Section == "languages"
}
