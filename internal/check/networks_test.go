package check_test

import "testing"

var networkCases = []found{
	{"a network that the carrier publishes is missing", `DELETE FROM acl_entry WHERE cidr = '54.65.63.192/30'`,
		[]string{"carrier-networks gateway name=twilio: calls from 54.65.63.192/30"}},
	{"wider networks, as the carrier had years ago", `UPDATE acl_entry SET cidr = '54.172.60.0/23' WHERE cidr = '54.172.60.0/30'`,
		[]string{"carrier-networks gateway name=twilio: 54.172.60.0/23"}},
	{"no list", `DELETE FROM sip_profile_param WHERE profile = 'external' AND name = 'apply-inbound-acl'`, nil},
	{"another carrier", `UPDATE gateway SET proxy = 'sip.carrier.example'; DELETE FROM acl_entry WHERE note LIKE 'Twilio%'`, nil},
	{"a regional trunk", `UPDATE gateway SET proxy = 'sip:acme.pstn.frankfurt.twilio.com:5060;transport=udp'; DELETE FROM acl_entry WHERE cidr = '54.65.63.192/30'`,
		[]string{"carrier-networks gateway name=twilio"}},
	{"a list that lets all in", `UPDATE acl_list SET default_action = 'allow' WHERE name = 'domains'; DELETE FROM acl_entry WHERE note LIKE 'Twilio%'`, nil},

	{"a list that nobody has", `UPDATE sip_profile_param SET value = 'carriers:public' WHERE profile = 'external' AND name = 'apply-inbound-acl'`,
		[]string{"carrier-networks gateway name=twilio", "list-unknown sip_profile_param profile=external node=* name=apply-inbound-acl position=1"}},
	{"lists that are there", `UPDATE sip_profile_param SET value = 'rfc1918.auto' WHERE profile = 'external' AND name = 'apply-inbound-acl';
		INSERT INTO sip_profile_param (profile, name, value) VALUES ('external', 'apply-nat-acl', '10.0.0.0/8')`, nil},
	{"a user's list that nobody has", `INSERT INTO domain_user_param (domain, user_id, name, value) VALUES ('acme.example', '1000', 'auth-acl', 'offices')`,
		[]string{"list-unknown domain_user_param domain=acme.example user_id=1000 name=auth-acl"}},

	{"one network, let in and kept out", `INSERT INTO acl_entry (list, action, cidr, port) VALUES ('phones', 'allow', '10.0.0.0/8', '[5000,5100]'), ('phones', 'deny', '10.0.0.0/8', '[5060,5060]')`,
		[]string{"networks-conflict acl_entry list=phones node=* cidr=10.0.0.0/8 port=[5060,5060]"}},
	{"one network, at other ports", `INSERT INTO acl_entry (list, action, cidr, port) VALUES ('phones', 'allow', '10.0.0.0/8', '[5000,5059]'), ('phones', 'deny', '10.0.0.0/8', '[5060,5060]')`, nil},
	{"one network, of one node and of all", `INSERT INTO node (name, event_socket_address) VALUES ('fs1', '127.0.0.1:8021');
		INSERT INTO acl_entry (list, node, action, cidr) VALUES ('phones', '*', 'allow', '10.0.0.0/8'), ('phones', 'fs1', 'deny', '10.0.0.0/8')`, nil},
	{"one network within another", `INSERT INTO acl_entry (list, action, cidr) VALUES ('phones', 'allow', '10.0.0.0/8'), ('phones', 'deny', '10.1.0.0/16'), ('phones', 'deny', '10.1.2.0/24')`,
		[]string{"networks-nested acl_entry list=phones node=* cidr=10.1.0.0/16: 10.1.0.0/16 is kept out"}},
	{"one network within another, in another list", `INSERT INTO acl_entry (list, action, cidr) VALUES ('phones', 'allow', '54.0.0.0/8'), ('phones', 'allow', '54.65.63.192/30')`, nil},
	{"one network of two users", `UPDATE domain_user SET cidr = '{192.0.2.64/29,198.51.100.1}' WHERE id = '1000'`,
		[]string{"user-network domain_user domain=acme.example id=1002: so is 1000@acme.example"}},
	{"networks of two users", `UPDATE domain_user SET cidr = '{192.0.2.72/29}' WHERE id = '1000'`, nil},
	{"IPv6", `INSERT INTO acl_entry (list, action, cidr) VALUES ('phones', 'allow', '2001:db8::/32'), ('phones', 'deny', '2001:db8:1::/48')`,
		[]string{"networks-nested acl_entry list=phones node=* cidr=2001:db8:1::/48"}},
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	finds(t, networkCases)
}
