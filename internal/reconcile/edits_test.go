package reconcile_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/fingerprint"
	"xmlcurld/internal/fakeswitch"
)

// edit is one of plain SQL, and what the keeper does about it.
type edit struct {
	name      string
	statement string

	// sends has every command that the switch must get, and how often. One that ends in * stands for all that
	// begin so. No other command may be sent, unless it only asks.
	sends map[string]int
	// holds is what the switch is like afterwards, where the commands do not say it.
	holds func(*fakeswitch.Switch) bool
}

var edits = []edit{
	{
		name:      "number",
		statement: `UPDATE number SET enabled = false`,
	},
	{
		name:      "acl entry",
		statement: `INSERT INTO acl_entry (list, cidr) VALUES ('domains', '198.51.100.0/24')`,
		sends:     map[string]int{"reloadacl": 1},
	},
	{
		name:      "acl list",
		statement: `INSERT INTO acl_list (name) VALUES ('guests')`,
		sends:     map[string]int{"reloadacl": 1},
		holds:     func(s *fakeswitch.Switch) bool { return s.Lists["guests"] },
	},
	{
		name:      "cidr of a user on a list",
		statement: `UPDATE domain_user SET cidr = '{192.0.2.128/25}' WHERE id = '1002'`,
		sends: map[string]int{
			"reloadacl":                                      1,
			"xml_flush_cache id 1002 acme.example":           1,
			"xml_flush_cache number-alias 1002 acme.example": 1,
		},
	},
	{
		name:      "truncate",
		statement: `TRUNCATE acl_entry`,
		sends:     map[string]int{"reloadacl": 1},
	},
	{
		name:      "new gateway",
		statement: `INSERT INTO gateway (name, profile, proxy) VALUES ('carrier', 'external', 'sip.carrier.example')`,
		sends:     map[string]int{"sofia profile external startgw carrier": 1},
		holds:     gatewayIs("carrier", "external", "NOREG"),
	},
	{
		name:      "changed gateway",
		statement: `UPDATE gateway SET proxy = 'sip2.carrier.example' WHERE name = 'carrier'`,
		sends: map[string]int{
			"sofia profile external killgw carrier":  1,
			"sofia profile external startgw carrier": 1,
		},
		holds: gatewayIs("carrier", "external", "NOREG"),
	},
	{
		name:      "param of a gateway",
		statement: `INSERT INTO gateway_param (gateway, name, value) VALUES ('carrier', 'ping', '30')`,
		sends: map[string]int{
			"sofia profile external killgw carrier":  1,
			"sofia profile external startgw carrier": 1,
		},
		holds: gatewayIs("carrier", "external", "NOREG"),
	},
	{
		name:      "gateway that registers",
		statement: `UPDATE gateway SET register = true, username = 'u', password = 'p' WHERE name = 'carrier'`,
		sends: map[string]int{
			"sofia profile external killgw carrier":  1,
			"sofia profile external startgw carrier": 1,
		},
		holds: gatewayIs("carrier", "external", "REGED"),
	},
	{
		name:      "password of one that registers",
		statement: `UPDATE gateway SET password = 'q' WHERE name = 'carrier'`,
		sends: map[string]int{
			"sofia profile external unregister carrier": 1,
			"sofia profile external killgw carrier":     1,
			"sofia profile external startgw carrier":    1,
		},
		holds: func(s *fakeswitch.Switch) bool {
			return gatewayIs("carrier", "external", "REGED")(s) && s.Gateways["carrier"].Password == "q"
		},
	},
	{
		name:      "gateway to another profile",
		statement: `UPDATE gateway SET profile = 'internal' WHERE name = 'carrier'`,
		sends: map[string]int{
			"sofia profile external unregister carrier": 1,
			"sofia profile external killgw carrier":     1,
			"sofia profile internal startgw carrier":    1,
		},
		holds: gatewayIs("carrier", "internal", "REGED"),
	},
	{
		name:      "gateway off",
		statement: `UPDATE gateway SET enabled = false WHERE name = 'carrier'`,
		sends: map[string]int{
			"sofia profile internal unregister carrier": 1,
			"sofia profile internal killgw carrier":     1,
		},
		holds: gatewayIsGone("carrier"),
	},
	{
		name:      "tenant off",
		statement: `UPDATE tenant SET enabled = false WHERE name = 'vumi'`,
		sends:     map[string]int{"sofia profile external killgw twilio": 1},
		holds:     gatewayIsGone("twilio"),
	},
	{
		name:      "tenant on",
		statement: `UPDATE tenant SET enabled = true WHERE name = 'vumi'`,
		sends:     map[string]int{"sofia profile external startgw twilio": 1},
		holds:     gatewayIs("twilio", "external", "NOREG"),
	},
	{
		name:      "many gateways",
		statement: `INSERT INTO gateway (name, profile, proxy) SELECT 'many' || n, 'external', 'x' FROM generate_series(1, 500) n`,
		sends:     map[string]int{"sofia profile external startgw _all_": 1},
		holds:     func(s *fakeswitch.Switch) bool { return len(s.Gateways) >= 501 },
	},
	{
		name:      "all of them changed",
		statement: `UPDATE gateway SET proxy = 'y' WHERE name LIKE 'many%'`,
		sends: map[string]int{
			"sofia profile external killgw many*":  500,
			"sofia profile external startgw _all_": 1,
		},
		holds: gatewayIs("many7", "external", "NOREG"),
	},
	{
		name:      "all of them removed",
		statement: `DELETE FROM gateway WHERE name LIKE 'many%'`,
		sends:     map[string]int{"sofia profile external killgw many*": 500},
		holds:     gatewayIsGone("many7"),
	},
	{
		name:      "limits",
		statement: `UPDATE node SET max_sessions = 55, sessions_per_second = 7, loglevel = 'err' WHERE name = 'fs1'`,
		sends:     map[string]int{"fsctl max_sessions 55": 1, "fsctl sps 7": 1, "fsctl loglevel err": 1},
	},
	{
		name:      "limits taken back",
		statement: `UPDATE node SET max_sessions = NULL, sessions_per_second = NULL, loglevel = NULL`,
		sends:     map[string]int{"fsctl max_sessions 1000": 1, "fsctl sps 30": 1, "fsctl loglevel debug": 1},
	},
	{
		name:      "limits that the rows do not set",
		statement: `UPDATE node SET max_sessions = NULL`,
	},
	{
		name:      "module",
		statement: `INSERT INTO module (name) VALUES ('mod_opus')`,
		sends:     map[string]int{"load mod_opus": 1},
		holds:     func(s *fakeswitch.Switch) bool { return s.Modules["mod_opus"] },
	},
	{
		name:      "module off on this node",
		statement: `INSERT INTO module (node, name, enabled) VALUES ('fs1', 'mod_flite', false)`,
		sends:     map[string]int{"unload mod_flite": 1},
		holds:     func(s *fakeswitch.Switch) bool { return !s.Modules["mod_flite"] },
	},
	{
		name:      "module removed",
		statement: `DELETE FROM module WHERE name = 'mod_opus'`,
		sends:     map[string]int{"unload mod_opus": 1},
		holds:     func(s *fakeswitch.Switch) bool { return !s.Modules["mod_opus"] },
	},
	{
		name: "setting of a profile",
		statement: `UPDATE sip_profile_param SET value = 'PCMA'
			WHERE profile = 'external' AND name = 'inbound-codec-prefs'`,
		sends: rescans("external"),
		holds: func(s *fakeswitch.Switch) bool { return s.Advertised["external"]["inbound-codec-prefs"] == "PCMA" },
	},
	{
		name:      "setting of all profiles",
		statement: `INSERT INTO sofia_param (name, value) VALUES ('log-level', '1')`,
		sends:     rescans("external"), // one rescan of any profile does it
	},
	{
		name: "new profile",
		statement: `INSERT INTO sip_profile (name) VALUES ('third');
			INSERT INTO sip_profile_param (profile, name, value) VALUES ('third', 'sip-port', '5070')`,
		sends: map[string]int{"sofia profile third start": 1},
		holds: func(s *fakeswitch.Switch) bool { return s.Profiles["third"] },
	},
	{
		name:      "user with an alias",
		statement: `UPDATE domain_user SET caller_id_name = 'Front' WHERE id = '1000'`,
		sends: map[string]int{
			"xml_flush_cache id 1000 acme.example":            1,
			"xml_flush_cache number-alias 1000 acme.example":  1,
			"xml_flush_cache id 71000 acme.example":           1,
			"xml_flush_cache number-alias 71000 acme.example": 1,
		},
	},
	{
		name: "all users",
		statement: `UPDATE domain_user SET vm_password = '1';
			INSERT INTO domain_user (domain, id, password) SELECT 'acme.example', 'u' || n, 'x' FROM generate_series(1, 500) n;
			UPDATE domain_user SET caller_id_name = 'A'`,
		sends: map[string]int{"xml_flush_cache": 1},
	},
}

func gatewayIs(name, profile, state string) func(*fakeswitch.Switch) bool {
	return func(s *fakeswitch.Switch) bool {
		g := s.Gateways[name]
		return !g.Killed && g.Profile == profile && g.State == state
	}
}

func gatewayIsGone(name string) func(*fakeswitch.Switch) bool {
	return func(s *fakeswitch.Switch) bool {
		g, there := s.Gateways[name]
		return !there || g.Killed
	}
}

// rescans is what has a running profile take its settings.
func rescans(profile string) map[string]int {
	return map[string]int{
		"global_setvar " + fingerprint.RescanVariable + "=start-": 1,
		"sofia profile " + profile + " rescan":                    1,
		"global_setvar " + fingerprint.RescanVariable + "=":       1,
	}
}

// onlyAsk begin the commands that change nothing.
var onlyAsk = regexp.MustCompile(`^(acl|module_exists|show channels|sofia status|sofia_gateway_data|status|strftime_tz|switchname|uptime|uuid_getvar) |` +
	`^(sofia status|status|switchname|uptime)$|^fsctl \w+$`)

// sent returns the commands beyond those before that a switch got and that may change something.
func sent(s *fakeswitch.Switch, before int) []string {
	return slices.DeleteFunc(s.Log()[before:], onlyAsk.MatchString)
}

// Each kind of edit sends the switch what it needs, and nothing else: what was foreseen.
func TestEdits(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
	for _, tc := range edits {
		t.Run(tc.name, func(t *testing.T) {
			before := len(s.Log())
			foreseen := r.foresee(t, tc.statement)
			if told := sent(s, before); len(told) > 0 {
				t.Errorf("to foresee sent %q", told)
			}
			before = len(s.Log())
			r.edit(t, tc.statement)
			got := sent(s, before)
			if diff := cmp.Diff(foreseen.Commands, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("commands (-foreseen +sent):\n%s", diff)
			}
			if foreseen.Unknown != "" || len(foreseen.Pending)+len(foreseen.Restart) > 0 {
				t.Errorf("foreseen: %+v", foreseen)
			}
			times := make(map[string]int)
			for _, command := range got {
				for wanted := range tc.sends {
					if words, all := strings.CutSuffix(wanted, "*"); all && strings.HasPrefix(command, words) {
						command = wanted
					}
				}
				times[command]++
			}
			if diff := cmp.Diff(tc.sends, times, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			if tc.holds != nil {
				wantHas(t, s, func() bool { return tc.holds(s) })
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
			before := len(s.Log())
			foreseen := r.foresee(t, tc.statement)
			if told := sent(s, before); len(told) > 0 {
				t.Errorf("to foresee sent %q", told)
			}
			r.edit(t, tc.statement)
			got := sent(s, before)
			if diff := cmp.Diff(slices.Sorted(slices.Values(foreseen.Commands)), slices.Sorted(slices.Values(got))); diff != "" {
				t.Errorf("commands (-foreseen +sent):\n%s", diff)
			}
			var ended []string
			for _, phone := range []string{sales, door, alias, foreign} {
				profile, user, _ := strings.Cut(phone, "/")
				if slices.Contains(got, "sofia profile "+profile+" flush_inbound_reg "+user) {
					ended = append(ended, user)
				}
			}
			if diff := cmp.Diff(ended, slices.Sorted(slices.Values(foreseen.Registrations)), cmpopts.EquateEmpty(), cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("registrations (-ended +foreseen):\n%s", diff)
			}
			s.Set(func() {
				got := strings.TrimSuffix(strings.Join(s.Registered, " "), foreign)
				if strings.TrimSpace(got) != tc.left {
					t.Errorf("left: %q, want %q", got, tc.left)
				}
			})
			r.edit(t, `UPDATE domain_user SET number_alias = '71000' WHERE id = '1000'`)
		})
	}
}

// Bursts are merged.
func TestBursts(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
	before, began := s.Did(""), time.Now()
	for n := range 500 {
		r.sql(t, `INSERT INTO acl_entry (list, cidr) VALUES ('domains', ('10.' || $1::int || '.' || $2::int || '.0/24')::cidr)`, n/250, n%250)
	}
	r.inSync(t)
	most := 10 + int(time.Since(began)/(100*time.Millisecond)) // looks in a burst, on however busy a machine
	if reloads, all := s.Did("reloadacl"), s.Did("")-before; reloads == 0 || reloads > most || all > 7*most {
		t.Errorf("500 transactions: %d reloads, %d commands, %d looks at the most", reloads, all, most)
	}
	reloads := s.Did("reloadacl")
	r.edit(t, `INSERT INTO acl_entry (list, cidr) SELECT 'domains', ('11.' || n / 250 || '.' || n % 250 || '.0/24')::cidr FROM generate_series(0, 9999) n`)
	if n := s.Did("reloadacl") - reloads; n == 0 || n > 2 {
		t.Errorf("10,000 rows: %d reloads", n)
	}
	_, err := r.conn.CopyFrom(t.Context(), pgx.Identifier{"gateway"}, []string{"name", "profile", "proxy"}, pgx.CopyFromSlice(1000, func(n int) ([]any, error) {
		return []any{fmt.Sprintf("g%d", n), "external", "x"}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	r.inSync(t)
	wantHas(t, s, func() bool { return s.Gateways["g999"].Revision != "" })
	if n := s.Did("sofia profile external startgw"); n == 0 || n > 2 {
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
			r.inSync(t)
			if tc.name != "module that cannot be unloaded" { // only the switch knows
				eventually(t, "it is foreseen, once the switch has been up for a while", func() error {
					if f := r.foresee(t, tc.statement); !strings.Contains(strings.Join(f.Restart, "; "), tc.shows) {
						return fmt.Errorf("%+v", f)
					}
					return nil
				})
			}
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
			r.inSync(t)
			eventually(t, "the restart took it", func() error {
				if all := r.state(t, "fs1").RestartRequired; len(all) > 0 {
					return fmt.Errorf("%q", all)
				}
				return nil
			})
		})
	}
}
