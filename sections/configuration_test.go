package sections_test

import "testing"

func TestSofia(t *testing.T) {
	t.Parallel()
	set := func(statement string) []string { return []string{statement} }
	full := []string{
		`INSERT INTO gateway (name, profile, tenant, proxy, realm, username, password, register) VALUES ('Second', 'external', 'vumi', NULL, 'realm.example', 'u', 'p<"&', true)`,
		`INSERT INTO gateway_param (gateway, name, value) VALUES ('Second', 'ping', '30'), ('Second', 'from-user', '')`,
		`INSERT INTO gateway_variable (gateway, name, value, direction) VALUES ('Second', 'both', '1', 'both'), ('Second', 'in', '2', 'inbound'), ('Second', 'out', '3', 'outbound')`,
		`INSERT INTO sip_profile_alias (profile, name) VALUES ('external', 'trunk.example')`,
		`INSERT INTO sofia_param (name, value) VALUES ('log-level', '0')`,
	}
	external := []string{"profile=external"}
	const none = "configuration name=sofia.conf\n profiles\n"
	check(t, []answer{
		{"whole: all profiles, no gateways", full, conf("sofia.conf"),
			expectation{want: []string{"global_settings\n  param name=log-level value=0", "profile name=external\n", "profile name=internal\n", "sip-port value=5080", "sip-port value=5060", "alias name=trunk.example"}, never: []string{"gateway"}}},
		{"a profile: with its gateways", full, conf("sofia.conf", external...),
			expectation{want: []string{"gateway name=Second\n", "gateway name=twilio\n", "sip-port value=5080", "alias name=trunk.example", "name=log-level"}, never: []string{"internal", "5060"}}},
		{"a profile in other case", nil, conf("sofia.conf", "profile=EXTERNAL"), expectation{want: []string{"profile name=external\n", "gateway name=twilio"}}},
		{"rescan", nil, conf("sofia.conf", "profile=external", "reconfig=true"), expectation{want: []string{"gateway name=twilio", "sip-port value=5080"}}},
		{"startgw", full, conf("sofia.conf", "profile=external", "reconfig=true", "gateway=Second"),
			expectation{
				want: []string{"gateway name=Second\n", `param name=password value=p<"&` + "\n", "param name=ping value=30\n", "param name=from-user value=\n", "param name=realm value=realm.example\n", "param name=register value=true\n",
					"param name=caller-id-in-from value=false\n", "variable name=both value=1\n", "variable name=in value=2 direction=inbound\n", "variable name=out value=3 direction=outbound\n"},
				never: []string{"twilio", "settings\n   param", "proxy"},
			}},
		{"startgw in other case", full, conf("sofia.conf", "profile=external", "gateway=SECOND"), expectation{want: []string{"gateway name=Second\n"}, never: []string{"twilio"}}},
		{"startgw _all_", full, conf("sofia.conf", "profile=external", "gateway=_all_"),
			expectation{want: []string{"gateway name=Second\n", "gateway name=twilio\n"}, never: []string{"sip-port"}}},
		{"startgw of another profile's", nil, conf("sofia.conf", "profile=internal", "gateway=twilio"), expectation{want: []string{"profile name=internal"}, never: []string{"gateway"}}},
		{"unknown gateway", nil, conf("sofia.conf", "profile=external", "gateway=nobody"), expectation{want: []string{"profile name=external"}, never: []string{"gateway"}}},
		{"unknown profile", nil, conf("sofia.conf", "profile=nobody"), expectation{want: []string{none}, never: []string{"profile name"}}},
		{"no profile at all", set(`DELETE FROM gateway; DELETE FROM sip_profile`), conf("sofia.conf"), expectation{want: []string{none}}},
		{"profile off", set(`UPDATE sip_profile SET enabled = false WHERE name = 'external'`), conf("sofia.conf"), expectation{want: []string{"profile name=internal"}, never: []string{"external"}}},
		{"profile off, itself", set(`UPDATE sip_profile SET enabled = false WHERE name = 'external'`), conf("sofia.conf", external...), expectation{want: []string{none}, never: []string{"twilio"}}},
		{"profile of another node", set(`INSERT INTO node (name) VALUES ('fs2'); UPDATE sip_profile SET node = 'fs2' WHERE name = 'external'`), conf("sofia.conf"), expectation{never: []string{"external", "twilio"}}},
		{"gateway off", set(`UPDATE gateway SET enabled = false`), conf("sofia.conf", external...), expectation{want: []string{"profile name=external"}, never: []string{"twilio"}}},
		{"gateway off, itself", set(`UPDATE gateway SET enabled = false`), conf("sofia.conf", "profile=external", "gateway=twilio"), expectation{never: []string{"twilio"}}},
		{"gateway of another node", set(`INSERT INTO node (name) VALUES ('fs2'); UPDATE gateway SET node = 'fs2'`), conf("sofia.conf", external...), expectation{never: []string{"twilio"}}},
		{"gateway's tenant off", set(`UPDATE tenant SET enabled = false WHERE name = 'vumi'`), conf("sofia.conf", external...), expectation{never: []string{"twilio"}}},
		{"operator's gateway stays", set(`UPDATE gateway SET tenant = NULL; UPDATE tenant SET enabled = false`), conf("sofia.conf", external...), expectation{want: []string{"twilio"}}},
		{"domain off", set(`UPDATE domain SET enabled = false`), conf("sofia.conf", "profile=internal"), expectation{want: []string{"sip-port"}, never: []string{"acme"}}},
		{"domains that are nobody's", set(`INSERT INTO sip_profile_domain (profile, name, alias, parse) VALUES ('external', 'all', false, true)`), conf("sofia.conf", external...),
			expectation{want: []string{"domain name=all alias=false parse=true"}}},
	})
}

func TestACL(t *testing.T) {
	t.Parallel()
	set := func(statement string) []string { return []string{statement} }
	const twilio = "54.172.60.0/30"
	check(t, []answer{
		{"single addresses get their bits", set(`INSERT INTO acl_entry (list, action, cidr) VALUES ('domains', 'deny', '192.0.2.9'), ('domains', 'allow', '2001:db8::1')`), conf("acl.conf"),
			expectation{want: []string{"node type=deny cidr=192.0.2.9/32\n", "node type=allow cidr=2001:db8::1/128\n"}}},
		{"ports", set(`INSERT INTO acl_entry (list, cidr, port) VALUES ('domains', '192.0.2.0/24', '[5060,5090]'), ('domains', '192.0.2.0/24', '[1,65535]')`), conf("acl.conf"),
			expectation{want: []string{"cidr=192.0.2.0/24 port-min=5060 port-max=5090\n", "port-min=1 port-max=65535\n"}}},
		{"entry off", set(`UPDATE acl_entry SET enabled = false WHERE cidr = '54.172.60.0/30'`), conf("acl.conf"), expectation{never: []string{twilio}}},
		{"tenant's entry, tenant off", set(`UPDATE acl_entry SET tenant = 'vumi' WHERE cidr = '54.172.60.0/30'; UPDATE tenant SET enabled = false WHERE name = 'vumi'`), conf("acl.conf"), expectation{want: []string{"54.171"}, never: []string{twilio}}},
		{"domain's tenant off", set(`UPDATE acl_entry SET tenant = NULL; UPDATE tenant SET enabled = false WHERE name = 'acme'`), conf("acl.conf"), expectation{want: []string{"list name=phones default=deny"}, never: []string{"acme"}}},
		{"domain off", set(`UPDATE domain SET enabled = false`), conf("acl.conf"), expectation{want: []string{twilio}, never: []string{"acme"}}},
		{"the older of two with one prefix first", set(`INSERT INTO acl_entry (list, action, cidr, domain, port) VALUES ('domains', 'deny', '54.172.60.0/30', NULL, '[5060,5060]')`), conf("acl.conf"),
			expectation{want: []string{"list name=domains default=deny\n   node type=allow cidr=" + twilio, "127.0.0.1/32\n   node type=deny cidr=" + twilio + " port-min=5060 port-max=5060\n  list name=phones"}}},
		{"no more than 32 networks share a node", set(`DELETE FROM acl_entry; INSERT INTO acl_entry (list, cidr) SELECT 'domains', set_masklen('192.0.2.0'::inet + n, 32) FROM generate_series(0, 64) n`), conf("acl.conf"),
			expectation{want: []string{"allow cidr=192.0.2.0/32,192.0.2.1/32,", ",192.0.2.31/32\n   node type=allow cidr=192.0.2.32/32,", ",192.0.2.63/32\n   node type=allow cidr=192.0.2.64/32\n  list"}}},
		{"those that differ in more do not", set(`DELETE FROM acl_entry; INSERT INTO acl_entry (list, action, cidr, port) VALUES ('domains', 'allow', '192.0.2.0/24', NULL),
			('domains', 'allow', '2001:db8::/32', NULL), ('domains', 'deny', '192.0.3.0/24', NULL), ('domains', 'deny', '192.0.4.0/24', '[1,2]'), ('phones', 'deny', '192.0.5.0/24', '[1,2]')`), conf("acl.conf"),
			expectation{want: []string{"list name=domains default=deny\n   node type=allow cidr=192.0.2.0/24,2001:db8::/32\n   node type=deny cidr=192.0.3.0/24\n" +
				"   node type=deny cidr=192.0.4.0/24 port-min=1 port-max=2\n  list name=phones default=deny\n   node type=deny cidr=192.0.5.0/24 port-min=1 port-max=2\n"}}},
		{"empty list", set(`DELETE FROM acl_entry`), conf("acl.conf"), expectation{want: []string{"list name=domains default=deny\n  list name=phones default=deny\n"}, never: []string{"node"}}},
		{"no list at all", set(`DELETE FROM acl_list`), conf("acl.conf"), expectation{want: []string{"configuration name=acl.conf\n network-lists\n"}, never: []string{"default=deny", "node "}}},
		{"allow by default", set(`UPDATE acl_list SET default_action = 'allow'`), conf("acl.conf"), expectation{want: []string{"list name=domains default=allow"}}},
	})
}

func TestSwitch(t *testing.T) {
	t.Parallel()
	set := func(statement string) []string { return []string{statement} }
	check(t, []answer{
		{"event socket without a password is empty", set(`UPDATE node SET event_socket_password = NULL; INSERT INTO event_socket_param (name, value) VALUES ('nat-map', 'true')`), conf("event_socket.conf"),
			expectation{want: []string{"configuration name=event_socket.conf\n"}, never: []string{"param", "settings"}}},
		{"event socket with several lists", set(`UPDATE node SET event_socket_acl = 'localnet.auto phones 10.0.0.0/8,192.168.0.0/16'`), conf("event_socket.conf"),
			expectation{want: []string{"name=apply-inbound-acl value=localnet.auto\n", "name=apply-inbound-acl value=phones\n", "name=apply-inbound-acl value=10.0.0.0/8,192.168.0.0/16\n"}}},
		{"event socket without anything", set(`UPDATE node SET event_socket_password = NULL, event_socket_ip = NULL, event_socket_port = NULL`), conf("event_socket.conf"), expectation{never: []string{"param"}}},
		{"api-expansion off", set(`UPDATE node SET api_expansion = false`), conf("post_load_switch.conf"), expectation{want: []string{"name=api-expansion value=false"}}},
		{"api-expansion not said", set(`UPDATE node SET api_expansion = NULL`), conf("post_load_switch.conf"), expectation{never: []string{"api-expansion"}}},
		{"nothing set", set(`UPDATE node SET api_expansion = NULL, rtp_port = NULL, max_sessions = NULL, sessions_per_second = NULL, loglevel = NULL`), conf("post_load_switch.conf"),
			expectation{want: []string{"configuration name=post_load_switch.conf\n"}, never: []string{"settings", "variables", "param"}}},
		{"RTP range written half open", set(`UPDATE node SET rtp_port = '[20000,20101)'`), conf("post_load_switch.conf"), expectation{want: []string{"rtp-start-port value=20000", "rtp-end-port value=20100"}}},
		{"global variables are set before the modules are loaded", set(`INSERT INTO switch_variable (name, value, expand) VALUES ('a', '$${z}-$${local_ip_v4}', true), ('m', 'x "y"', false), ('z', '21160', false)`), conf("post_load_modules.conf"),
			expectation{want: []string{"\n X-PRE-PROCESS cmd=set data=z=21160\n X-PRE-PROCESS cmd=set data=a=$${z}-$${local_ip_v4}\n modules\n"}, never: []string{"m=x"}}},
		{"module off", set(`UPDATE module SET enabled = false WHERE name = 'mod_flite'`), conf("post_load_modules.conf"), expectation{want: []string{"mod_sofia"}, never: []string{"mod_flite"}}},
		{"no module on", set(`UPDATE module SET enabled = false`), conf("post_load_modules.conf"), expectation{want: []string{"configuration name=post_load_modules.conf\n modules\n"}, never: []string{"load module"}}},
		{"no module at all", set(`DELETE FROM module`), conf("post_load_modules.conf"), expectation{want: []string{" modules\n"}, never: []string{"load module"}}},
	})
}

func TestStoredDocuments(t *testing.T) {
	t.Parallel()
	insert := func(section, name, body string) []string {
		return []string{`INSERT INTO document (section, name, body) VALUES ('` + section + `', '` + name + `', '` + body + `')`}
	}
	transfer := insert("channels", "nightmare_xfer", `<params><param name="sip-url" value="sip:a"/></params>`)
	chat := append(insert("chatplan", "public", `<context name="public"><a/></context>`), insert("chatplan", "default", `<context name="default"><b/></context>`)...)
	check(t, []answer{
		{"configuration", nil, conf("ivr.conf", "Menu-Name=main_menu"), expectation{want: []string{"configuration name=ivr.conf\n", "menu name=main_menu"}}},
		{"configuration with a declaration", insert("configuration", "x.conf", `<?xml version="1.0" encoding="utf-8"?><configuration name="x.conf"/>`), conf("x.conf"), expectation{want: []string{"configuration name=x.conf"}}},
		{"nobody stored it", nil, conf("conference.conf"), notFound},
		{"case counts", nil, conf("IVR.conf"), notFound},
		{"no name", nil, conf(""), notFound},
		{"a name that is no UTF-8", nil, conf("\xff\x00.conf"), notFound},
		{"a language is no configuration", nil, conf("en"), notFound},
		{"languages", nil, form("fs1", "languages", "", "", "", "lang=en", "macro_name=greeting"), expectation{want: []string{"language name=en"}}},
		{"unknown language", nil, form("fs1", "languages", "", "", "", "lang=de"), notFound},
		{"no language", nil, form("fs1", "languages", "", "", ""), notFound},
		{"phrases", nil, form("fs1", "phrases", "", "", "", "lang=en"), notFound},
		{"chatplan", chat, form("fs1", "chatplan", "", "", "", "context=public"), expectation{want: []string{"context name=public\n a"}}},
		{"chatplan without a context", chat, form("fs1", "chatplan", "", "", ""), expectation{want: []string{"context name=default\n b"}}},
		{"chatplan that nobody stored", nil, form("fs1", "chatplan", "", "", "", "context=public"), notFound},
		{"channels", transfer, form("fs1", "channels", "", "", "", "purpose=nightmare_xfer", "profile=internal"), expectation{want: []string{"params\n param name=sip-url value=sip:a"}}},
		{"channels, another purpose", transfer, form("fs1", "channels", "", "", "", "purpose=other"), notFound},
		{"channels that nobody stored", nil, form("fs1", "channels", "", "", "", "purpose=nightmare_xfer"), notFound},
	})
}
