package reconcile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Each kind of edit by plain SQL, and what the switch is like then.
func TestEdits(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
	for _, tc := range []struct {
		name, statement string
		holds           func() bool
		most            map[string]int // commands, by their first words, and how many at most
	}{
		{"number", `UPDATE number SET enabled = false`, func() bool { return true }, map[string]int{"reloadacl": 0, "load": 0, "sofia profile": 0, "xml_flush_cache": 0}},
		{"acl entry", `INSERT INTO acl_entry (list, cidr) VALUES ('domains', '198.51.100.0/24')`, func() bool { return true }, map[string]int{"reloadacl": 1, "sofia profile": 0}},
		{"acl list", `INSERT INTO acl_list (name) VALUES ('guests')`, func() bool { return s.Lists["guests"] }, map[string]int{"reloadacl": 1}},
		{"cidr of a user on a list", `UPDATE domain_user SET cidr = '{192.0.2.128/25}' WHERE id = '1002'`, func() bool { return true }, map[string]int{"reloadacl": 1}},
		{"truncate", `TRUNCATE acl_entry`, func() bool { return true }, map[string]int{"reloadacl": 1}},
		{"new gateway", `INSERT INTO gateway (name, profile, proxy) VALUES ('carrier', 'external', 'sip.carrier.example')`,
			func() bool { return s.Gateways["carrier"].Profile == "external" }, map[string]int{"sofia profile external startgw carrier": 1, "sofia profile external killgw": 0}},
		{"changed gateway", `UPDATE gateway SET proxy = 'sip2.carrier.example' WHERE name = 'carrier'`, func() bool { return !s.Gateways["carrier"].Killed },
			map[string]int{"sofia profile external startgw carrier": 1, "sofia profile external killgw carrier": 1, "sofia profile external rescan": 0}},
		{"param of a gateway", `INSERT INTO gateway_param (gateway, name, value) VALUES ('carrier', 'ping', '30')`, func() bool { return !s.Gateways["carrier"].Killed },
			map[string]int{"sofia profile external startgw carrier": 1}},
		{"gateway that registers", `UPDATE gateway SET register = true, username = 'u', password = 'p' WHERE name = 'carrier'`, func() bool { return s.Gateways["carrier"].State == "REGED" }, nil},
		{"password of one that registers", `UPDATE gateway SET password = 'q' WHERE name = 'carrier'`, func() bool { return s.Gateways["carrier"].State == "REGED" },
			map[string]int{"sofia profile external unregister carrier": 1, "sofia profile external killgw carrier": 1, "sofia profile external startgw carrier": 1}},
		{"gateway to another profile", `UPDATE gateway SET profile = 'internal' WHERE name = 'carrier'`, func() bool { return s.Gateways["carrier"].Profile == "internal" }, nil},
		{"gateway off", `UPDATE gateway SET enabled = false WHERE name = 'carrier'`, func() bool { g, ok := s.Gateways["carrier"]; return !ok || g.Killed }, nil},
		{"tenant off", `UPDATE tenant SET enabled = false WHERE name = 'vumi'`, func() bool { g, ok := s.Gateways["twilio"]; return !ok || g.Killed }, nil},
		{"tenant on", `UPDATE tenant SET enabled = true WHERE name = 'vumi'`, func() bool { g, ok := s.Gateways["twilio"]; return ok && !g.Killed }, nil},
		{"many gateways", `INSERT INTO gateway (name, profile, proxy) SELECT 'many' || n, 'external', 'x' FROM generate_series(1, 500) n`, func() bool { return len(s.Gateways) >= 501 },
			map[string]int{"sofia profile external startgw": 1, "sofia profile external rescan": 0}},
		{"all of them changed", `UPDATE gateway SET proxy = 'y' WHERE name LIKE 'many%'`, func() bool { return !s.Gateways["many7"].Killed }, map[string]int{"sofia profile external startgw": 1}},
		{"all of them removed", `DELETE FROM gateway WHERE name LIKE 'many%'`, func() bool { _, ok := s.Gateways["many7"]; return !ok || s.Gateways["many7"].Killed }, map[string]int{"sofia profile external startgw": 0, "sofia status gateway many": 0}},
		{"limits", `UPDATE node SET max_sessions = 55, sessions_per_second = 7, loglevel = 'err' WHERE name = 'fs1'`,
			func() bool {
				return s.Limits["max_sessions"] == "55" && s.Limits["sps"] == "7" && s.Limits["loglevel"] == "err"
			}, map[string]int{"fsctl loglevel": 1}},
		{"limits taken back", `UPDATE node SET max_sessions = NULL, sessions_per_second = NULL, loglevel = NULL`,
			func() bool {
				return s.Limits["max_sessions"] == "1000" && s.Limits["sps"] == "30" && s.Limits["loglevel"] == "debug"
			}, map[string]int{"fsctl max_sessions 1000": 1, "fsctl sps 30": 1}},
		{"limits that the rows do not set", `UPDATE node SET max_sessions = NULL`, func() bool { return s.Limits["max_sessions"] == "1000" }, map[string]int{"fsctl max_sessions": 0, "fsctl sps": 0, "fsctl loglevel": 0}},
		{"module", `INSERT INTO module (name) VALUES ('mod_opus')`, func() bool { return s.Modules["mod_opus"] }, map[string]int{"load": 1}},
		{"module off on this node", `INSERT INTO module (node, name, enabled) VALUES ('fs1', 'mod_flite', false)`, func() bool { return !s.Modules["mod_flite"] }, map[string]int{"unload": 1}},
		{"module removed", `DELETE FROM module WHERE name = 'mod_opus'`, func() bool { return !s.Modules["mod_opus"] }, map[string]int{"unload mod_opus": 1}},
		{"setting of a profile", `UPDATE sip_profile_param SET value = 'PCMA' WHERE profile = 'external' AND name = 'inbound-codec-prefs'`, func() bool { return true },
			map[string]int{"sofia profile external rescan": 1, "sofia profile internal": 0}},
		{"setting of all profiles", `INSERT INTO sofia_param (name, value) VALUES ('log-level', '1')`, func() bool { return true }, map[string]int{"sofia profile external rescan": 1}},
		{"new profile", `INSERT INTO sip_profile (name) VALUES ('third'); INSERT INTO sip_profile_param (profile, name, value) VALUES ('third', 'sip-port', '5070')`,
			func() bool { return s.Profiles["third"] }, map[string]int{"sofia profile third start": 1}},
		{"user", `UPDATE domain_user SET caller_id_name = 'Front' WHERE id = '1000'`, func() bool { return true }, map[string]int{"xml_flush_cache": 4, "reloadacl": 0, "sofia profile": 0}},
		{"all users", `UPDATE domain_user SET vm_password = '1'; INSERT INTO domain_user (domain, id, password) SELECT 'acme.example', 'u' || n, 'x' FROM generate_series(1, 500) n; UPDATE domain_user SET caller_id_name = 'A'`,
			func() bool { return true }, map[string]int{"xml_flush_cache": 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := map[string]int{}
			for words := range tc.most {
				before[words] = s.Did(words)
			}
			r.edit(t, tc.statement)
			wantHas(t, s, tc.holds)
			for words, most := range tc.most {
				if n := s.Did(words) - before[words]; n > most {
					t.Errorf("%d times %q, want at most %d", n, words, most)
				}
			}
		})
	}
	if all := r.state(t, "fs1").RestartRequired; len(all) > 0 {
		t.Errorf("restart required: %q", all)
	}
}

func TestRegistrations(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
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
			r.edit(t, tc.statement)
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
	r, s := newKept(t)
	before := s.Did("")
	for n := range 500 {
		r.sql(t, `INSERT INTO acl_entry (list, cidr) VALUES ('domains', ('10.' || $1::int || '.' || $2::int || '.0/24')::cidr)`, n/250, n%250)
	}
	r.inStep(t)
	if reloads, all := s.Did("reloadacl"), s.Did("")-before; reloads > 30 || all > 200 {
		t.Errorf("500 transactions: %d reloads, %d commands", reloads, all)
	}
	reloads := s.Did("reloadacl")
	r.edit(t, `INSERT INTO acl_entry (list, cidr) SELECT 'domains', ('11.' || n / 250 || '.' || n % 250 || '.0/24')::cidr FROM generate_series(0, 9999) n`)
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
	wantHas(t, s, func() bool { return s.Gateways["g999"].Revision != "" })
	if n := s.Did("sofia profile external startgw"); n > 2 {
		t.Errorf("1,000 copied gateways: %d lookups", n)
	}
}

// What ends calls, or only a restart can take, is shown and not done.
func TestRestartRequired(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, statement, shows string }{
		{"RTP range", `UPDATE node SET rtp_port = '[20000,20100]' WHERE name = '*'`, "post_load_switch.conf RTP ports"},
		{"global variable", `INSERT INTO switch_variable (name, value) VALUES ('a', 'b')`, "post_load_switch.conf settings"},
		{"profile's port", `UPDATE sip_profile_param SET value = '5099' WHERE profile = 'external' AND name = 'sip-port'`, "profile external: sip-port 5080 -> 5099"},
		{"node's address", `UPDATE node SET local_ip = '192.0.2.1' WHERE name = 'fs1'; DELETE FROM sip_profile_param WHERE name = 'sip-ip'`, "profile internal: sip-ip"},
		{"parameter left out", `DELETE FROM sip_profile_param WHERE profile = 'external' AND name = 'auth-calls'`, "profile external: without auth-calls"},
		{"profile removed", `DELETE FROM gateway; DELETE FROM sip_profile WHERE name = 'external'`, "profile external: removed"},
		{"module that cannot be unloaded", `DELETE FROM module WHERE name = 'mod_say_en'`, "unload mod_say_en"},
		{"mod_sofia removed", `DELETE FROM module WHERE name = 'mod_sofia'`, "unload mod_sofia"},
		{"event socket's password", `UPDATE node SET event_socket_password = 'another' WHERE name = '*'`, "event_socket.conf"},
		{"event socket's port", `UPDATE node SET event_socket_port = 1 WHERE name = 'fs1'`, "event_socket.conf"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := r.node(t, "fs1")
			r.keep(t, "one")
			r.inStep(t)
			r.sql(t, tc.statement)
			r.restartRequired(t, "fs1", tc.shows)
			s.Set(func() {
				if !s.Modules["mod_sofia"] || !s.Profiles["external"] {
					t.Error("it was done all the same")
				}
			})
			for _, words := range []string{"sofia profile external restart", "sofia profile external stop", "unload mod_sofia", "unload mod_event_socket"} {
				if n := s.Did(words); n != 0 {
					t.Errorf("%d times %s", n, words)
				}
			}
			s.Boot()
			if tc.name == "event socket's port" {
				return // the simulated switch stays where it is
			}
			r.inStep(t)
			eventually(t, "the restart took it", func() error {
				if all := r.state(t, "fs1").RestartRequired; len(all) > 0 {
					return fmt.Errorf("%q", all)
				}
				return nil
			})
		})
	}
}
