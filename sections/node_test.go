package sections_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"xmlcurld/xmlcurl"
)

// fs2 has a row of its own in every table that a node can override.
var fs2 = []string{
	`INSERT INTO node (name, rtp_port, max_sessions, event_socket_port, event_socket_acl) VALUES ('fs2', '[20000,20010]', 7, 9021, 'phones')`,
	`INSERT INTO module (node, name, position, enabled) VALUES ('fs2', 'mod_flite', 1, false), ('fs2', 'mod_db', 95, true), ('fs2', 'mod_lua', 5, true)`,
	`INSERT INTO switch_param (node, name, value) VALUES ('*', 'min-idle-cpu', '5'), ('*', 'verbose-channel-events', 'no'), ('fs2', 'min-idle-cpu', '9')`,
	`INSERT INTO switch_variable (node, name, value) VALUES ('*', 'sound_prefix', 'common'), ('fs2', 'sound_prefix', 'own'), ('fs2', 'only', 'here')`,
	`INSERT INTO event_socket_param (node, name, value) VALUES ('*', 'nat-map', 'false'), ('fs2', 'nat-map', 'true')`,
	`INSERT INTO acl_entry (list, node, action, cidr) VALUES ('domains', 'fs2', 'deny', '54.172.60.0/30')`,
	`INSERT INTO sofia_param (node, name, value) VALUES ('*', 'log-level', '0'), ('fs2', 'log-level', '9'), ('*', 'debug-presence', '0')`,
	`INSERT INTO sip_profile_param (profile, node, name, value) VALUES ('external', 'fs2', 'sip-port', '5099')`,
	`INSERT INTO sip_profile_param (profile, node, name, position, value) VALUES ('external', '*', 'apply-inbound-acl', 2, 'phones'),
		('internal', 'fs2', 'apply-inbound-acl', 5, 'second'), ('internal', 'fs2', 'apply-inbound-acl', 1, 'first')`,
	`INSERT INTO sip_profile (name, node) VALUES ('own', 'fs2')`,
	`INSERT INTO gateway (name, profile, node, proxy) VALUES ('own', 'external', 'fs2', 'own.example')`,
	`INSERT INTO document (name, node, body) VALUES ('ivr.conf', 'fs2', '<configuration name="ivr.conf"><own/></configuration>')`,
	`INSERT INTO document (section, name, node, body) VALUES ('languages', 'en', 'fs2', '<language name="en"><own/></language>')`,
}

func TestNodeOverrides(t *testing.T) {
	t.Parallel()
	w := demo(t, fs2...)
	for _, tc := range []struct {
		name, file   string
		fields       []string
		common, fs2s expectation
	}{
		{"post_load_switch.conf", "post_load_switch.conf", nil,
			expectation{
				want: []string{"name=rtp-start-port value=16384", "name=rtp-end-port value=16394", "name=max-sessions value=6", "name=min-idle-cpu value=5",
					"name=verbose-channel-events value=no", "variable name=sound_prefix value=common"},
				never: []string{"20000", "value=9", "own", "only"},
			},
			expectation{
				want: []string{"name=rtp-start-port value=20000", "name=rtp-end-port value=20010", "name=max-sessions value=7", "name=sessions-per-second value=30",
					"name=loglevel value=info", "name=min-idle-cpu value=9", "name=verbose-channel-events value=no", "variable name=sound_prefix value=own", "variable name=only value=here"},
				never: []string{"16384", "16394", "name=max-sessions value=6", "common"},
			}},
		{"post_load_modules.conf", "post_load_modules.conf", nil,
			expectation{want: []string{"mod_flite", "mod_db\n  load module=mod_expr"}, never: []string{"mod_lua"}},
			expectation{want: []string{"modules\n  load module=mod_lua\n  load module=mod_event_socket", "load module=mod_sofia\n  load module=mod_db\n"}, never: []string{"mod_flite"}}},
		{"event_socket.conf", "event_socket.conf", nil,
			expectation{want: []string{"listen-port value=8021", "nat-map value=false"}, never: []string{"apply-inbound-acl", "9021"}},
			expectation{want: []string{"listen-ip value=127.0.0.1", "listen-port value=9021", "password value=ClueCon", "nat-map value=true", "apply-inbound-acl value=phones"}, never: []string{"8021", "value=false"}}},
		{"acl.conf", "acl.conf", nil,
			expectation{want: []string{"node type=allow cidr=54.172.60.0/30"}, never: []string{"deny cidr"}},
			expectation{want: []string{"list name=domains default=deny\n   node type=deny cidr=54.172.60.0/30\n   node type=allow cidr=54.172.60.0/30"}}},
		{"sofia.conf", "sofia.conf", []string{"profile=external"},
			expectation{
				want:  []string{"name=log-level value=0", "sip-port value=5080", "name=apply-inbound-acl value=domains\n    param name=apply-inbound-acl value=phones", "gateway name=twilio"},
				never: []string{"own", "5099"},
			},
			expectation{
				want:  []string{"name=log-level value=9", "name=debug-presence value=0", "sip-port value=5099", "gateway name=own\n", "gateway name=twilio\n"},
				never: []string{"5080", "log-level value=0"},
			}},
		{"sofia.conf, positions of one's own", "sofia.conf", []string{"profile=internal"},
			expectation{want: []string{"name=apply-inbound-acl value=phones"}, never: []string{"value=first", "value=second"}},
			expectation{want: []string{"name=apply-inbound-acl value=first\n    param name=apply-inbound-acl value=second"}}},
		{"sofia.conf, profile of one's own", "sofia.conf", []string{"profile=own"},
			expectation{never: []string{"profile name"}},
			expectation{want: []string{"profile name=own\n"}}},
		{"stored document", "ivr.conf", nil,
			expectation{want: []string{"main_menu"}, never: []string{"own"}},
			expectation{want: []string{"configuration name=ivr.conf\n own"}, never: []string{"main_menu"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, stranger := range []string{"fs1", "*", "", "FS2"} { // no row of their own
				tc.common.check(t, w.ask(t, confOf(stranger, tc.file, tc.fields...)))
			}
			tc.fs2s.check(t, w.ask(t, confOf("fs2", tc.file, tc.fields...)))
		})
	}
	language := func(node string) string { return form(node, "languages", "", "", "", "lang=en") }
	expectation{want: []string{"macro name=greeting"}}.check(t, w.ask(t, language("fs1")))
	expectation{want: []string{"own"}, never: []string{"macro"}}.check(t, w.ask(t, language("fs2")))
}

// Whose sip-ip it is: the node's param row, then the node's address, then the common param row, then the common address.
func TestAddressPrecedence(t *testing.T) {
	t.Parallel()
	const (
		commonAddress = `UPDATE node SET local_ip = '192.0.2.4', external_ip = '198.51.100.4' WHERE name = '*'`
		noCommonRow   = `DELETE FROM sip_profile_param WHERE name IN ('sip-ip', 'rtp-ip')`
		commonRow     = noCommonRow + `; INSERT INTO sip_profile_param (profile, name, value) VALUES
			('external', 'sip-ip', '192.0.2.3'), ('external', 'rtp-ip', '192.0.2.3'), ('external', 'ext-sip-ip', '198.51.100.3'), ('external', 'ext-rtp-ip', '198.51.100.3')`
		node        = `INSERT INTO node (name) VALUES ('fs1')`
		nodeAddress = `INSERT INTO node (name, local_ip, external_ip) VALUES ('fs1', '192.0.2.2', '198.51.100.2')`
		nodeRow     = `INSERT INTO sip_profile_param (profile, node, name, value) VALUES
			('external', 'fs1', 'sip-ip', '192.0.2.1'), ('external', 'fs1', 'rtp-ip', '192.0.2.1'), ('external', 'fs1', 'ext-sip-ip', '198.51.100.1'), ('external', 'fs1', 'ext-rtp-ip', '198.51.100.1')`
	)
	check := func(name, want string, edits ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := demo(t, edits...).ask(t, conf("sofia.conf", "profile=external"))
			var ips []string
			for _, line := range got {
				for _, name := range []string{"ext-rtp-ip", "ext-sip-ip", "rtp-ip", "sip-ip"} {
					if ip, ok := strings.CutPrefix(strings.TrimSpace(line), "param name="+name+" value="); ok {
						ips = append(ips, ip)
					}
				}
			}
			if diff := cmp.Diff([]string{"198.51.100." + want, "198.51.100." + want, "192.0.2." + want, "192.0.2." + want}, ips); diff != "" {
				t.Error(diff)
			}
		})
	}
	check("node's param row", "1", commonAddress, commonRow, nodeAddress, nodeRow)
	check("node's address", "2", commonAddress, commonRow, nodeAddress)
	check("common param row", "3", commonAddress, commonRow, node)
	check("common address", "4", commonAddress, noCommonRow, node)
	check("common address, unknown node", "4", commonAddress, noCommonRow)
}

// A node without a row is counted, whatever it asks for; one with a row is not.
func TestUnknownNodeIsReported(t *testing.T) {
	t.Parallel()
	w := demo(t, `INSERT INTO node (name) VALUES ('fs2')`)
	requests := func(node string) []string {
		return []string{
			confOf(node, "acl.conf"), confOf(node, "sofia.conf"), confOf(node, "event_socket.conf"), confOf(node, "post_load_switch.conf"),
			confOf(node, "post_load_modules.conf"), confOf(node, "ivr.conf"), confOf(node, "none.conf"), form(node, "languages", "", "", "", "lang=en"),
			form(node, "dialplan", "", "", "", "Hunt-Context=public"), form(node, "directory", "", "", ""),
			form(node, "directory", "domain", "name", "acme.example", "domain=acme.example", "key=id", "user=1000"),
			form(node, "directory", "domain", "name", "acme.example", "domain=acme.example", "key=id", "user=nobody"),
			form(node, "directory", "domain", "name", "nobody.example", "domain=nobody.example", "purpose=network-list"),
		}
	}
	count := func(node string) float64 {
		registry := prometheus.NewRegistry()
		server := xmlcurl.NewServer(xmlcurl.Options{Handler: w.mux, Registerer: registry})
		for _, form := range requests(node) {
			server.ServeHTTP(httptest.NewRecorder(), captured{Method: "POST", Body: form}.request())
		}
		return value(t, registry, "xmlcurld_unknown_node_requests_total")
	}
	if n := count("fs2"); n != 0 {
		t.Errorf("%v requests of a known node", n)
	}
	for _, stranger := range []string{"fs1", "*", ""} {
		if n, want := count(stranger), float64(len(requests(""))); n != want {
			t.Errorf("%v of %v requests of %q", n, want, stranger)
		}
	}
}

// value is that of a counter without labels.
func value(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	if n, err := testutil.GatherAndCount(registry, name); err != nil || n != 1 {
		t.Fatalf("%s: %d, %v", name, n, err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return 0
}
