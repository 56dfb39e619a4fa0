package table_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
)

// question is one that a Rulebook answers.
type question struct {
	name string
	ask  func(ctx context.Context, s *db.Rulebook) error
}

func questions() []question {
	domains := func(_ db.Answer[[]db.Domain], err error) error { return err }
	return []question{
		{"known number", route("public", "+27123456789")},
		{"unknown number", route("public", "+27999999999")},
		{"number in another form", route("public", "0027123456789")},
		{"unknown context", route("nowhere", "1")},
		{"regular expressions", route("acme", "1000")},
		{"user", func(ctx context.Context, s *db.Rulebook) error {
			return domains(s.User(ctx, "fs1", "acme.example", "1000"))
		}},
		{"unknown user", func(ctx context.Context, s *db.Rulebook) error {
			return domains(s.User(ctx, "fs1", "acme.example", "nobody"))
		}},
		{"domain", func(ctx context.Context, s *db.Rulebook) error { return domains(s.Domain(ctx, "fs1", "acme.example")) }},
		{"users", func(ctx context.Context, s *db.Rulebook) error { return domains(s.Users(ctx, "fs1", "")) }},
		{"networks", func(ctx context.Context, s *db.Rulebook) error {
			return domains(s.Networks(ctx, "fs1", "acme.example"))
		}},
		{"group", func(ctx context.Context, s *db.Rulebook) error {
			return domains(s.Group(ctx, "fs1", "acme.example", "sales"))
		}},
		{"gateways of users", func(ctx context.Context, s *db.Rulebook) error {
			return domains(s.UserGateways(ctx, "fs1", "", "internal"))
		}},
		{"acl.conf", func(ctx context.Context, s *db.Rulebook) error { _, err := s.ACL(ctx, "fs1"); return err }},
		{"sofia.conf", sofia("", "")},
		{"sofia.conf, a profile", sofia("external", "")},
		{"sofia.conf, a gateway", sofia("external", "twilio")},
		{"post_load_switch.conf", func(ctx context.Context, s *db.Rulebook) error { _, err := s.Switch(ctx, "fs1"); return err }},
		{"post_load_modules.conf", func(ctx context.Context, s *db.Rulebook) error { _, err := s.Modules(ctx, "fs1"); return err }},
		{"event_socket.conf", func(ctx context.Context, s *db.Rulebook) error { _, err := s.EventSocket(ctx, "fs1"); return err }},
		{"stored document", func(ctx context.Context, s *db.Rulebook) error {
			_, err := s.Document(ctx, "fs1", "configuration", "ivr.conf")
			return err
		}},
	}
}

func route(room, number string) func(ctx context.Context, s *db.Rulebook) error {
	return func(ctx context.Context, s *db.Rulebook) error {
		_, err := s.Route(ctx, db.Call{Node: "fs1", Context: room, Number: number})
		return err
	}
}

func sofia(profile, gateway string) func(ctx context.Context, s *db.Rulebook) error {
	return func(ctx context.Context, s *db.Rulebook) error {
		_, err := s.Sofia(ctx, "fs1", profile, gateway)
		return err
	}
}

// A question alone costs one round trip, once its statement is prepared, counted on the wire; however many rows there are.
func TestOneRoundTrip(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]string{"few rows": nil, "many rows": manyRows} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := dbtest.DemoURL(t)
			for _, statement := range rows {
				dbtest.Execute(t, url, statement)
			}
			wire := dbtest.NewProxy(t, url)
			store := dbtest.Rules(t, wire.URL)
			for _, q := range questions() {
				const times = 3
				var asked, prepared int
				// A connection on which a question comes for the first time has it prepared. That is the first one, and
				// sometimes another one, while the host's role is looked up on the first.
				for range 5 {
					wire.Counted()
					for range times {
						if err := q.ask(t.Context(), store); err != nil {
							t.Fatalf("%s: %v", q.name, err)
						}
					}
					if asked, prepared = wire.Counted(); asked == times && prepared == 0 {
						break
					}
				}
				if asked != times || prepared != 0 {
					t.Errorf("%s: %d round trips and %d preparations for %d questions", q.name, asked, prepared, times)
				}
			}
		})
	}
}

var manyRows = []string{
	`INSERT INTO gateway (name, profile, proxy) SELECT 'g' || n, 'external', 'x' FROM generate_series(1, 500) n`,
	`INSERT INTO gateway_param (gateway, name, value) SELECT 'g' || n, 'ping', '30' FROM generate_series(1, 500) n`,
	`INSERT INTO acl_entry (list, cidr) SELECT 'domains', ('10.' || n / 250 || '.' || n % 250 || '.0/24')::cidr FROM generate_series(1, 1000) n`,
	`INSERT INTO domain_user (domain, id, password) SELECT 'acme.example', 'u' || n, 'x' FROM generate_series(1, 500) n`,
	`INSERT INTO number (number, tenant, extension) SELECT '+2730' || n, 'acme', 'reception' FROM generate_series(1000000, 1000500) n`,
	`INSERT INTO extension (name) SELECT 'e' || n FROM generate_series(1, 100) n`,
	`INSERT INTO context_extension (context, extension) SELECT 'acme', 'e' || n FROM generate_series(1, 100) n`,
	`INSERT INTO action (extension, position, application) SELECT 'e' || n, p, 'answer' FROM generate_series(1, 100) n, generate_series(1, 10) p`,
}

// Questions at once share round trips, and each gets the answer to itself; one that Postgres cannot take spoils no other.
func TestQuestionsAtOnce(t *testing.T) {
	t.Parallel()
	const n = 300
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, fmt.Sprintf(`INSERT INTO number (number, tenant, extension, display_name) SELECT '+27300000' || to_char(n, 'FM000'), 'acme', 'reception', 'Line ' || n FROM generate_series(0, %d, 2) n`, n-1))
	dbtest.Execute(t, url, fmt.Sprintf(`INSERT INTO domain_user (domain, id, password) SELECT 'acme.example', 'u' || n, 'secret' || n FROM generate_series(0, %d, 2) n`, n-1))
	wire := dbtest.NewProxy(t, url)
	store := dbtest.Rules(t, wire.URL)
	var callers sync.WaitGroup
	for i := range n {
		callers.Go(func() { callAlone(t, store, i) })
		callers.Go(func() { lookUpAlone(t, store, i) })
	}
	callers.Wait()
	if asked, _ := wire.Counted(); asked > 2*n {
		t.Errorf("%d round trips for %d questions", asked, 2*n)
	}
	for i := range n {
		callers.Go(func() { callAlone(t, store, i) })
		if i%50 == 0 {
			callers.Go(func() {
				if _, err := store.Route(t.Context(), db.Call{Number: "\x00"}); err == nil || errors.Is(err, db.ErrUnavailable) {
					t.Errorf("a NUL: %v", err)
				}
			})
		}
	}
	callers.Wait()
}

// callAlone asks for the number i, which somebody has if i is even.
func callAlone(t *testing.T, store *db.Rulebook, i int) {
	route, err := store.Route(t.Context(), db.Call{Node: "fs1", Context: "public", Number: fmt.Sprintf("+27300000%03d", i)})
	switch {
	case err != nil:
		t.Error(err)
	case i%2 == 1 && (route.Value.Called != nil || len(route.Value.Extensions) != 0):
		t.Errorf("number %d is nobody's, and got %+v", i, route)
	case i%2 == 0 && (route.Value.Called == nil || route.Value.Called.DisplayName != fmt.Sprintf("Line %d", i) || len(route.Value.Extensions) != 1):
		t.Errorf("number %d got %+v", i, route)
	}
}

// lookUpAlone asks for the user i, who is there if i is even.
func lookUpAlone(t *testing.T, store *db.Rulebook, i int) {
	user, err := store.User(t.Context(), "fs1", "acme.example", fmt.Sprintf("u%d", i))
	domains := user.Value
	switch {
	case err != nil:
		t.Error(err)
	case i%2 == 1 && len(domains) != 0:
		t.Errorf("user %d is nobody, and got %+v", i, domains)
	case i%2 == 0 && (len(domains) != 1 || len(domains[0].Users) != 1 || domains[0].Users[0].Password != fmt.Sprintf("secret%d", i)):
		t.Errorf("user %d got %+v", i, domains)
	}
}
