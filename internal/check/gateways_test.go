package check_test

import "testing"

const twoNodes = `INSERT INTO node (name, event_socket_address) VALUES ('fs1', 'fs1.lan:8021'), ('fs2', 'fs2.lan:8021');
	UPDATE node SET event_socket_ip = '0.0.0.0', event_socket_acl = 'phones' WHERE name = '*';`

var gatewayCases = []found{
	{"another node than its profile's", twoNodes + `UPDATE sip_profile SET node = 'fs1' WHERE name = 'external'; UPDATE gateway SET node = 'fs2'`,
		[]string{"gateway-nowhere gateway name=twilio"}},
	{"a user's, of a domain that is not parsed", `UPDATE sip_profile_domain SET parse = false;
		INSERT INTO gateway (name, profile, tenant, domain, user_id, proxy) VALUES ('own', 'internal', 'acme', 'acme.example', '1000', 'carrier.example')`,
		[]string{"gateway-nowhere gateway name=own"}},
	{"a user's", `INSERT INTO gateway (name, profile, tenant, domain, user_id, proxy) VALUES ('own', 'internal', 'acme', 'acme.example', '1000', 'carrier.example')`, nil},
	{"an account on two nodes", twoNodes + `UPDATE gateway SET register = true`, []string{"gateway-registers-twice gateway name=twilio"}},
	{"an account on one node", twoNodes + `UPDATE gateway SET register = true, node = 'fs1'`, nil},
	{"TLS that the profile lacks", `INSERT INTO gateway_param (gateway, name, value) VALUES ('twilio', 'register-transport', 'tls')`,
		[]string{"gateway-transport gateway_param gateway=twilio name=register-transport"}},
	{"TLS that the profile has", `INSERT INTO gateway_param (gateway, name, value) VALUES ('twilio', 'register-transport', 'tls');
		INSERT INTO sip_profile_param (profile, name, value) VALUES ('external', 'tls', 'true')`, nil},
	{"a profile's name", `INSERT INTO gateway (name, profile, proxy) VALUES ('internal', 'external', 'carrier.example')`, []string{"gateway-name gateway name=internal"}},
	{"a domain's name", `INSERT INTO gateway (name, profile, proxy) VALUES ('acme.example', 'external', 'carrier.example')`, []string{"gateway-name gateway name=acme.example"}},
	{"a domain of two profiles", `INSERT INTO sip_profile_domain (profile, name) VALUES ('external', 'acme.example')`,
		[]string{"profile-name sip_profile_domain profile=external name=acme.example", "profile-name sip_profile_domain profile=internal name=acme.example"}},
	{"a domain of two profiles, each on a node of its own", twoNodes + `INSERT INTO sip_profile_domain (profile, name) VALUES ('external', 'acme.example');
		UPDATE sip_profile SET node = CASE name WHEN 'external' THEN 'fs1' ELSE 'fs2' END`, nil},
	{"a domain that nobody has", `INSERT INTO sip_profile_domain (profile, name) VALUES ('external', 'amce.example')`,
		[]string{"domain-unknown sip_profile_domain profile=external name=amce.example"}},
	{"phones in a domain that nobody has", `INSERT INTO sip_profile_param (profile, name, value) VALUES ('internal', 'force-register-domain', 'amce.example')`,
		[]string{"domain-unknown sip_profile_param profile=internal node=* name=force-register-domain position=1"}},
	{"nobody's address", `UPDATE node SET local_ip = '0.0.0.0'`, []string{"address-unspecified node name=*: local_ip"}},
	{"nobody's address of a profile", `INSERT INTO sip_profile_param (profile, name, value) VALUES ('external', 'ext-rtp-ip', '0.0.0.0')`,
		[]string{"address-unspecified sip_profile_param profile=external node=* name=ext-rtp-ip position=1"}},
	{"one port", `UPDATE sip_profile_param SET value = '5060' WHERE name = 'sip-port'`, []string{"profile-port sip_profile name=internal"}},
	{"one port by default", `DELETE FROM sip_profile_param WHERE name = 'sip-port'`, []string{"profile-port sip_profile name=internal"}},
	{"one port at two addresses", `UPDATE sip_profile_param SET value = '5060' WHERE name = 'sip-port';
		UPDATE sip_profile_param SET value = '192.0.2.1', expand = false WHERE name = 'sip-ip' AND profile = 'external'`, nil},
	{"one port on one node only", twoNodes + `UPDATE node SET local_ip = '10.0.0.1' WHERE name = 'fs2';
		INSERT INTO sip_profile_param (profile, node, name, value) VALUES ('internal', 'fs2', 'sip-port', '5080')`,
		[]string{"profile-port sip_profile name=internal: On node fs2"}},
}

func TestGateways(t *testing.T) {
	t.Parallel()
	finds(t, gatewayCases)
}
