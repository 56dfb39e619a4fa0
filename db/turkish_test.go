package db_test

import (
	"context"
	"fmt"
	neturl "net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/testdata"
)

// turkishURL returns the connection string of the demo world in a database of the locale tr, where lower('I') is 'ı'.
func turkishURL(t *testing.T) string {
	t.Helper()
	empty := dbtest.EmptyURL(t)
	name := "turkish_" + strings.ToLower(t.Name())
	execute(t, empty, fmt.Sprintf(`CREATE DATABASE %s TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'tr'`, name))
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.WithoutCancel(t.Context()), empty)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
		if _, err := conn.Exec(context.WithoutCancel(t.Context()), fmt.Sprintf(`DROP DATABASE %s WITH (FORCE)`, name)); err != nil {
			t.Error(err)
		}
	})
	url, err := neturl.Parse(empty)
	if err != nil {
		t.Fatal(err)
	}
	url.Path = "/" + name
	if folded := one[string](t, url.String(), `SELECT lower('I')`); folded != "ı" {
		t.Fatalf("lower('I') is %s in this database, so nothing is tested", folded)
	}
	if err := db.Migrate(t.Context(), url.String(), quiet); err != nil {
		t.Fatal(err)
	}
	if loaded, err := db.LoadDemo(t.Context(), url.String(), testdata.Demo, db.Ports{}); err != nil || !loaded {
		t.Fatalf("loaded = %v, %v", loaded, err)
	}
	return url.String()
}

// FreeSWITCH ignores case by the rules of ASCII, so its questions find what they name whatever the database's locale is.
func TestNamesAreFoundInTurkish(t *testing.T) {
	t.Parallel()
	url := turkishURL(t)
	execute(t, url, `
		INSERT INTO domain (name, tenant, context) VALUES ('iris.example', 'acme', 'acme');
		INSERT INTO domain_user (domain, id, number_alias, password) VALUES ('iris.example', 'info', 'india', 'secret');
		INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('iris.example', 'info', 'user_context', 'PUBLIC');
		INSERT INTO domain_group (domain, name) VALUES ('iris.example', 'Office.In');
		INSERT INTO domain_group_user (domain, group_name, user_id) VALUES ('iris.example', 'Office.In', 'info');
		INSERT INTO gateway (name, profile, proxy) VALUES ('SIPGATE', 'internal', 'sip.carrier.example')`)
	store := openStore(t, url)
	c := openCopy(t, store, t.TempDir())
	t.Cleanup(func() { _ = c.Close() })
	told{}.documents(t.Context(), store)
	follow(t, c)
	same(t, "with a copy", ask(t.Context(), store), ask(t.Context(), c))

	ctx := t.Context()
	users := func(domains []db.Domain, _ bool, err error) any {
		var found []string
		for _, d := range domains {
			for _, u := range d.Users {
				found = append(found, fmt.Sprintf("%s@%s %v", u.ID, d.Name, u.Variables))
			}
		}
		return []any{found, err}
	}
	gateways := func(s db.Sofia, err error) any {
		var found []string
		for i := range s.Profiles {
			for _, g := range s.Profiles[i].Gateways {
				found = append(found, s.Profiles[i].Name+"/"+g.Name)
			}
		}
		return []any{found, err}
	}
	context := func(r db.Route, err error) any { return []any{r.Context, r.Called != nil, err} }
	info := []any{[]string{"info@iris.example [{user_context PUBLIC false}]"}, error(nil)}
	trunk := []any{[]string{"internal/SIPGATE"}, error(nil)}
	public := []any{"public", true, error(nil)}
	for _, tc := range []struct {
		name      string
		want, got any
	}{
		{"user", info, users(store.User(ctx, "fs1", "IRIS.EXAMPLE", "INFO"))},
		{"user of the copy", info, users(c.User(ctx, "fs1", "IRIS.EXAMPLE", "INFO"))},
		{"alias", info, users(store.User(ctx, "fs1", "iris.example", "INDIA"))},
		{"alias of the copy", info, users(c.User(ctx, "fs1", "iris.example", "INDIA"))},
		{"group", info, users(store.Group(ctx, "fs1", "Iris.Example", "OFFICE.IN"))},
		{"context", public, context(store.Route(ctx, db.Call{Node: "fs1", Context: "PUBLIC", Number: "+27123456789"}))},
		{"context of the copy", public, context(c.Route(ctx, db.Call{Node: "fs1", Context: "PUBLIC", Number: "+27123456789"}))},
		{"gateway", trunk, gateways(store.Sofia(ctx, "fs1", "INTERNAL", "sipgate"))},
		{"gateway of the copy", trunk, gateways(c.Sofia(ctx, "fs1", "INTERNAL", "sipgate"))},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
	strangers, err := store.Strangers(ctx, []db.Registration{{User: "INFO", Domain: "IRIS.EXAMPLE"}, {User: "ınfo", Domain: "iris.example"}})
	if diff := cmp.Diff([]any{[]db.Registration{{User: "ınfo", Domain: "iris.example"}}, error(nil)}, []any{strangers, err}); diff != "" {
		t.Errorf("registrations (-want +got):\n%s", diff)
	}
}

// Rules that ignore case do so by ASCII: with the names of refusals() and with these.
func TestRefusalsInTurkish(t *testing.T) {
	t.Parallel()
	conn := connect(t, turkishURL(t))
	cases := append(refusals(),
		refusal{name: "column of the event socket", statement: `INSERT INTO event_socket_param (name, value) VALUES ('LISTEN-IP', '::')`,
			message: "LISTEN-IP has its own column"},
		refusal{name: "column of a domain", statement: `INSERT INTO domain_param (domain, name, value) VALUES ('acme.example', 'DIAL-STRING', 'x')`,
			message: "DIAL-STRING cannot be a parameter here"},
		refusal{name: "parameter in upper case", statement: `INSERT INTO sip_profile_param (profile, name, value) VALUES ('internal', 'SIP-IP', 'x')`,
			message: "SIP-IP is not in lower case"},
		refusal{name: "context", statement: `INSERT INTO context (name) VALUES ('PUBLIC')`, message: "The context PUBLIC is there already"},
		refusal{name: "gateway", statement: `INSERT INTO gateway (name, profile, proxy) VALUES ('TWILIO', 'external', 'x')`,
			message: "The gateway TWILIO is there already"},
		refusal{name: "profile", statement: `INSERT INTO sip_profile (name) VALUES ('INTERNAL')`, message: "The SIP profile INTERNAL is there already"},
		refusal{name: "group", statement: `INSERT INTO domain_group (domain, name) VALUES ('acme.example', 'IN'), ('acme.example', 'in')`,
			message: "The group (domain, name) = (acme.example, in) is there already"},
		refusal{name: "alias of a profile", statement: `INSERT INTO sip_profile_alias (profile, name) VALUES ('external', 'in'); INSERT INTO gateway (name, profile, proxy) VALUES ('IN', 'external', 'x')`,
			message: "IN is the name of an alias of SIP profile external already"},
		refusal{name: "context of another tenant", statement: `INSERT INTO context (name, tenant) VALUES ('Vumi.In', 'vumi'); INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'user_context', 'VUMI.IN')`,
			message: "Context VUMI.IN is another tenant's, so user 1000@acme.example cannot call in it"},
		refusal{name: "directive in a document", statement: `INSERT INTO document (name, body) VALUES ('menu.conf', '<configuration name="menu.conf"><INCLUDE /></configuration>')`,
			message: "menu.conf holds what FreeSWITCH's pre-processor would act on"},
		refusal{name: "directive in a body", statement: `INSERT INTO extension (name, body) VALUES ('x', '<condition><INCLUDE /></condition>')`,
			message: "The body of extension x holds what FreeSWITCH's pre-processor would act on"},
		refusal{name: "document of the bootstrap", statement: `INSERT INTO document (name, body) VALUES ('SWITCH.conf', '<configuration name="SWITCH.conf"/>')`,
			message: "FreeSWITCH reads SWITCH.conf before it asks this server"},
	)
	for _, tc := range cases {
		fault := said(t, conn, tc.statement)
		if fault == nil || fault.Message != tc.message {
			t.Errorf("%s: %s: got %v, want %s", tc.name, tc.statement, fault, tc.message)
		}
	}
	for _, statement := range []string{
		`UPDATE condition SET wday = 'FRI', field = NULL, expression = NULL`,
		`UPDATE domain_user SET caller_id_name = 'İnönü Işık' WHERE id = '1000'`,
		`UPDATE number SET display_name = 'İnönü Işık'`,
	} {
		if fault := said(t, conn, statement); fault != nil {
			t.Errorf("%s: %v", statement, fault)
		}
	}
}
