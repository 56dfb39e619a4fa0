-- Tables of FusionPBX, with the columns that are read, and rows of nobody's.
CREATE TABLE v_domains (domain_uuid uuid, domain_name text, domain_enabled boolean, domain_description text);
INSERT INTO v_domains VALUES
    ('00000000-0000-0000-0000-00000000000a', 'acme.example', true, NULL),
    ('00000000-0000-0000-0000-00000000000b', 'globex.example', true, NULL),
    ('00000000-0000-0000-0000-00000000000c', 'closed.example', false, NULL);

CREATE TABLE v_default_settings (default_setting_category text, default_setting_subcategory text, default_setting_name text,
    default_setting_value text, default_setting_enabled boolean);
CREATE TABLE v_domain_settings (domain_uuid uuid, domain_setting_category text, domain_setting_subcategory text,
    domain_setting_name text, domain_setting_value text, domain_setting_enabled boolean);
INSERT INTO v_domain_settings VALUES
    ('00000000-0000-0000-0000-00000000000b', 'domain', 'dial_string', 'text', 'user/${dialed_user}@proxy.globex.example', true);

CREATE TABLE v_extensions (extension_uuid uuid, domain_uuid uuid, extension text, number_alias text, password text, accountcode text,
    effective_caller_id_name text, effective_caller_id_number text, outbound_caller_id_name text, outbound_caller_id_number text,
    emergency_caller_id_name text, emergency_caller_id_number text, directory_first_name text, directory_last_name text,
    directory_visible boolean, directory_exten_visible boolean, max_registrations text, limit_max text, limit_destination text,
    missed_call_app text, missed_call_data text, user_context text, toll_allow text, call_timeout numeric, call_group text,
    call_screen_enabled boolean, user_record text, hold_music text, auth_acl text, cidr text, sip_force_contact text, nibble_account text,
    sip_force_expires numeric, mwi_account text, sip_bypass_media text, dial_string text, do_not_disturb boolean,
    forward_all_destination text, forward_all_enabled boolean, forward_busy_destination text, forward_busy_enabled boolean,
    forward_no_answer_destination text, forward_no_answer_enabled boolean, forward_user_not_registered_destination text,
    forward_user_not_registered_enabled boolean, follow_me_uuid uuid, extension_language text, extension_dialect text, extension_voice text,
    extension_type text, enabled boolean, absolute_codec_string text, force_ping boolean);
INSERT INTO v_extensions (extension_uuid, domain_uuid, extension, password, user_context, call_timeout, enabled) VALUES
    ('00000000-0000-0000-0001-000000000001', '00000000-0000-0000-0000-00000000000a', '1001', 'blue-Heron-41', 'acme.example', 30, true),
    ('00000000-0000-0000-0001-000000000002', '00000000-0000-0000-0000-00000000000a', 'alice', 'grey-Wagtail-7', 'acme.example', 25, true),
    ('00000000-0000-0000-0001-000000000003', '00000000-0000-0000-0000-00000000000a', '1003', 'red-Kite-99', 'acme.example', 30, false),
    ('00000000-0000-0000-0001-000000000004', '00000000-0000-0000-0000-00000000000a', '1004', 'tawny-Owl-12', 'acme.example', 30, true),
    ('00000000-0000-0000-0001-000000000005', '00000000-0000-0000-0000-00000000000b', '1001', 'reed-Bunting-3', 'globex.example', 30, true),
    ('00000000-0000-0000-0001-000000000006', '00000000-0000-0000-0000-00000000000c', '1001', 'rock-Dove-55', 'closed.example', 30, true);
UPDATE v_extensions SET accountcode = 'acme', effective_caller_id_name = 'Ann $ Lee', effective_caller_id_number = '1001',
    outbound_caller_id_name = 'Acme', outbound_caller_id_number = '+27215550100', emergency_caller_id_number = '+27215550199',
    directory_first_name = 'Ann', directory_last_name = 'Lee', directory_visible = true, max_registrations = '2', limit_destination = '!USER_BUSY',
    missed_call_app = 'email', missed_call_data = 'ann@acme.example', toll_allow = 'local,national', call_group = 'sales, support',
    hold_music = 'local_stream://default', cidr = '192.0.2.0/28', sip_force_expires = 600, sip_bypass_media = 'proxy-media',
    forward_busy_destination = '1004', forward_busy_enabled = true, absolute_codec_string = 'PCMA', force_ping = true
WHERE extension_uuid = '00000000-0000-0000-0001-000000000001';
UPDATE v_extensions SET number_alias = '1002', call_group = 'sales', limit_max = '2', extension_type = 'virtual'
WHERE extension = 'alice';
UPDATE v_extensions SET do_not_disturb = true WHERE extension = '1004';

CREATE TABLE v_extension_users (domain_uuid uuid, extension_uuid uuid, user_uuid uuid);
INSERT INTO v_extension_users VALUES
    ('00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0001-000000000001', '00000000-0000-0000-0002-000000000001');
CREATE TABLE v_users (user_uuid uuid, domain_uuid uuid, contact_uuid uuid);
INSERT INTO v_users VALUES
    ('00000000-0000-0000-0002-000000000001', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0003-000000000001');
CREATE TABLE v_extension_settings (extension_uuid uuid, extension_setting_type text, extension_setting_name text,
    extension_setting_value text, extension_setting_enabled boolean);
INSERT INTO v_extension_settings VALUES
    ('00000000-0000-0000-0001-000000000001', 'variable', 'sip_secure_media', 'optional', true),
    ('00000000-0000-0000-0001-000000000001', 'param', 'sip-allow-register', 'yes', true),
    ('00000000-0000-0000-0001-000000000001', 'variable', 'unused', 'yes', false);
CREATE TABLE v_voicemails (domain_uuid uuid, voicemail_id text, voicemail_password text, voicemail_mail_to text,
    voicemail_attach_file text, voicemail_local_after_email boolean, voicemail_enabled boolean);
INSERT INTO v_voicemails VALUES
    ('00000000-0000-0000-0000-00000000000a', '1001', '4711', 'ann@acme.example', 'true', true, true),
    ('00000000-0000-0000-0000-00000000000a', '1002', '4712', NULL, NULL, true, true),
    ('00000000-0000-0000-0000-00000000000a', '1004', '4714', NULL, NULL, true, false);

CREATE TABLE v_sip_profiles (sip_profile_uuid uuid, sip_profile_name text, sip_profile_hostname text, sip_profile_enabled boolean);
INSERT INTO v_sip_profiles VALUES
    ('00000000-0000-0000-0004-000000000001', 'external', NULL, true),
    ('00000000-0000-0000-0004-000000000002', 'internal', '', true),
    ('00000000-0000-0000-0004-000000000003', 'internal-ipv6', NULL, false),
    ('00000000-0000-0000-0004-000000000004', 'spare', 'pbx2', true);
CREATE TABLE v_sip_profile_domains (sip_profile_uuid uuid, sip_profile_domain_name text, sip_profile_domain_alias text,
    sip_profile_domain_parse text);
INSERT INTO v_sip_profile_domains VALUES ('00000000-0000-0000-0004-000000000002', 'all', 'true', NULL);
CREATE TABLE v_sip_profile_settings (sip_profile_uuid uuid, sip_profile_setting_name text, sip_profile_setting_value text,
    sip_profile_setting_enabled boolean);
INSERT INTO v_sip_profile_settings VALUES
    ('00000000-0000-0000-0004-000000000001', 'sip-port', '$${external_sip_port}', true),
    ('00000000-0000-0000-0004-000000000001', 'context', 'public', true),
    ('00000000-0000-0000-0004-000000000001', 'debug', '1', false),
    ('00000000-0000-0000-0004-000000000002', 'sip-port', '5060', true),
    ('00000000-0000-0000-0004-000000000002', 'record-path', '$${recordings_dir}/${domain_name}/$x', true),
    ('00000000-0000-0000-0004-000000000003', 'sip-port', '5060', true),
    ('00000000-0000-0000-0004-000000000004', 'sip-port', '5070', true);
CREATE TABLE v_sofia_global_settings (global_setting_name text, global_setting_value text, global_setting_enabled boolean);
INSERT INTO v_sofia_global_settings VALUES ('log-level', '0', true), ('auto-restart', 'true', false);
CREATE TABLE v_gateways (gateway_uuid uuid, domain_uuid uuid, gateway text, username text, password text, distinct_to boolean,
    auth_username text, realm text, from_user text, from_domain text, proxy text, register_proxy text, outbound_proxy text,
    expire_seconds numeric, register boolean, register_transport text, contact_params text, retry_seconds numeric, extension text, ping text,
    ping_min text, ping_max text, contact_in_ping boolean, caller_id_in_from boolean, supress_cng boolean, sip_cid_type text,
    extension_in_contact text, context text, profile text, hostname text, enabled boolean);
INSERT INTO v_gateways (gateway_uuid, domain_uuid, gateway, username, password, proxy, expire_seconds, register, register_transport, retry_seconds,
    caller_id_in_from, sip_cid_type, context, profile, enabled) VALUES
    ('C0FFEE00-0000-0000-0005-000000000001', '00000000-0000-0000-0000-00000000000a', 'Carrier one', 'acme', 'gold-Crest-8', 'sip.carrier.example',
        800, true, 'tcp', 30, true, 'pid', 'public', 'external', true),
    ('c0ffee00-0000-0000-0005-000000000002', NULL, 'Spare', NULL, NULL, 'spare.carrier.example', 800, false, NULL, 30, NULL, NULL, 'public', 'external', false);

CREATE TABLE v_access_controls (access_control_uuid uuid, access_control_name text, access_control_default text);
INSERT INTO v_access_controls VALUES
    ('00000000-0000-0000-0006-000000000001', 'providers', 'deny'), ('00000000-0000-0000-0006-000000000002', 'lan', 'allow');
CREATE TABLE v_access_control_nodes (access_control_uuid uuid, node_type text, node_cidr text, node_description text);
INSERT INTO v_access_control_nodes VALUES
    ('00000000-0000-0000-0006-000000000001', 'allow', '198.51.100.0/24', 'Carrier one'),
    ('00000000-0000-0000-0006-000000000002', 'deny', '203.0.113.7/32', NULL),
    ('00000000-0000-0000-0006-000000000002', 'allow', '', 'nothing');

CREATE TABLE v_vars (var_category text, var_name text, var_value text, var_command text, var_hostname text, var_enabled boolean, var_order numeric);
INSERT INTO v_vars VALUES
    ('SIP Profile: External', 'external_sip_port', '5080', 'set', NULL, true, 10),
    ('Defaults', 'default_language', 'en', NULL, NULL, true, 2),
    ('Defaults', 'hold_music', 'local_stream://default', 'set', NULL, true, 1),
    ('Defaults', 'unused', 'yes', 'set', NULL, false, 3),
    ('Exec-Set', 'public_ip', 'curl -s https://ip.example', 'set', NULL, true, 1),
    ('Provision', 'provision_secret', 'green-Finch-2', 'set', NULL, true, 1);
CREATE TABLE v_modules (module_name text, module_category text, module_order numeric, module_enabled boolean);
INSERT INTO v_modules VALUES
    ('mod_lua', 'Languages', 200, true), ('mod_sofia', 'Endpoints', 300, true), ('mod_console', 'Loggers', 100, true), ('mod_verto', 'Endpoints', 300, false);

CREATE TABLE v_destinations (destination_uuid uuid, domain_uuid uuid, dialplan_uuid uuid, destination_number text);
CREATE TABLE v_dialplans (dialplan_uuid uuid, domain_uuid uuid, hostname text, dialplan_context text, dialplan_name text, dialplan_continue boolean,
    dialplan_xml text, dialplan_order numeric, dialplan_enabled boolean);
INSERT INTO v_dialplans VALUES
    ('00000000-0000-0000-0007-000000000001', NULL, NULL, 'global', 'who-calls', true, '
<extension name="who-calls" continue="true" uuid="00000000-0000-0000-0007-000000000001">
	<condition field="" expression="">
		<action application="set" data="called=$${nothing}${destination_number}" inline="true"/>
	</condition>
</extension>', 20, true),
    ('00000000-0000-0000-0007-000000000002', NULL, NULL, '${domain_name}', 'echo', false, '
<extension name="echo" continue="false" uuid="00000000-0000-0000-0007-000000000002">
	<condition field="destination_number" expression="^\*9196$">
		<action application="answer" data=""/>
		<action application="echo" data=""/>
	</condition>
</extension>', 400, true),
    ('00000000-0000-0000-0007-000000000003', NULL, NULL, 'global', 'local-extension', false, '
<extension name="local-extension" continue="false" uuid="00000000-0000-0000-0007-000000000003">
	<condition field="destination_number" expression="^(\d{4})$">
		<action application="bridge" data="user/$1@${domain_name}"/>
		<action application="lua" data="app.lua voicemail"/>
	</condition>
</extension>', 900, true),
    ('00000000-0000-0000-0007-000000000004', '00000000-0000-0000-0000-00000000000a', NULL, 'acme.example', 'carrier', false, '
<extension name="carrier" continue="false" uuid="00000000-0000-0000-0007-000000000004">
	<condition field="destination_number" expression="^0(\d{9})$">
		<action application="set" data="hangup_after_bridge=true"/>
		<action application="bridge" data="sofia/gateway/c0ffee00-0000-0000-0005-000000000001/+27$1"/>
	</condition>
</extension>', 100, true),
    ('00000000-0000-0000-0007-000000000005', '00000000-0000-0000-0000-00000000000a', NULL, 'public', '27215550100', false, '
<extension name="27215550100" continue="false" uuid="00000000-0000-0000-0007-000000000005">
	<condition field="destination_number" expression="^(27215550100)$">
		<action application="export" data="call_direction=inbound" inline="true"/>
		<action application="set" data="domain_name=acme.example" inline="true"/>
		<action application="transfer" data="1001 XML acme.example"/>
	</condition>
</extension>', 100, true),
    ('00000000-0000-0000-0007-000000000006', '00000000-0000-0000-0000-00000000000a', NULL, 'acme.example', 'without-xml', false, NULL, 110, true),
    ('00000000-0000-0000-0007-000000000007', '00000000-0000-0000-0000-00000000000a', NULL, 'acme.example', 'damaged', false,
        '<extension name="damaged"><condition></extension>', 120, true),
    ('00000000-0000-0000-0007-000000000008', '00000000-0000-0000-0000-00000000000a', 'pbx2', 'acme.example', 'elsewhere', false,
        '<extension name="elsewhere"><condition><action application="answer"/></condition></extension>', 10, true),
    ('00000000-0000-0000-0007-000000000009', '00000000-0000-0000-0000-00000000000a', NULL, 'acme.example', 'switched-off', false,
        '<extension name="switched-off"><condition><action application="answer"/></condition></extension>', 10, false),
    ('00000000-0000-0000-0007-00000000000a', '00000000-0000-0000-0000-00000000000b', NULL, 'public', 'fallback', false, '
<extension name="fallback" continue="false">
	<condition field="destination_number" expression="^(2711555\d{4})$">
		<action application="transfer" data="1001 XML globex.example"/>
	</condition>
</extension>', 200, true);

CREATE TABLE v_ring_groups (domain_uuid uuid, ring_group_enabled boolean);
INSERT INTO v_ring_groups VALUES ('00000000-0000-0000-0000-00000000000a', true), ('00000000-0000-0000-0000-00000000000c', true);
CREATE TABLE v_number_translations (number_translation_uuid uuid, number_translation_name text, number_translation_enabled boolean);
CREATE TABLE v_number_translation_details (number_translation_uuid uuid, number_translation_detail_regex text,
    number_translation_detail_replace text, number_translation_detail_order text);
INSERT INTO v_number_translations VALUES ('00000000-0000-0000-0008-000000000001', 'ZA', true);
INSERT INTO v_number_translation_details VALUES
    ('00000000-0000-0000-0008-000000000001', '^0(\d{9})$', '27$1', '10'), ('00000000-0000-0000-0008-000000000001', '^(\d+)$', '$1', '9');
CREATE TABLE v_music_on_hold (domain_uuid uuid, music_on_hold_name text, music_on_hold_path text, music_on_hold_rate numeric,
    music_on_hold_shuffle text, music_on_hold_timer_name text);
INSERT INTO v_music_on_hold VALUES (NULL, 'default', '$${sounds_dir}/music/8000', 8000, 'true', NULL);
CREATE TABLE v_conference_profiles (conference_profile_uuid uuid, profile_name text, profile_enabled boolean);
CREATE TABLE v_conference_profile_params (conference_profile_uuid uuid, profile_param_name text, profile_param_value text, profile_param_enabled boolean);
INSERT INTO v_conference_profiles VALUES ('00000000-0000-0000-0009-000000000001', 'default', true);
INSERT INTO v_conference_profile_params VALUES
    ('00000000-0000-0000-0009-000000000001', 'rate', '16000', true), ('00000000-0000-0000-0009-000000000001', 'energy-level', '0', false);
