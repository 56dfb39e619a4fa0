package nodes_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/nodes/simulated"
)

// carrier is an edit that needs the switch: a gateway replaced.
const carrier = `UPDATE gateway SET proxy = proxy || 'x' WHERE name = 'twilio'`

func TestListenerAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.keep(t, "one")
	r.inStep(t)
	r.sql(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	r.sql(t, `INSERT INTO acl_list (name) VALUES ('guests')`)
	eventually(t, "the list is there", func() error { return has(s, func() bool { return s.Lists["guests"] }) })
	r.inStep(t)
}

// has is nil when something is so on the switch.
func has(s *simulated.Switch, holds func() bool) error {
	held := false
	s.Set(func() { held = holds() })
	if held {
		return nil
	}
	return fmt.Errorf("not so after %q", s.Told())
}

func TestEditWhileNoServerRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	stop := r.keep(t, "one")
	r.inStep(t)
	stop()
	s.Set(func() { s.Registered = []string{"internal/1000@acme.example", "internal/1001@acme.example"} })
	r.sql(t, carrier)
	r.sql(t, `INSERT INTO acl_list (name) VALUES ('guests')`)
	r.sql(t, `UPDATE domain_user SET password = 'another' WHERE id = '1000'`)
	r.sql(t, `DELETE FROM module WHERE name = 'mod_flite'`)
	r.keep(t, "two")
	r.inStep(t)
	if err := has(s, func() bool {
		return s.Lists["guests"] && !s.Modules["mod_flite"] && len(s.Registered) == 1 && s.Registered[0] == "internal/1001@acme.example"
	}); err != nil {
		t.Error(err)
	}
	if n := s.Did("sofia profile external startgw twilio"); n != 1 {
		t.Errorf("the gateway was started %d times", n)
	}
	if server := r.state(t, "fs1").Server; server != "two" {
		t.Errorf("%q takes care", server)
	}
}

// A transaction that is held open while later ones commit and are applied is not missed.
func TestTransactionHeldOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.keep(t, "one")
	s.Set(func() { s.Registered = []string{"internal/1000@acme.example", "internal/1001@acme.example"} })
	r.inStep(t)
	held := r.connect(t)
	tx, err := held.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`UPDATE domain_user SET password = 'another' WHERE id = '1000'`, carrier} {
		if _, err := tx.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	r.sql(t, `UPDATE domain_user SET password = 'another' WHERE id = '1001'`)
	r.inStep(t)
	if err := has(s, func() bool { return strings.Join(s.Registered, " ") == "internal/1000@acme.example" }); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.inStep(t)
	if err := has(s, func() bool { return len(s.Registered) == 0 }); err != nil {
		t.Error(err)
	}
	if n := s.Did("sofia profile external startgw twilio"); n != 1 {
		t.Errorf("the gateway was started %d times", n)
	}
}

// Of two servers one takes care of a node; when it ends the other does.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	stop := r.keep(t, "one")
	r.inStep(t)
	r.keep(t, "two")
	for range 5 {
		r.sql(t, carrier)
		r.inStep(t)
	}
	if n := s.Did("sofia profile external killgw twilio"); n != 5 {
		t.Errorf("5 edits, %d times killed", n)
	}
	if server := r.state(t, "fs1").Server; server != "one" {
		t.Errorf("%q takes care", server)
	}
	stop()
	r.sql(t, carrier)
	r.inStep(t)
	if server := r.state(t, "fs1").Server; server != "two" {
		t.Errorf("%q takes care", server)
	}
	if n := s.Did("sofia profile external killgw twilio"); n != 6 {
		t.Errorf("6 edits, %d times killed", n)
	}
}

// The switch still wants the password that it took, whoever asks.
func TestChangedPassword(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.sql(t, `UPDATE node SET event_socket_password = 'first' WHERE name = 'fs1'`)
	s.Boot()
	stop := r.keep(t, "one")
	r.inStep(t)
	r.sql(t, `UPDATE node SET event_socket_password = 'second' WHERE name = 'fs1'`)
	r.restartRequired(t, "fs1", "event_socket.conf")
	stop()
	r.keep(t, "two")
	r.sql(t, carrier)
	r.inStep(t)
	s.Boot()
	if err := has(s, func() bool { return s.Password == "second" }); err != nil {
		t.Fatal(err)
	}
	r.inStep(t)
	if all := r.state(t, "fs1").RestartRequired; len(all) > 0 {
		t.Errorf("restart required: %q", all)
	}
}

// A gateway that is being replaced does not stay killed when the switch's fetch fails.
func TestNotFoundInTheMiddleOfAReplacement(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.keep(t, "one")
	r.inStep(t)
	s.Set(func() { s.Faults.Fetches = 20 })
	r.sql(t, carrier)
	r.inStep(t)
	if err := has(s, func() bool { return !s.Gateways["twilio"].Killed && s.Gateways["twilio"].Revision != "" }); err != nil {
		t.Error(err)
	}
	if n := s.Did("sofia profile external startgw twilio"); n < 20 {
		t.Errorf("the gateway was started %d times", n)
	}
}

func TestSwitchDies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.keep(t, "one")
	r.inStep(t)
	for _, at := range []string{"sofia profile external killgw", "sofia profile external startgw", "sofia_gateway_data", "sofia xmlstatus"} {
		s.Set(func() { s.Faults.DieAt = at })
		r.sql(t, carrier)
		r.inStep(t)
		if err := has(s, func() bool { return !s.Gateways["twilio"].Killed && s.Faults.DieAt == "" }); err != nil {
			t.Errorf("at %s: %v", at, err)
		}
	}
	s.Boot()
	r.inStep(t)
}

// A switch that came up while no server answered has nothing, and gets everything.
func TestBootedAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := newSwitch(t, "fs1", "http://127.0.0.1:1/xml")
	s.Boot()
	s.Set(func() { s.Server = r.answers.URL + "/xml" })
	r.sql(t, `INSERT INTO node (name, event_socket_port) VALUES ('fs1', $1)`, s.Port())
	r.keep(t, "one")
	r.inStep(t)
	if err := has(s, func() bool {
		return s.Modules["mod_flite"] && s.Profiles["external"] && s.Profiles["internal"] && s.Gateways["twilio"].Revision != "" && s.Lists["domains"] &&
			s.Limits["max_sessions"] == "1000"
	}); err != nil {
		t.Error(err)
	}
	r.restartRequired(t, "fs1", "post_load_switch.conf RTP ports")
}

func TestModuleThatDoesNotLoad(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.keep(t, "one")
	r.inStep(t)
	s.Set(func() { s.Faults.DoesNotLoad = "mod_opus" })
	r.sql(t, `INSERT INTO module (name) VALUES ('mod_opus')`)
	eventually(t, "it is pending", func() error {
		state := r.state(t, "fs1")
		if strings.Join(state.Pending, " ") != "load mod_opus" || !strings.Contains(state.LastError, "module load file routine") || state.PendingSince == nil {
			return fmt.Errorf("%+v", state)
		}
		return nil
	})
	s.Set(func() { s.Faults.DoesNotLoad = "" })
	r.inStep(t)
	if state := r.state(t, "fs1"); state.PendingSince != nil {
		t.Errorf("pending since %v", state.PendingSince)
	}
}

// A node without an event socket is in step when what it fetched last is what it would be given now.
func TestJudgedByItsFetches(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sql(t, `UPDATE node SET event_socket_ip = NULL, event_socket_port = NULL, event_socket_password = NULL WHERE name = '*'`)
	s := newSwitch(t, "fs1", r.answers.URL+"/xml")
	r.sql(t, `INSERT INTO node (name) VALUES ('fs1')`)
	r.keep(t, "one")
	pending := func(what string) {
		t.Helper()
		eventually(t, what+" is pending", func() error {
			if state := r.state(t, "fs1"); !strings.Contains(strings.Join(state.Pending, "; "), what) {
				return fmt.Errorf("%+v", state)
			}
			return nil
		})
	}
	pending("acl.conf")
	s.Boot()
	r.inStep(t)
	r.sql(t, `DELETE FROM acl_entry`)
	pending("acl.conf")
	s.Set(s.ReloadACL)
	r.inStep(t)
	r.sql(t, carrier)
	pending("sofia.conf external/gateways")
	if s.Did("") != 0 {
		t.Errorf("it was told %q", s.Told())
	}
}

func TestRegistrations(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.keep(t, "one")
	r.inStep(t)
	const sales, door, alias, foreign = "internal/1001@acme.example", "external/1002@acme.example", "internal/71000@acme.example", "internal/x@other.example"
	for _, tc := range []struct{ name, statement, left string }{
		{"password", `UPDATE domain_user SET password = 'b' WHERE id = '1001'`, door + " " + alias},
		{"a1_hash, by the alias as well", `UPDATE domain_user SET password = NULL, a1_hash = md5('1') WHERE id = '1000'`, sales + " " + door},
		{"name to show", `UPDATE domain_user SET caller_id_name = 'Desk'`, sales + " " + door + " " + alias},
		{"off", `UPDATE domain_user SET enabled = false WHERE id = '1002'`, sales + " " + alias},
		{"on", `UPDATE domain_user SET enabled = true WHERE id = '1002'`, sales + " " + door + " " + alias},
		{"renamed", `UPDATE domain_user SET id = '1009' WHERE id = '1002'`, sales + " " + alias},
		{"named back", `UPDATE domain_user SET id = '1002' WHERE id = '1009'`, sales + " " + door + " " + alias},
		{"tenant off", `UPDATE tenant SET enabled = false WHERE name = 'acme'`, ""},
		{"tenant on", `UPDATE tenant SET enabled = true WHERE name = 'acme'`, sales + " " + door + " " + alias},
		{"domain off", `UPDATE domain SET enabled = false`, ""},
		{"domain on", `UPDATE domain SET enabled = true`, sales + " " + door + " " + alias},
		{"removed", `DELETE FROM domain_user WHERE id = '1001'`, door + " " + alias},
		{"truncated", `TRUNCATE domain_user CASCADE`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s.Set(func() { s.Registered = []string{sales, door, alias, foreign} })
			r.sql(t, tc.statement)
			r.inStep(t)
			s.Set(func() {
				got := strings.TrimSuffix(strings.Join(s.Registered, " "), foreign)
				if strings.TrimSpace(got) != tc.left {
					t.Errorf("left: %q, want %q", got, tc.left)
				}
			})
			r.sql(t, `UPDATE domain_user SET number_alias = '71000' WHERE id = '1000'`)
		})
	}
}

// Bursts are merged.
func TestBursts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.keep(t, "one")
	r.inStep(t)
	before := s.Did("")
	for n := range 500 {
		r.sql(t, `INSERT INTO acl_entry (list, cidr) VALUES ('domains', ('10.' || $1::int || '.' || $2::int || '.0/24')::cidr)`, n/250, n%250)
	}
	r.inStep(t)
	if reloads, all := s.Did("reloadacl"), s.Did("")-before; reloads > 30 || all > 200 {
		t.Errorf("500 transactions: %d reloads, %d commands", reloads, all)
	}
	reloads := s.Did("reloadacl")
	r.sql(t, `INSERT INTO acl_entry (list, cidr) SELECT 'domains', ('11.' || n / 250 || '.' || n % 250 || '.0/24')::cidr FROM generate_series(0, 9999) n`)
	r.inStep(t)
	if n := s.Did("reloadacl") - reloads; n > 2 {
		t.Errorf("10,000 rows: %d reloads", n)
	}
	_, err := r.conn.CopyFrom(t.Context(), pgx.Identifier{"gateway"}, []string{"name", "profile", "proxy"}, pgx.CopyFromSlice(1000, func(n int) ([]any, error) {
		return []any{fmt.Sprintf("g%d", n), "external", "x"}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	r.inStep(t)
	if err := has(s, func() bool { return s.Gateways["g999"].Revision != "" }); err != nil {
		t.Error(err)
	}
	if n := s.Did("sofia profile external startgw"); n > 2 {
		t.Errorf("1,000 copied gateways: %d lookups", n)
	}
}

// A node that is inserted is taken care of, and one that is deleted no more.
func TestNodesComeAndGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.keep(t, "one")
	s := r.node(t, "fs1")
	r.inStep(t)
	r.sql(t, `DELETE FROM node WHERE name = 'fs1'`)
	eventually(t, "its connection is closed", func() error {
		if n := s.Connections(); n > 0 {
			return fmt.Errorf("%d connections", n)
		}
		return nil
	})
}

// The record of fetches makes no notice of its own, or looking would never end.
func TestFetchesMakeNoNotice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.keep(t, "one")
	r.inStep(t)
	listener := r.connect(t)
	if _, err := listener.Exec(t.Context(), "LISTEN xmlcurld"); err != nil {
		t.Fatal(err)
	}
	s.Boot()
	r.inStep(t)
	r.sql(t, `NOTIFY xmlcurld, 'end'`)
	for {
		notice, err := listener.WaitForNotification(context.WithoutCancel(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		switch kind, _, _ := strings.Cut(notice.Payload, " "); kind {
		case "wait":
		case "end":
			return
		default:
			t.Errorf("a notice: %q", notice.Payload)
		}
	}
}
