package check_test

import "testing"

var parameterCases = []found{
	{"of a profile", `INSERT INTO sip_profile_param (profile, name, value) VALUES ('external', 'inbound-codec-pref', 'PCMA')`,
		[]string{"parameter-unknown sip_profile_param profile=external node=* name=inbound-codec-pref position=1: Write inbound-codec-prefs, if that is meant."}},
	{"of the switch", `INSERT INTO switch_param (name, value) VALUES ('max-db-handle', '50')`, []string{"parameter-unknown switch_param node=* name=max-db-handle: max-db-handles"}},
	{"of all profiles", `INSERT INTO sofia_param (name, value) VALUES ('loglevel', '0')`, []string{"parameter-unknown sofia_param node=* name=loglevel: log-level"}},
	{"of the event socket, where case matters", `INSERT INTO event_socket_param (name, value) VALUES ('Nat-Map', 'true')`, []string{"parameter-unknown event_socket_param node=* name=Nat-Map"}},
	{"of a user", `INSERT INTO domain_user_param (domain, user_id, name, value) VALUES ('acme.example', '1000', 'vm-mail-to', 'a@acme.example')`,
		[]string{"parameter-unknown domain_user_param domain=acme.example user_id=1000 name=vm-mail-to: vm-mailto"}},
	{"of a domain, for somebody else", `INSERT INTO domain_param (domain, name, value) VALUES ('acme.example', 'our-own', '1')`, nil},
	{"that are known", `INSERT INTO switch_param (name, value) VALUES ('max-db-handles', '50'); INSERT INTO sofia_param (name, value) VALUES ('log-level', '0');
		INSERT INTO event_socket_param (name, value) VALUES ('nat-map', 'false'), ('Stop-On-Bind-Error', 'true')`,
		[]string{"parameter-unknown event_socket_param node=* name=Stop-On-Bind-Error"}},

	{"a variable that is not set", `INSERT INTO domain_variable (domain, name, value) VALUES ('acme.example', 'greeting', 'hello ${caller_id_name}')`,
		[]string{"variable-dropped domain_variable domain=acme.example name=greeting"}},
	{"a gateway's variable that is not set", `INSERT INTO gateway_variable (gateway, name, value) VALUES ('twilio', 'a', '$\{b}')`, []string{"variable-dropped gateway_variable gateway=twilio name=a"}},
	{"a variable that the switch fills in", `INSERT INTO domain_variable (domain, name, value, expand) VALUES ('acme.example', 'a', '$${b}', true), ('acme.example', 'c', '5$ {', false)`, nil},
	{"a global variable that is changed", `INSERT INTO switch_variable (name, value) VALUES ('greeting', 'hello ${caller_id_name}')`, []string{"variable-altered switch_variable node=* name=greeting"}},
	{"a global variable that is FreeSWITCH's own", `INSERT INTO switch_variable (name, value) VALUES ('hostname', 'fs1')`, []string{"variable-altered switch_variable node=* name=hostname"}},
	{"a global variable that comes late", `INSERT INTO switch_variable (name, value) VALUES ('a', 'b & c')`, []string{"variable-late switch_variable node=* name=a"}},
	{"a switch that ignores what it was told", `INSERT INTO node (name, event_socket_address) VALUES ('fs1', '127.0.0.1:8021');
		INSERT INTO node_state (node, server, reachable, pending, restart_required, last_error, checked_at) VALUES ('fs1', 's', true, '{}', '{RTP ports}', '', now())`,
		[]string{"restart-required node name=fs1: RTP ports"}},
}

func TestParameters(t *testing.T) {
	t.Parallel()
	finds(t, parameterCases)
}
