-- A world of any size to measure with: 1,000 tenants, 1,000,000 numbers,
-- 100,000 users, 10,000 gateways over 4 profiles, 10,000 ACL entries, 50 nodes.
-- It holds the same rows at each run, and wants a migrated database without
-- tenants. By hand:
--
--   psql -c "SET world.numbers = 100000" -f testdata/world.sql -c "VACUUM ANALYZE"
--
-- Other sizes: world.tenants, world.numbers, world.users, world.gateways,
-- world.acl_entries, world.nodes.

CREATE TEMP TABLE size AS
SELECT
    max(value) FILTER (WHERE name = 'tenants')     AS tenants,
    max(value) FILTER (WHERE name = 'numbers')     AS numbers,
    max(value) FILTER (WHERE name = 'users')       AS users,
    max(value) FILTER (WHERE name = 'gateways')    AS gateways,
    max(value) FILTER (WHERE name = 'acl_entries') AS acl_entries,
    max(value) FILTER (WHERE name = 'nodes')       AS nodes
FROM (
    SELECT name, coalesce(nullif(current_setting('world.' || name, true), '')::integer, preset) AS value
    FROM (VALUES
        ('tenants', 1000), ('numbers', 1000000), ('users', 100000),
        ('gateways', 10000), ('acl_entries', 10000), ('nodes', 50)
    ) v (name, preset)
) v;

-- The switches ---------------------------------------------------------------

UPDATE node SET
    rtp_port              = '[16384,32768]',
    max_sessions          = 1000,
    sessions_per_second   = 30,
    loglevel              = 'info',
    event_socket_ip       = '127.0.0.1',
    event_socket_port     = 8021,
    event_socket_password = 'ClueCon'
WHERE name = '*';

-- node01 …, each at an address of its own.
INSERT INTO node (name, local_ip, external_ip)
SELECT 'node' || to_char(n, 'FM00'), inet '10.0.0.100' + n, inet '203.0.113.100' + n
FROM size, generate_series(1, nodes) n;

INSERT INTO sip_profile (name) VALUES ('external'), ('partner'), ('internal'), ('trunk');

INSERT INTO sip_profile_param (profile, name, value)
SELECT p.name, v.name, v.value
FROM sip_profile p
CROSS JOIN (VALUES
    ('context', 'public'), ('dialplan', 'XML'), ('auth-calls', 'false'), ('apply-inbound-acl', 'carriers'),
    ('inbound-codec-prefs', 'PCMU,PCMA'), ('outbound-codec-prefs', 'PCMU,PCMA'), ('manage-presence', 'false'),
    ('rtp-timer-name', 'soft'), ('rtp-timeout-sec', '300'), ('user-agent-string', 'xmlcurld')
) v (name, value)
UNION ALL
SELECT name, 'sip-port', (5060 + 10 * row_number() OVER (ORDER BY name))::text
FROM sip_profile;

-- The tenants: t0001 …, each with a domain, and a context where its phones call each other.

INSERT INTO tenant (name)
SELECT 't' || to_char(t, 'FM0000')
FROM size, generate_series(1, tenants) t;

INSERT INTO extension (name, note) VALUES
    ('inbound', 'Hands the call to an application'),
    ('phones',  'Rings the phone with that number');

INSERT INTO action (extension, position, application, data) VALUES
    ('inbound', 1, 'log',    'INFO Call from [${sip_from_user}] to %{number} of %{tenant} [${destination_number}].'),
    ('inbound', 2, 'set',    'effective_caller_id_name=%{display_name}'),
    ('inbound', 3, 'socket', '127.0.0.1:8051 async full');

INSERT INTO condition (extension, position, field, expression) VALUES
    ('phones', 1, 'destination_number', '^(\d{4})$');
INSERT INTO action (extension, condition, position, application, data) VALUES
    ('phones', 1, 1, 'bridge', 'user/$1@${domain_name}');

INSERT INTO context (name, tenant, number_forms) VALUES ('public', NULL, '{plus,bare,00}');
INSERT INTO context (name, tenant)
SELECT name, name
FROM tenant;
INSERT INTO context_extension (context, extension)
SELECT name, 'phones'
FROM tenant;

INSERT INTO domain (name, tenant, context)
SELECT name || '.example', name, name
FROM tenant;
INSERT INTO domain_variable (domain, name, value)
SELECT name, 'accountcode', tenant
FROM domain;

-- 1000 …, the same ids in every domain; user number u of the world is of tenant number u modulo tenants.
INSERT INTO domain_user (domain, id, number_alias, password, vm_password, caller_id_name, caller_id_number)
SELECT
    't' || tenant || '.example',
    id,
    '7' || id,
    'secret-' || tenant || '-' || id,
    id,
    'Phone ' || id,
    id
FROM (
    SELECT to_char(u % tenants + 1, 'FM0000') AS tenant, (1000 + u / tenants)::text AS id
    FROM size, generate_series(0, users - 1) u
) u;

-- +27100000000 …, all of them in public, where every carrier enters; tenants as with users.
INSERT INTO number (context, number, tenant, extension, forward_number, display_name)
SELECT
    'public',
    '+271' || to_char(n, 'FM00000000'),
    't' || to_char(n % tenants + 1, 'FM0000'),
    'inbound',
    '+272' || to_char(n, 'FM00000000'),
    'Line ' || to_char(n, 'FM00000000')
FROM size, generate_series(0, numbers - 1) n;

-- The carriers and the networks ----------------------------------------------

INSERT INTO gateway (name, profile, tenant, username, password, proxy, caller_id_in_from)
SELECT
    'gw' || to_char(g, 'FM00000'),
    (ARRAY['external', 'partner', 'internal', 'trunk'])[g % 4 + 1],
    't' || to_char(g % tenants + 1, 'FM0000'),
    'user' || g,
    'secret-' || g,
    'sip' || g || '.carrier.example',
    true
FROM size, generate_series(0, gateways - 1) g;
INSERT INTO gateway_param (gateway, name, value)
SELECT name, 'ping', '30'
FROM gateway;

INSERT INTO acl_list (name) VALUES ('carriers'), ('tenants');
INSERT INTO acl_entry (list, cidr, tenant)
SELECT
    CASE WHEN a % 2 = 0 THEN 'carriers' ELSE 'tenants' END,
    set_masklen((inet '11.0.0.0' + 256 * a)::cidr, 24),
    't' || to_char(a % tenants + 1, 'FM0000')
FROM size, generate_series(0, acl_entries - 1) a;

DROP TABLE size;
