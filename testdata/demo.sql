-- The demo world: what `make run` and docker compose start with, and the place
-- to learn the schema from. Two tenants share one FreeSWITCH: vumi, whose
-- Twilio number is answered by a Vumi voice transport, and acme, an office
-- with phones. Nothing in here is a real credential.

-- The switch -----------------------------------------------------------------

-- The row * is common to all nodes. For a node of its own:
--   INSERT INTO node (name, external_ip) VALUES ('fs1', '203.0.113.10');
UPDATE node SET
    external_ip           = '127.0.0.1',       -- the address that carriers see; put yours here
    rtp_port              = '[16384,16394]',   -- FreeSWITCH takes the even ones: six
    max_sessions          = 6,                 -- as many as it has ports for
    sessions_per_second   = 30,
    loglevel              = 'info',
    -- What callers and applications say (a message that Vumi speaks) may hold ${…}: FreeSWITCH must not run it as a command.
    api_expansion         = false,
    event_socket_ip       = '127.0.0.1',
    event_socket_port     = 8021,
    event_socket_password = 'ClueCon'
WHERE name = '*';

INSERT INTO module (name, position) VALUES
    ('mod_event_socket', 10),
    ('mod_commands',     20),
    ('mod_dptools',      20),
    ('mod_dialplan_xml', 20),
    ('mod_expr',         30),
    ('mod_db',           30),
    ('mod_hash',         30),
    ('mod_sndfile',      40),
    ('mod_native_file',  40),
    ('mod_tone_stream',  40),
    ('mod_say_en',       40),
    ('mod_flite',        40),
    ('mod_httapi',       40), -- plays sound from http://…
    ('mod_loopback',     50),
    ('mod_sofia',        90);

-- Who may come in ------------------------------------------------------------

INSERT INTO acl_list (name, default_action) VALUES
    ('domains', 'deny'),
    ('phones',  'deny');

-- Twilio's signalling networks as its page on the addresses of SIP trunking lists them in 2026, one a region. Its media
-- comes from 168.86.128.0/18, UDP 10000-60000: that belongs into the firewall.
INSERT INTO acl_entry (list, action, cidr, note) VALUES
    ('domains', 'allow', '54.172.60.0/30',    'Twilio, Virginia'),
    ('domains', 'allow', '54.244.51.0/30',    'Twilio, Oregon'),
    ('domains', 'allow', '54.171.127.192/30', 'Twilio, Ireland'),
    ('domains', 'allow', '35.156.191.128/30', 'Twilio, Frankfurt'),
    ('domains', 'allow', '54.65.63.192/30',   'Twilio, Tokyo'),
    ('domains', 'allow', '54.169.127.128/30', 'Twilio, Singapore'),
    ('domains', 'allow', '54.252.254.64/30',  'Twilio, Sydney'),
    ('domains', 'allow', '177.71.206.192/30', 'Twilio, São Paulo'),
    ('domains', 'allow', '127.0.0.1/32',      'to try it on one machine');

-- SIP profiles and the trunk -------------------------------------------------

INSERT INTO sip_profile (name) VALUES ('external'), ('internal');

INSERT INTO sip_profile_param (profile, name, value, expand) VALUES
    -- external: carriers. Let in by address, never by password.
    ('external', 'sip-ip',              '$${local_ip_v4}', true),
    ('external', 'rtp-ip',              '$${local_ip_v4}', true),
    ('external', 'sip-port',            '5080',            false),
    ('external', 'context',             'public',          false),
    ('external', 'dialplan',            'XML',             false),
    ('external', 'auth-calls',          'false',           false),
    ('external', 'apply-inbound-acl',   'domains',         false),
    ('external', 'inbound-codec-prefs', 'PCMU,PCMA',       false),
    -- Without a timer of its own FreeSWITCH plays only as fast as audio comes in: not at all to one who is silent.
    ('external', 'rtp-timer-name',      'soft',            false),
    ('external', 'manage-presence',     'false',           false),
    -- internal: phones. They register and call with their password, or are known by their address.
    ('internal', 'sip-ip',              '$${local_ip_v4}', true),
    ('internal', 'rtp-ip',              '$${local_ip_v4}', true),
    ('internal', 'sip-port',            '5060',            false),
    ('internal', 'context',             'public',          false),
    ('internal', 'dialplan',            'XML',             false),
    ('internal', 'auth-calls',          'true',            false),
    ('internal', 'apply-inbound-acl',   'phones',          false),
    ('internal', 'challenge-realm',     'auto_from',       false),
    ('internal', 'inbound-codec-prefs', 'PCMU,PCMA',       false),
    ('internal', 'rtp-timer-name',      'soft',            false),
    ('internal', 'manage-presence',     'false',           false);

INSERT INTO tenant (name, note) VALUES
    ('vumi', 'Voice and IVR messages over AMQP'),
    ('acme', 'An office with three phones');

INSERT INTO gateway (name, profile, tenant, username, password, proxy, realm, register, caller_id_in_from) VALUES
    ('twilio', 'external', 'vumi', 'change-me', 'change-me', 'example.pstn.twilio.com', 'sip.twilio.com', false, true);

-- Calls to numbers -----------------------------------------------------------

-- All carriers enter public; there each number belongs to one tenant.
INSERT INTO context (name, tenant, number_forms) VALUES
    ('public', NULL,   '{plus,bare,00}'),
    ('acme',   'acme', '{plus}');

-- Extensions are the operator's. Who holds the other end of a socket commands
-- the call, so its address is written here and not by a tenant.
INSERT INTO extension (name, tenant, note) VALUES
    ('twilio.inbound', 'vumi', 'Hands the call to the Vumi voice transport'),
    ('forward',        NULL,   'Rings another number of the caller''s choice through the trunk'),
    ('reception',      'acme', 'Speaks a greeting, then offers a menu'),
    ('transfer',       NULL,   'Sends the call on to another number of the same context'),
    ('local.user',     'acme', 'Rings the phone with that number');

INSERT INTO action (extension, position, application, data) VALUES
    ('twilio.inbound', 1, 'log',      'INFO DIALING Extension sip.inbound From [${sip_from_user}] To [${sip_to_user}] with Destination Number [${destination_number}].'),
    -- The transport reads the variable; FreeSWITCH itself has the caller's number as a field of the call only.
    ('twilio.inbound', 2, 'set',      'caller_id_number=${caller_id_number}'),
    ('twilio.inbound', 3, 'socket',   '127.0.0.1:8051 async full'),
    ('forward',        1, 'set',      'effective_caller_id_name=%{display_name}'),
    ('forward',        2, 'bridge',   'sofia/gateway/twilio/%{forward_number}'),
    ('transfer',       1, 'transfer', '%{forward_number}'),
    ('reception',      1, 'answer',   ''),
    ('reception',      2, 'phrase',   'greeting'),
    ('reception',      3, 'ivr',      'main_menu');

INSERT INTO number (context, number, tenant, extension, forward_number, display_name) VALUES
    ('public', '+27123456789', 'vumi', 'twilio.inbound', NULL,   NULL),
    ('public', '+27210000000', 'acme', 'reception',      NULL,   'Acme Reception'),
    ('acme',   '7000',         'acme', 'transfer',       '7001', NULL),
    ('acme',   '7001',         'acme', 'reception',      NULL,   NULL);

-- An extension by regular expression: all of acme's phones at once.
INSERT INTO condition (extension, position, field, expression) VALUES
    ('local.user', 1, 'destination_number', '^(10\d\d)$');
INSERT INTO action (extension, condition, position, application, data) VALUES
    ('local.user', 1, 1, 'bridge', 'user/$1@acme.example');
INSERT INTO context_extension (context, extension) VALUES ('acme', 'local.user');

-- Phones ---------------------------------------------------------------------

-- How a phone is reached, without ${sofia_contact(…)}, which api_expansion = false would stop: the profile looks it up itself.
INSERT INTO domain (name, tenant, context, dial_string) VALUES ('acme.example', 'acme', 'acme',
    '{^^:sip_invite_domain=${dialed_domain}:presence_id=${dialed_user}@${dialed_domain}}sofia/internal/${dialed_user}%${dialed_domain}');

INSERT INTO domain_user (domain, id, number_alias, password, a1_hash, vm_password, caller_id_name, caller_id_number, cidr) VALUES
    ('acme.example', '1000', '71000', 'demo-1000', NULL, '1000', 'Acme Reception', '1000', NULL),
    ('acme.example', '1001', '71001', 'demo-1001', NULL, '1001', 'Acme Sales',     '1001', NULL),
    ('acme.example', '1002', NULL,    NULL, md5('1002:acme.example:demo-1002'), NULL, 'Acme Door', '1002', '{192.0.2.64/29}');

INSERT INTO domain_variable (domain, name, value) VALUES ('acme.example', 'accountcode', 'acme');

INSERT INTO domain_group (domain, name) VALUES ('acme.example', 'sales');
INSERT INTO domain_group_user (domain, group_name, user_id, position) VALUES
    ('acme.example', 'sales', '1000', 1),
    ('acme.example', 'sales', '1001', 2);

INSERT INTO acl_entry (list, domain, tenant, note) VALUES
    ('phones', 'acme.example', 'acme', 'phones that are known by their address');

-- The profile takes the gateways of the domain's users, if they have any.
INSERT INTO sip_profile_domain (profile, name, alias, parse) VALUES ('internal', 'acme.example', true, true);

-- Everything else, as XML ----------------------------------------------------

INSERT INTO document (section, name, body) VALUES
-- mod_db complains at each start of a missing db.conf; an empty one means SQLite in db_dir.
('configuration', 'db.conf', '<configuration name="db.conf"><settings/></configuration>'),
-- mod_httapi loads only with a profile that has an address, although nothing here asks it.
('configuration', 'httapi.conf', '<configuration name="httapi.conf">
  <profiles>
    <profile name="default">
      <params>
        <param name="gateway-url" value="http://127.0.0.1:1/"/>
      </params>
    </profile>
  </profiles>
</configuration>'),
('configuration', 'ivr.conf', '<configuration name="ivr.conf">
  <menus>
    <menu name="main_menu" greet-long="say:Press 1 for reception." greet-short="say:Press 1." timeout="5000" max-failures="2" max-timeouts="2" tts-engine="flite" tts-voice="slt">
      <entry action="menu-exec-app" digits="1" param="bridge user/1000@acme.example"/>
    </menu>
  </menus>
</configuration>'),
('languages', 'en', '<language name="en" say-module="en" tts-engine="flite" tts-voice="slt">
  <phrases>
    <macros>
      <macro name="greeting">
        <input pattern="(.*)">
          <match>
            <action function="speak-text" data="Welcome to Acme."/>
          </match>
        </input>
      </macro>
    </macros>
  </phrases>
</language>');
