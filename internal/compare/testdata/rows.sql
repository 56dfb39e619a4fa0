-- What testdata/tree says, as rows.
UPDATE node SET loglevel = 'info', event_socket_ip = '127.0.0.1', event_socket_port = 8021, event_socket_password = 'hunter2' WHERE name = '*';
INSERT INTO switch_param (name, value) VALUES ('max-db-handles', '50');
INSERT INTO switch_variable (name, value) VALUES ('domain', 'acme.example'), ('carrier', 'carrier.example');
INSERT INTO module (name) VALUES ('mod_sofia'), ('mod_dptools');
INSERT INTO tenant (name) VALUES ('acme');
INSERT INTO context (name) VALUES ('public');
INSERT INTO domain (name, tenant, dial_string) VALUES
    ('acme.example', 'acme', '{presence_id=${dialed_user}@${dialed_domain}}${sofia_contact(${dialed_user}@${dialed_domain})}');
INSERT INTO domain_variable (domain, name, value) VALUES ('acme.example', 'region', 'south');
INSERT INTO domain_user (domain, id, number_alias, password, vm_password, cidr) VALUES
    ('acme.example', '1000', '100', 's3cr3t-1000', '1234', '{10.1.0.0/16}'),
    ('acme.example', '1001', NULL, 's3cr3t-1001', NULL, NULL);
INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES
    ('acme.example', '1000', 'toll_allow', 'local'), ('acme.example', '1000', 'region', 'north');
INSERT INTO domain_group (domain, name) VALUES ('acme.example', 'sales');
INSERT INTO domain_group_user (domain, group_name, user_id, position) VALUES ('acme.example', 'sales', '1001', 1), ('acme.example', 'sales', '1000', 2);
INSERT INTO acl_list (name) VALUES ('carriers'), ('phones');
INSERT INTO acl_entry (list, action, cidr, domain, port) VALUES
    ('carriers', 'allow', '192.0.2.0/24', NULL, NULL),
    ('carriers', 'deny', '192.0.2.128/25', NULL, NULL),
    ('carriers', 'allow', '198.51.100.7/32', NULL, '[5060,5061]'),
    ('phones', 'allow', NULL, 'acme.example', NULL);
INSERT INTO sofia_param (name, value) VALUES ('log-level', '0');
INSERT INTO sip_profile (name) VALUES ('external');
INSERT INTO sip_profile_param (profile, name, position, value) VALUES
    ('external', 'sip-port', 1, '5080'), ('external', 'context', 1, 'public'),
    ('external', 'apply-inbound-acl', 1, 'carriers'), ('external', 'apply-inbound-acl', 2, 'phones');
INSERT INTO sip_profile_alias (profile, name) VALUES ('external', 'outside');
INSERT INTO sip_profile_domain (profile, name, alias, parse) VALUES ('external', 'acme.example', false, true);
INSERT INTO gateway (name, profile, username, password, proxy, register) VALUES ('carrier', 'external', 'acme', 's3cr3t-gateway', 'carrier.example', true);
INSERT INTO gateway_param (gateway, name, value) VALUES ('carrier', 'ping', '30');
INSERT INTO gateway_variable (gateway, name, value, direction) VALUES ('carrier', 'trunk', 'yes', 'inbound');
INSERT INTO gateway (name, profile, tenant, username, password, proxy, register, domain, user_id) VALUES
    ('own', 'external', 'acme', 'phone', 's3cr3t-own', 'own.example', true, 'acme.example', '1001');
INSERT INTO document (name, body, expand) VALUES ('conference.conf', '
<configuration name="conference.conf">
  <profiles><profile name="default"><param name="rate" value="8000"/><param value="$${domain}" name="domain"/>
    <note>of $${domain} &amp; others</note></profile></profiles>
</configuration>', true);
INSERT INTO document (section, name, body) VALUES
    ('languages', 'en', '<language name="en" say-module="en" sound-path="/sounds/en"><phrases><macros><macro name="hello"><input pattern="(.*)">
        <match><action function="play-file" data="hello.wav"/></match></input></macro></macros></phrases></language>'),
    ('chatplan', 'public', '<context name="public"><extension name="echo"><condition field="to" expression="^(.*)$">
        <action application="reply" data="$1"/></condition></extension></context>');
INSERT INTO extension (name, "continue") VALUES ('prepare', true), ('reception', false), ('hours', false), ('known', false), ('command', false);
INSERT INTO condition (extension, position, field, expression, "break", wday, time_of_day) VALUES
    ('hours', 1, NULL, NULL, 'never', 'mon-fri', '09:00-17:00'),
    ('hours', 2, 'destination_number', '^2(\d{3})$', 'on-false', NULL, NULL);
INSERT INTO condition (extension, position, regex) VALUES ('known', 1, 'any');
INSERT INTO condition_regex (extension, condition, position, field, expression) VALUES
    ('known', 1, 1, 'caller_id_number', '^27'), ('known', 1, 2, 'network_addr', '^203\.0\.113\.');
INSERT INTO condition (extension, position, parent, field, expression) VALUES ('known', 2, 1, 'destination_number', '^3000$');
INSERT INTO condition (extension, position, field, expression) VALUES
    ('command', 1, '${strftime(%w)}', '^[06]$'), ('command', 2, 'destination_number', '^4000$');
INSERT INTO action (extension, condition, position, application, data, "inline", anti, expand) VALUES
    ('prepare', NULL, 1, 'set', 'tenant=acme', true, false, false),
    ('reception', NULL, 1, 'answer', '', false, false, false),
    ('reception', NULL, 2, 'bridge', 'user/1000@$${domain}', false, false, true),
    ('hours', 1, 1, 'set', 'open=true', true, false, false),
    ('hours', 1, 2, 'set', 'open=false', true, true, false),
    ('hours', 2, 1, 'bridge', 'user/$1@$${domain}', false, false, true),
    ('known', 1, 1, 'set', 'vip=true', false, false, false),
    ('known', 2, 1, 'playback', 'vip.wav', false, false, false),
    ('command', 2, 1, 'playback', 'weekend.wav', false, false, false),
    ('command', 2, 2, 'log', 'INFO not weekend', false, true, false);
INSERT INTO context_extension (context, extension, position) VALUES
    ('public', 'prepare', 1), ('public', 'hours', 3), ('public', 'known', 4), ('public', 'command', 5);
INSERT INTO number (number, tenant, extension) VALUES ('1000', 'acme', 'reception');
