package localrows_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/switchstate"
)

// FreeSWITCH ignores case by the rules of ASCII, so its questions find what they name whatever the database's locale is.
func TestNamesAreFoundInTurkish(t *testing.T) {
	t.Parallel()
	url := dbtest.TurkishURL(t)
	dbtest.Execute(t, url, `
		INSERT INTO domain (name, tenant, context) VALUES ('iris.example', 'acme', 'acme');
		INSERT INTO domain_user (domain, id, number_alias, password) VALUES ('iris.example', 'info', 'india', 'secret');
		INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('iris.example', 'info', 'user_context', 'PUBLIC');
		INSERT INTO domain_group (domain, name) VALUES ('iris.example', 'Office.In');
		INSERT INTO domain_group_user (domain, group_name, user_id) VALUES ('iris.example', 'Office.In', 'info');
		INSERT INTO gateway (name, profile, proxy) VALUES ('SIPGATE', 'internal', 'sip.carrier.example')`)
	store, c := openBoth(t, url)
	follow(t, c)
	same(t, "with local rows", ask(t.Context(), store), ask(t.Context(), c))

	ctx := t.Context()
	users := func(a db.Answer[[]db.Domain], err error) any {
		var found []string
		for _, d := range a.Value {
			for _, u := range d.Users {
				found = append(found, fmt.Sprintf("%s@%s %v", u.ID, d.Name, u.Variables))
			}
		}
		return []any{found, err}
	}
	gateways := func(s db.Answer[db.Sofia], err error) any {
		var found []string
		for i := range s.Value.Profiles {
			for _, g := range s.Value.Profiles[i].Gateways {
				found = append(found, s.Value.Profiles[i].Name+"/"+g.Name)
			}
		}
		return []any{found, err}
	}
	context := func(r db.Answer[db.Route], err error) any {
		return []any{r.Value.Context, r.Value.Called != nil, err}
	}
	info := []any{[]string{"info@iris.example [{user_context PUBLIC false}]"}, error(nil)}
	trunk := []any{[]string{"internal/SIPGATE"}, error(nil)}
	public := []any{"public", true, error(nil)}
	for _, tc := range []struct {
		name      string
		want, got any
	}{
		{"user", info, users(rules(store).User(ctx, "fs1", "IRIS.EXAMPLE", "INFO"))},
		{"user of the local rows", info, users(rules(c).User(ctx, "fs1", "IRIS.EXAMPLE", "INFO"))},
		{"alias", info, users(rules(store).User(ctx, "fs1", "iris.example", "INDIA"))},
		{"alias of the local rows", info, users(rules(c).User(ctx, "fs1", "iris.example", "INDIA"))},
		{"group", info, users(rules(store).Group(ctx, "fs1", "Iris.Example", "OFFICE.IN"))},
		{"context", public, context(rules(store).Route(ctx, db.Call{Node: "fs1", Context: "PUBLIC", Number: "+27123456789"}))},
		{"context of the local rows", public, context(rules(c).Route(ctx, db.Call{Node: "fs1", Context: "PUBLIC", Number: "+27123456789"}))},
		{"gateway", trunk, gateways(rules(store).Sofia(ctx, "fs1", "INTERNAL", "sipgate"))},
		{"gateway of the local rows", trunk, gateways(rules(c).Sofia(ctx, "fs1", "INTERNAL", "sipgate"))},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
	strangers, err := dbtest.State(store).Strangers(ctx, []switchstate.Registration{{User: "INFO", Domain: "IRIS.EXAMPLE"}, {User: "ınfo", Domain: "iris.example"}})
	if diff := cmp.Diff([]any{[]switchstate.Registration{{User: "ınfo", Domain: "iris.example"}}, error(nil)}, []any{strangers, err}); diff != "" {
		t.Errorf("registrations (-want +got):\n%s", diff)
	}
}
