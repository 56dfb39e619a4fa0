package dbtest

// SecondNode gives the demo world two nodes.
const SecondNode = `INSERT INTO node (name) VALUES ('fs1'), ('fs2')`

// Edits of the demo world with SecondNode are made one after the other: one of every kind that changes what is answered.
var Edits = []string{
	`INSERT INTO node_credential (node, username, password_hash) VALUES ('fs1', 'fs1', '$2a$10$' || repeat('a', 53))`,
	`UPDATE number SET enabled = false WHERE number = '+27123456789'`,
	`UPDATE number SET enabled = true, display_name = 'Front desk' WHERE number = '+27123456789'`,
	`INSERT INTO number (context, number, tenant, extension) SELECT context, '+27990000000', tenant, extension FROM number WHERE number = '+27123456789'`,
	`UPDATE number SET number = '+27000000000' WHERE number = '+27990000000'`,
	`UPDATE number SET tenant = 'acme', extension = 'reception', display_name = 'Acme' WHERE number = '+27000000000'`,
	`INSERT INTO gateway (name, profile, node, tenant, proxy) VALUES ('own', 'external', 'fs1', 'acme', 'carrier.example');
	 INSERT INTO gateway_param (gateway, name, value, expand) VALUES ('own', 'ping', '30', true), ('own', 'extension', '1000', false)`,
	`INSERT INTO gateway_variable (gateway, name, value, direction) VALUES ('own', 'rate', '7', 'outbound'), ('own', 'absolute_codec_string', 'PCMA', 'both')`,
	`UPDATE tenant SET enabled = false WHERE name = 'acme'`,
	`UPDATE tenant SET enabled = true WHERE name = 'acme'`,
	`UPDATE context SET number_forms = '{bare}' WHERE name = 'public'`,
	`UPDATE context SET number_forms = '{plus,bare,00}' WHERE name = 'public'`,
	`UPDATE context_extension SET enabled = false`,
	`UPDATE context_extension SET enabled = true`,
	`INSERT INTO extension (name, continue) VALUES ('every.call', true), ('last', false), ('own', true);
	 INSERT INTO context_extension (context, extension, position, after_number) VALUES ('public', 'every.call', 1, false), ('acme', 'every.call', 1, false),
		('public', 'last', 1, true), ('public', 'own', 3, false)`,
	`UPDATE number SET extension = 'own' WHERE number = '+27210000000'`,
	`UPDATE extension SET continue = false WHERE name = 'every.call'`,
	`UPDATE extension SET continue = true, name = 'each.call' WHERE name = 'every.call'`,
	`INSERT INTO condition (extension, position, regex, hour, require_nested) VALUES ('each.call', 1, 'xor', '9-16', false);
	 INSERT INTO condition (extension, position, parent, dst) VALUES ('each.call', 2, 1, true);
	 INSERT INTO condition_regex (extension, condition, position, field, expression, tz_offset) VALUES ('each.call', 1, 1, 'ani', '^1', NULL), ('each.call', 1, 2, NULL, NULL, '2')`,
	`UPDATE condition_regex SET expression = '^2' WHERE position = 1`,
	`UPDATE number SET extension = 'transfer', forward_number = '1' WHERE extension = 'own'`,
	`DELETE FROM context_extension WHERE extension = 'last'`,
	`INSERT INTO extension (name, body) VALUES ('filled', '<condition><action application="log" data="%{tenant}"/></condition>');
	 UPDATE number SET extension = 'filled' WHERE number = '+27210000000'`,
	`INSERT INTO extension (name) VALUES ('busy'); INSERT INTO action (extension, position, application, data) VALUES ('busy', 1, 'hangup', 'USER_BUSY');
	 UPDATE context SET not_found_extension = 'busy' WHERE name = 'public'`,
	`UPDATE action SET data = 'CALL_REJECTED' WHERE extension = 'busy'`,
	`UPDATE extension SET tenant = 'acme' WHERE name = 'reception'`,
	`DELETE FROM number WHERE number = '+27000000000'`,
	`UPDATE domain_user SET password = 'new-password' WHERE id = '1000'`,
	`UPDATE domain_user SET number_alias = CASE id WHEN '1000' THEN '2001' WHEN '1001' THEN '2000' END WHERE id IN ('1000', '1001')`,
	`UPDATE domain_user SET enabled = false WHERE id = '1001'`,
	`UPDATE domain_user SET id = 'new' WHERE id = '1000'`,
	`INSERT INTO domain_user (domain, id, password) VALUES ('acme.example', '1003', 'another-password')`,
	`INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1003', 'toll_allow', 'local')`,
	`UPDATE domain_variable SET value = 'changed'`,
	`INSERT INTO domain (name, tenant) VALUES ('beta.example', 'acme'); INSERT INTO domain_user (domain, id, password) VALUES ('beta.example', '1000', 'yet-another-password')`,
	`UPDATE domain SET enabled = false WHERE name = 'beta.example'`,
	`UPDATE domain SET name = 'gamma.example', enabled = true WHERE name = 'beta.example'`,
	`DELETE FROM domain WHERE name = 'gamma.example'`,
	`INSERT INTO acl_entry (list, cidr) SELECT name, '198.51.100.0/24' FROM acl_list`,
	`INSERT INTO acl_entry (list, node, cidr) SELECT name, 'fs1', '203.0.113.0/24' FROM acl_list`,
	`UPDATE acl_entry SET node = 'fs2' WHERE node = 'fs1'`,
	`UPDATE gateway SET password = 'new-password'`,
	`UPDATE gateway_variable SET value = '8' WHERE name = 'rate'`,
	`UPDATE gateway SET node = '*', profile = 'internal' WHERE name = 'own'`,
	`UPDATE gateway SET name = 'other' WHERE name = 'own'`,
	`UPDATE gateway SET name = 'own', enabled = false WHERE name = 'other'`,
	`UPDATE gateway SET enabled = true, domain = 'acme.example', user_id = 'new' WHERE name = 'own'`,
	`UPDATE gateway SET domain = NULL, user_id = NULL WHERE name = 'own'`,
	`DELETE FROM gateway_param; TRUNCATE gateway_variable`,
	`UPDATE sip_profile SET enabled = false WHERE name = 'external'`,
	`UPDATE sip_profile SET enabled = true WHERE name = 'external'`,
	`DELETE FROM gateway WHERE name = 'own'`,
	`TRUNCATE gateway CASCADE`,
	`INSERT INTO sip_profile (name) VALUES ('new')`,
	`INSERT INTO sip_profile_param (profile, node, name, value) VALUES ('new', 'fs1', 'sip-port', '5099')`,
	`UPDATE node SET max_sessions = 17, event_socket_port = 8099 WHERE name = 'fs1'`,
	`INSERT INTO module (name, position) VALUES ('mod_spy', 900)`,
	`INSERT INTO document (section, name, body) VALUES ('configuration', 'ivr.conf', '<configuration name="ivr.conf"><menus/></configuration>')
	 ON CONFLICT (node, section, name) DO UPDATE SET body = excluded.body`,
	`DELETE FROM domain_group_user`,
	`DELETE FROM node WHERE name = 'fs1'`,
	`INSERT INTO number (context, number, tenant, extension) SELECT 'public', '+2799' || to_char(n, 'FM0000000'), 'vumi', 'twilio.inbound' FROM generate_series(0, 25000) n`,
	`DELETE FROM number WHERE number LIKE '+2799%'`,
	`TRUNCATE number`,
}
