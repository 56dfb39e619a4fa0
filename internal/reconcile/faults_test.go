package reconcile_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// carrier is an edit that needs the switch: a gateway replaced.
const carrier = `UPDATE gateway SET proxy = proxy || 'x' WHERE name = 'twilio'`

func TestListenerAway(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
	r.sql(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	r.sql(t, `INSERT INTO acl_list (name) VALUES ('guests')`)
	eventually(t, "the list is there", func() error { return has(s, func() bool { return s.Lists["guests"] }) })
	r.inSync(t)
}

func TestEditWhileNoServerRuns(t *testing.T) {
	t.Parallel()
	r, s := newLeft(t)
	s.Set(func() { s.Registered = []string{"internal/1000@acme.example", "internal/1001@acme.example"} })
	r.sql(t, carrier)
	r.sql(t, `INSERT INTO acl_list (name) VALUES ('guests')`)
	r.sql(t, `UPDATE domain_user SET password = 'another' WHERE id = '1000'`)
	r.sql(t, `DELETE FROM module WHERE name = 'mod_flite'`)
	r.keep(t, "two")
	r.inSync(t)
	wantHas(t, s, func() bool {
		return s.Lists["guests"] && !s.Modules["mod_flite"] && len(s.Registered) == 1 && s.Registered[0] == "internal/1001@acme.example"
	})
	wantDid(t, s, "sofia profile external startgw twilio", 1)
	r.wantServer(t, "two")
}

// Changes of users are noted for a day. After more than that a phone whose password is another loses its registration all the
// same, and the others keep theirs.
func TestEditsOfManyDays(t *testing.T) {
	t.Parallel()
	r, s := newLeft(t)
	const other, same = "internal/1000@acme.example", "internal/1001@acme.example"
	s.Set(func() { s.Registered = []string{other, same} })
	r.sql(t, `UPDATE domain_user SET password = 'another' WHERE id = '1000'`)
	r.sql(t, `UPDATE domain_user SET caller_id_name = 'Another'`)
	r.sql(t, `DELETE FROM change`)
	r.sql(t, `UPDATE node_state SET users_seen_at = now() - interval '2 days'`)
	r.keep(t, "two")
	r.inSync(t)
	wantHas(t, s, func() bool { return strings.Join(s.Registered, " ") == same })
	if s.Did("xml_flush_cache") == 0 {
		t.Error("no cache was cleared")
	}
}

// A transaction that is held open while later ones commit and are applied is not missed.
func TestTransactionHeldOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.keep(t, "one")
	s.Set(func() { s.Registered = []string{"internal/1000@acme.example", "internal/1001@acme.example"} })
	r.inSync(t)
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
	r.edit(t, `UPDATE domain_user SET password = 'another' WHERE id = '1001'`)
	wantHas(t, s, func() bool { return strings.Join(s.Registered, " ") == "internal/1000@acme.example" })
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.inSync(t)
	wantHas(t, s, func() bool { return len(s.Registered) == 0 })
	wantDid(t, s, "sofia profile external startgw twilio", 1)
}

// Of two servers one takes care of a node; when it ends the other does.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	stop := r.keep(t, "one")
	r.inSync(t)
	r.keep(t, "two")
	for range 5 {
		r.edit(t, carrier)
	}
	wantDid(t, s, "sofia profile external killgw twilio", 5)
	r.wantServer(t, "one")
	stop()
	r.edit(t, carrier)
	r.wantServer(t, "two")
	wantDid(t, s, "sofia profile external killgw twilio", 6)
}

// The switch still wants the password that it took, whoever asks.
func TestChangedPassword(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.sql(t, `UPDATE node SET event_socket_password = 'first' WHERE name = 'fs1'`)
	s.Boot()
	stop := r.keep(t, "one")
	r.inSync(t)
	r.sql(t, `UPDATE node SET event_socket_password = 'second' WHERE name = 'fs1'`)
	r.restartRequired(t, "fs1", "event_socket.conf")
	stop()
	r.keep(t, "two")
	r.edit(t, carrier)
	s.Boot()
	if err := has(s, func() bool { return s.Password == "second" }); err != nil {
		t.Fatal(err)
	}
	r.inSync(t)
	if all := r.state(t, "fs1").RestartRequired; len(all) > 0 {
		t.Errorf("restart required: %q", all)
	}
}

// A gateway that is being replaced does not stay killed when the switch's fetch fails.
func TestNotFoundInTheMiddleOfAReplacement(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
	s.Set(func() { s.Faults.Fetches = 40 }) // each start fetches time zones, too
	r.edit(t, carrier)
	wantHas(t, s, func() bool { return !s.Gateways["twilio"].Killed && s.Gateways["twilio"].Revision != "" })
	if n := s.Did("sofia profile external startgw twilio"); n < 20 {
		t.Errorf("the gateway was started %d times", n)
	}
}

func TestSwitchDies(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
	for _, at := range []string{"sofia profile external killgw", "sofia profile external startgw", "sofia_gateway_data", "sofia status"} {
		s.Set(func() { s.Faults.DieAt = at })
		r.edit(t, carrier)
		if err := has(s, func() bool { return !s.Gateways["twilio"].Killed && s.Faults.DieAt == "" }); err != nil {
			t.Errorf("at %s: %v", at, err)
		}
	}
	s.Boot()
	r.inSync(t)
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
	r.inSync(t)
	wantHas(t, s, func() bool {
		return s.Modules["mod_flite"] && s.Profiles["external"] && s.Profiles["internal"] && s.Gateways["twilio"].Revision != "" && s.Lists["domains"] &&
			s.Limits["max_sessions"] == "6"
	})
	r.restartRequired(t, "fs1", "post_load_switch.conf RTP ports")
}

func TestModuleThatDoesNotLoad(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
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
	r.inSync(t)
	if state := r.state(t, "fs1"); state.PendingSince != nil {
		t.Errorf("pending since %v", state.PendingSince)
	}
}

// A node without an event socket is in sync when what it fetched last is what it would be given now.
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
	r.inSync(t)
	r.sql(t, `DELETE FROM acl_entry`)
	pending("acl.conf")
	s.Set(s.ReloadACL)
	r.inSync(t)
	r.sql(t, carrier)
	pending("sofia.conf external/gateways")
	if s.Did("") != 0 {
		t.Errorf("it was told %q", s.Told())
	}
}

// A node that is inserted is taken care of, and one that is deleted no more.
func TestNodesComeAndGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.keep(t, "one")
	s := r.node(t, "fs1")
	r.inSync(t)
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
	r, s := newKept(t)
	listener := r.connect(t)
	if _, err := listener.Exec(t.Context(), "LISTEN xmlcurld"); err != nil {
		t.Fatal(err)
	}
	s.Boot()
	r.inSync(t)
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
