-- +goose Up

-- What FreeSWITCH is told, as tables. FreeSWITCH's own words name them; a
-- COMMENT on each column says who in FreeSWITCH reads it. A comment that
-- begins with "Tenant:" marks a column that may be handed to the tenant: its
-- type is such that FreeSWITCH never expands or executes any value of it. All
-- other columns are the operator's and may carry anything.

-- Refusals -------------------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION refuse(message text, hint text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = message, HINT = hint;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION refuse IS 'Ends the statement with a message that says what is wrong and a hint that says what to do. Used in CHECK as: fine OR refuse(…).';

-- +goose StatementBegin
CREATE FUNCTION wrapped(body xml) RETURNS xml
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT xmlelement(name body, regexp_replace(body::text, '^\s*<\?xml[^>]*>', '')::xml)
$$;

CREATE FUNCTION readable(body xml) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT body::text !~* '<\?xml(?!\s+version=["'']1\.0["''](\s+encoding=["'']utf-8["''])?(\s+standalone=["''](yes|no)["''])?\s*\?>)'
$$;

CREATE FUNCTION named_in_ascii(body xml) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT NOT xpath_exists('//*[translate(name(), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:.-", "") != ""]
        | //@*[translate(name(), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:.-", "") != ""]', body)
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION wrapped IS 'The XML, without its declaration, inside one element <body>.';
COMMENT ON FUNCTION readable IS 'Whether the XML has no declaration, or one of version 1.0 and UTF-8.';
COMMENT ON FUNCTION named_in_ascii IS 'Whether FreeSWITCH can read the names of all elements and attributes.';

-- Types of value -------------------------------------------------------------

CREATE DOMAIN label AS text CHECK (coalesce(VALUE ~ '^([A-Za-z0-9_][A-Za-z0-9._-]{0,62}|\*)$', true) OR refuse(
    format('%L is not a name', VALUE),
    'A name has 1 to 63 letters, digits, dots, dashes and underscores, for example twilio.inbound.'));
COMMENT ON DOMAIN label IS 'A name that FreeSWITCH takes in a command, an attribute or a dial string as it stands.';

CREATE DOMAIN phone_number AS text CHECK (coalesce(VALUE ~ '^(\+[1-9][0-9]{5,14}|[0-9*#]{1,20})$', true) OR refuse(
    format('%L is not a number', VALUE),
    'Write the whole number as +27123456789 (E.164), or an extension as 1001: digits, * and #, no blanks.'));
COMMENT ON DOMAIN phone_number IS 'E.164 with its plus, or an extension of digits, * and #.';

CREATE DOMAIN host_name AS text CHECK (coalesce(VALUE ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$' AND length(VALUE) <= 253, true) OR refuse(
    format('%L is not a host or domain name', VALUE),
    'Write it in lower case without a trailing dot, for example acme.example or 192.0.2.1.'));
COMMENT ON DOMAIN host_name IS 'A DNS name or an IPv4 address, in lower case.';

CREATE DOMAIN socket_address AS text CHECK (coalesce(VALUE ~ '^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?$', true) OR refuse(
    format('%L is not an address', VALUE),
    'Write host or host:port, for example pbx.acme.example:5060 or [2001:db8::1]:5060.'));
COMMENT ON DOMAIN socket_address IS 'host or host:port.';

CREATE DOMAIN user_name AS text CHECK (coalesce(VALUE ~ '^[a-z0-9*#][a-z0-9._+*#-]{0,63}$', true) OR refuse(
    format('%L is not a user', VALUE),
    'A user has 1 to 64 lower-case letters, digits and . _ + * # - (FreeSWITCH ignores case when it looks a user up), for example 1001 or alice.'));
COMMENT ON DOMAIN user_name IS 'A user''s id or alias, in lower case.';

CREATE DOMAIN display_name AS text CHECK (coalesce(VALUE ~ '^[[:alnum:]]([[:alnum:] .-]{0,62}[[:alnum:].])?$', true) OR refuse(
    format('%L is not a name to display', VALUE),
    'Up to 64 letters, digits, blanks, dots and dashes, for example Acme Reception.'));
COMMENT ON DOMAIN display_name IS 'A name for people: letters, digits, blanks, dots and dashes.';

CREATE DOMAIN secret AS text CHECK (coalesce(VALUE ~ '^[^\x01-\x1f\x7f\ufffe\uffff]+$' AND length(VALUE) <= 256 AND VALUE !~ '\$\{', true) OR refuse(
    'This secret cannot be used',
    'A secret has 1 to 256 characters, no control characters and no ${.'));
COMMENT ON DOMAIN secret IS 'A password. Never empty: FreeSWITCH lets a user without a password in with any password.';

CREATE DOMAIN a1_hash AS text CHECK (coalesce(VALUE ~ '^([0-9a-f]{32}|[0-9a-f]{64})$', true) OR refuse(
    'This is not an a1_hash',
    'Write the lower-case hex of md5(user:domain:password), for example md5(''1001:acme.example:'' || ''the password'').'));
COMMENT ON DOMAIN a1_hash IS 'What a password is checked against: hex of MD5, or of SHA-256 where a profile takes it.';

CREATE DOMAIN pin AS text CHECK (coalesce(VALUE ~ '^[0-9]{1,32}$', true) OR refuse(
    'A voicemail password is dialled', 'Write 1 to 32 digits.'));
COMMENT ON DOMAIN pin IS 'A secret that is dialled.';

CREATE DOMAIN setting_name AS text CHECK (coalesce(VALUE ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$', true) OR refuse(
    format('%L is not the name of a parameter or variable', VALUE),
    'Letters, digits, dashes, dots and underscores, for example inbound-codec-prefs.'));
COMMENT ON DOMAIN setting_name IS 'The name of a FreeSWITCH parameter or variable.';

CREATE DOMAIN setting_value AS text CHECK (coalesce(VALUE !~ '[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]' AND octet_length(VALUE) <= 65536, true) OR refuse(
    'This value cannot be carried to FreeSWITCH',
    'XML carries no control characters but tab and newline, and a value holds at most 64 KiB.'));
COMMENT ON DOMAIN setting_value IS 'An operator''s value: any text that XML can carry. It arrives in FreeSWITCH exactly as it stands here.';

CREATE DOMAIN port AS integer CHECK (coalesce(VALUE BETWEEN 1 AND 65535, true) OR refuse(
    format('%s is not a port', VALUE), 'A port is a number from 1 to 65535.'));
COMMENT ON DOMAIN port IS 'A TCP or UDP port.';

CREATE TYPE acl_action AS ENUM ('allow', 'deny');
CREATE TYPE loglevel AS ENUM ('console', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug');
CREATE TYPE number_form AS ENUM ('plus', 'bare', '00');
COMMENT ON TYPE number_form IS 'How a carrier writes +27123456789: plus = +27123456789, bare = 27123456789, 00 = 0027123456789.';
CREATE TYPE condition_break AS ENUM ('on-false', 'on-true', 'always', 'never');
CREATE TYPE variable_direction AS ENUM ('inbound', 'outbound', 'both');
CREATE TYPE document_section AS ENUM ('configuration', 'languages', 'chatplan', 'channels');

-- Tenants and nodes ----------------------------------------------------------

CREATE TABLE tenant (
    name    label   PRIMARY KEY CONSTRAINT tenant_is_somebody CHECK (name <> '*' OR refuse('* is not the name of a tenant', 'Choose a name such as acme.')),
    enabled boolean NOT NULL DEFAULT true,
    note    text
);
COMMENT ON TABLE  tenant         IS 'Whose numbers, users and gateways these are.';
COMMENT ON COLUMN tenant.name    IS 'Fills %{tenant} in the actions of its numbers.';
COMMENT ON COLUMN tenant.enabled IS 'false takes everything of the tenant out of every answer: numbers, contexts, domains, users, gateways, networks.';
COMMENT ON COLUMN tenant.note    IS 'For people; FreeSWITCH never sees it.';

CREATE TABLE node (
    name                  label PRIMARY KEY,
    local_ip              inet,
    external_ip           inet,
    rtp_port              int4range,
    max_sessions          integer,
    sessions_per_second   integer,
    loglevel              loglevel,
    api_expansion         boolean,
    event_socket_ip       inet,
    event_socket_port     port,
    event_socket_password secret,
    event_socket_acl      label,
    note                  text,
    CONSTRAINT node_rtp_port CHECK (rtp_port IS NULL OR coalesce(lower(rtp_port) >= 1024 AND upper(rtp_port) <= 65536, false) OR refuse(
        format('RTP range %s does not lie within 1024 and 65535', rtp_port),
        'Write both ends, inclusive: ''[16384,32768]''.')),
    CONSTRAINT node_rtp_port_pair CHECK (coalesce(upper(rtp_port) - lower(rtp_port) >= 2, true) OR refuse(
        'An RTP range needs two ports for one call', 'Write both ends, inclusive: ''[16384,32768]''.')),
    CONSTRAINT node_max_sessions CHECK (coalesce(max_sessions >= 1, true) OR refuse(
        'max_sessions must be at least 1', 'To stop new calls use fsctl pause on the switch.')),
    CONSTRAINT node_sessions_per_second CHECK (coalesce(sessions_per_second >= 1, true) OR refuse(
        'sessions_per_second must be at least 1', 'FreeSWITCH ignores 0; write a high number for no limit.')),
    CONSTRAINT node_single_address CHECK ((coalesce(masklen(local_ip) = CASE family(local_ip) WHEN 4 THEN 32 ELSE 128 END, true)
        AND coalesce(masklen(external_ip) = CASE family(external_ip) WHEN 4 THEN 32 ELSE 128 END, true)
        AND coalesce(masklen(event_socket_ip) = CASE family(event_socket_ip) WHEN 4 THEN 32 ELSE 128 END, true)) OR refuse(
        'A node''s address is one address, not a network', 'Leave out the /bits: 192.0.2.10.'))
);
COMMENT ON TABLE  node                       IS 'A FreeSWITCH host, by its switchname. The row * holds what is common to all; a column that is NULL in a node''s own row is taken from *.';
COMMENT ON COLUMN node.name                  IS 'The switchname, which mod_xml_curl sends as hostname.';
COMMENT ON COLUMN node.local_ip              IS 'Given to every SIP profile as sip-ip and rtp-ip.';
COMMENT ON COLUMN node.external_ip           IS 'The address that carriers and phones see, given to every SIP profile as ext-sip-ip and ext-rtp-ip.';
COMMENT ON COLUMN node.rtp_port              IS 'rtp-start-port and rtp-end-port of post_load_switch.conf, both inclusive: ''[16384,16394]''. FreeSWITCH takes a change at its next start.';
COMMENT ON COLUMN node.max_sessions          IS 'max-sessions of post_load_switch.conf: calls at once.';
COMMENT ON COLUMN node.sessions_per_second   IS 'sessions-per-second of post_load_switch.conf: new calls in a second.';
COMMENT ON COLUMN node.loglevel              IS 'loglevel of post_load_switch.conf.';
COMMENT ON COLUMN node.api_expansion         IS 'api-expansion of post_load_switch.conf: false stops FreeSWITCH from running ${api arguments} in dialplan data and dial strings; then ${sofia_contact(…)} in a dial string stops working too.';
COMMENT ON COLUMN node.event_socket_ip       IS 'listen-ip of event_socket.conf.';
COMMENT ON COLUMN node.event_socket_port     IS 'listen-port of event_socket.conf.';
COMMENT ON COLUMN node.event_socket_password IS 'password of event_socket.conf. While it is NULL here and in *, FreeSWITCH keeps its built-in default, on loopback only.';
COMMENT ON COLUMN node.event_socket_acl      IS 'apply-inbound-acl of event_socket.conf: the list a peer must be on. NULL = loopback only.';
COMMENT ON COLUMN node.note                  IS 'For people; FreeSWITCH never sees it.';
INSERT INTO node (name, note) VALUES ('*', 'Common to all nodes.');

-- +goose StatementBegin
CREATE FUNCTION keep_common_node() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.name = '*' AND (TG_OP = 'DELETE' OR NEW.name <> '*') THEN
        PERFORM refuse('The row * of node holds what is common to all nodes and stays',
            'Set its columns to NULL instead, or name the node you mean.');
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
-- +goose StatementEnd
CREATE TRIGGER keep_common_node BEFORE DELETE OR UPDATE OF name ON node FOR EACH ROW EXECUTE FUNCTION keep_common_node();

CREATE TABLE module (
    node     label    NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    name     text     NOT NULL CHECK (coalesce(name ~ '^mod_[a-z0-9_]+$', true) OR refuse(
        format('%L is not a module', name), 'A module is named as its file without .so, for example mod_flite.')),
    position smallint NOT NULL DEFAULT 100,
    enabled  boolean  NOT NULL DEFAULT true,
    PRIMARY KEY (node, name),
    CONSTRAINT module_not_from_here CHECK (name <> 'mod_xml_curl' OR refuse(
        'mod_xml_curl cannot be loaded from here', 'FreeSWITCH needs it to ask; it stands in the bootstrap''s own modules.conf.'))
);
COMMENT ON TABLE  module          IS 'Modules that FreeSWITCH loads at start (post_load_modules.conf).';
COMMENT ON COLUMN module.node     IS 'The node it is for; * = all. A node''s own row overrides the common one.';
COMMENT ON COLUMN module.name     IS 'load module= of post_load_modules.conf.';
COMMENT ON COLUMN module.position IS 'Modules load in this order, then by name.';
COMMENT ON COLUMN module.enabled  IS 'false leaves it out; on a node''s own row it takes a common module away from that node.';

CREATE TABLE switch_param (
    node   label         NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    name   setting_name  NOT NULL CHECK (name = lower(name) OR refuse(format('%s is not in lower case', name), 'FreeSWITCH ignores case here; write lower case so that one parameter stands once.')),
    value  setting_value NOT NULL,
    expand boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (node, name),
    CONSTRAINT switch_param_has_a_column CHECK (name NOT IN ('rtp-start-port', 'rtp-end-port', 'max-sessions', 'sessions-per-second', 'loglevel', 'api-expansion') OR refuse(
        format('%s has its own column', name), 'Set rtp_port, max_sessions, sessions_per_second, loglevel or api_expansion of table node.')),
    CONSTRAINT switch_param_comes_too_late CHECK ((name !~ '^core-(db|non-sqlite)' AND name NOT IN ('auto-create-schemas', 'auto-clear-sql', 'switchname')) OR refuse(
        format('FreeSWITCH reads %s before it asks this server', name), 'Set it in the bootstrap''s own switch.conf.'))
);
COMMENT ON TABLE  switch_param        IS 'Further settings of post_load_switch.conf.';
COMMENT ON COLUMN switch_param.node   IS 'The node it is for; * = all. A node''s own row overrides the common one.';
COMMENT ON COLUMN switch_param.name   IS 'param name= of post_load_switch.conf.';
COMMENT ON COLUMN switch_param.value  IS 'param value= of post_load_switch.conf.';
COMMENT ON COLUMN switch_param.expand IS 'true: $${name} in the value is replaced by the switch''s global variable.';

CREATE TABLE switch_variable (
    node   label         NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    name   setting_name  NOT NULL,
    value  setting_value NOT NULL,
    expand boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (node, name)
);
COMMENT ON TABLE  switch_variable        IS 'Global variables of the switch (variables of post_load_switch.conf): the vars.xml of a static setup.';
COMMENT ON COLUMN switch_variable.node   IS 'The node it is for; * = all. A node''s own row overrides the common one.';
COMMENT ON COLUMN switch_variable.name   IS 'variable name= of post_load_switch.conf.';
COMMENT ON COLUMN switch_variable.value  IS 'variable value= of post_load_switch.conf. FreeSWITCH stores ${ in it as %{.';
COMMENT ON COLUMN switch_variable.expand IS 'true: $${name} in the value is replaced by the switch''s global variable.';

CREATE TABLE event_socket_param (
    node   label         NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    name   setting_name  NOT NULL,
    value  setting_value NOT NULL,
    expand boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (node, name),
    CONSTRAINT event_socket_param_has_a_column CHECK (lower(name) NOT IN ('listen-ip', 'listen-port', 'password', 'apply-inbound-acl') OR refuse(
        format('%s has its own column', name), 'Set event_socket_ip, event_socket_port, event_socket_password or event_socket_acl of table node.'))
);
COMMENT ON TABLE  event_socket_param        IS 'Further settings of event_socket.conf.';
COMMENT ON COLUMN event_socket_param.node   IS 'The node it is for; * = all. A node''s own row overrides the common one.';
COMMENT ON COLUMN event_socket_param.name   IS 'param name= of event_socket.conf, in exactly FreeSWITCH''s spelling, for example nat-map.';
COMMENT ON COLUMN event_socket_param.value  IS 'param value= of event_socket.conf.';
COMMENT ON COLUMN event_socket_param.expand IS 'true: $${name} in the value is replaced by the switch''s global variable.';

-- Access lists ---------------------------------------------------------------

CREATE TABLE acl_list (
    name           label      PRIMARY KEY CONSTRAINT acl_list_is_not_built_in CHECK ((name !~ '\.auto$' AND name <> '*') OR refuse(
        format('%s is a list that FreeSWITCH makes itself', name), 'Choose a name that does not end in .auto.')),
    default_action acl_action NOT NULL DEFAULT 'deny'
);
COMMENT ON TABLE  acl_list                IS 'Access lists (acl.conf), named by apply-inbound-acl and the like.';
COMMENT ON COLUMN acl_list.name           IS 'list name= of acl.conf.';
COMMENT ON COLUMN acl_list.default_action IS 'list default= of acl.conf: what becomes of an address that no entry holds. FreeSWITCH takes a list without it as allow.';

ALTER TABLE node ADD CONSTRAINT node_event_socket_acl_fkey FOREIGN KEY (event_socket_acl) REFERENCES acl_list ON UPDATE CASCADE;

CREATE TABLE context (
    name                label         PRIMARY KEY CONSTRAINT context_is_not_static CHECK ((lower(name) <> 'global' AND name <> '*') OR refuse(
        format('%s cannot be a context of its own', name), 'FreeSWITCH takes a context named global for every context that it does not find. Choose another name.')),
    tenant              label         REFERENCES tenant ON UPDATE CASCADE ON DELETE CASCADE,
    number_forms        number_form[] NOT NULL DEFAULT '{plus}',
    not_found_extension label
);
CREATE UNIQUE INDEX context_name_ignoring_case ON context (lower(name));
CREATE INDEX context_tenant ON context (tenant);
COMMENT ON TABLE  context                     IS 'Where a call is routed: a profile''s or a user''s context. One tenant''s, or shared.';
COMMENT ON COLUMN context.name                IS 'context name= of the dialplan; a SIP profile names it in its parameter context, a user in user_context.';
COMMENT ON COLUMN context.tenant              IS 'Whose it is; NULL = shared, as public, which all carriers enter: there each number belongs to one tenant.';
COMMENT ON COLUMN context.number_forms        IS 'The forms in which carriers may write an E.164 number here: ''{plus,bare,00}''. An extension such as 1001 always matches as it stands.';
COMMENT ON COLUMN context.not_found_extension IS 'The extension for a number that nobody has. NULL = a log line and SIP 404.';

CREATE TABLE domain (
    name        host_name     PRIMARY KEY,
    tenant      label         NOT NULL REFERENCES tenant ON UPDATE CASCADE ON DELETE CASCADE,
    enabled     boolean       NOT NULL DEFAULT true,
    context     label         REFERENCES context ON UPDATE CASCADE,
    dial_string setting_value DEFAULT '{^^:sip_invite_domain=${dialed_domain}:presence_id=${dialed_user}@${dialed_domain}}${sofia_contact(*/${dialed_user}@${dialed_domain})}',
    cacheable   integer       CONSTRAINT domain_cacheable CHECK (coalesce(cacheable BETWEEN 1 AND 2147483, true) OR refuse(
        format('cacheable is %s, but FreeSWITCH counts it in milliseconds up to 2147483', cacheable),
        'Write milliseconds from 1 to 2147483 (35 minutes), or NULL for no cache.'))
);
CREATE INDEX domain_tenant ON domain (tenant);
CREATE INDEX domain_context ON domain (context);
COMMENT ON TABLE  domain             IS 'A SIP domain of a tenant (directory).';
COMMENT ON COLUMN domain.name        IS 'domain name= of the directory, in lower case.';
COMMENT ON COLUMN domain.enabled     IS 'false takes the domain and its users out of every answer.';
COMMENT ON COLUMN domain.context     IS 'user_context of its users: where their calls are routed.';
COMMENT ON COLUMN domain.dial_string IS 'dial-string of the domain: how user/1001@domain is reached. The default asks for the phones that are registered.';
COMMENT ON COLUMN domain.cacheable   IS 'cacheable= of its users, in milliseconds: how long FreeSWITCH may keep a user. NULL = it asks each time. Until it is over a changed password is not in force.';

CREATE TABLE domain_param (
    domain host_name     NOT NULL REFERENCES domain ON UPDATE CASCADE ON DELETE CASCADE,
    name   setting_name  NOT NULL,
    value  setting_value NOT NULL,
    expand boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (domain, name),
    CONSTRAINT domain_param_has_a_column CHECK (lower(name) NOT IN ('password', 'a1-hash', 'vm-password', 'dial-string', 'allow-empty-password') OR refuse(
        format('%s cannot be a parameter here', name), 'Set dial_string of table domain, or password, a1_hash or vm_password of table domain_user; an empty password is never allowed.'))
);
COMMENT ON TABLE  domain_param        IS 'Further parameters of a domain (directory params), for all its users.';
COMMENT ON COLUMN domain_param.name   IS 'param name=, for example group-dial-string.';
COMMENT ON COLUMN domain_param.value  IS 'param value=.';
COMMENT ON COLUMN domain_param.expand IS 'true: $${name} in the value is replaced by the switch''s global variable.';

CREATE TABLE domain_variable (
    domain host_name     NOT NULL REFERENCES domain ON UPDATE CASCADE ON DELETE CASCADE,
    name   setting_name  NOT NULL,
    value  setting_value NOT NULL,
    expand boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (domain, name),
    CONSTRAINT domain_variable_has_a_column CHECK (lower(name) <> 'user_context' OR refuse('user_context has its own column', 'Set context of table domain.'))
);
COMMENT ON TABLE  domain_variable        IS 'Variables of a domain (directory variables): channel variables of its users'' calls.';
COMMENT ON COLUMN domain_variable.name   IS 'variable name=.';
COMMENT ON COLUMN domain_variable.value  IS 'variable value=. FreeSWITCH stores ${ in it as %{.';
COMMENT ON COLUMN domain_variable.expand IS 'true: $${name} in the value is replaced by the switch''s global variable.';

CREATE TABLE domain_user (
    domain           host_name    NOT NULL REFERENCES domain ON UPDATE CASCADE ON DELETE CASCADE,
    id               user_name    NOT NULL,
    number_alias     user_name,
    enabled          boolean      NOT NULL DEFAULT true,
    password         secret,
    a1_hash          a1_hash,
    vm_password      pin,
    caller_id_name   display_name,
    caller_id_number phone_number,
    cidr             cidr[],
    PRIMARY KEY (domain, id),
    CONSTRAINT domain_user_number_alias_key UNIQUE (domain, number_alias),
    CONSTRAINT domain_user_has_one_credential CHECK (num_nonnulls(password, a1_hash) = 1 OR refuse(
        format('User %s@%s needs a password or an a1_hash, and not both', id, domain),
        'FreeSWITCH lets a user without either in with any password. Set one of them.')),
    CONSTRAINT domain_user_cidr CHECK (coalesce(cardinality(cidr) <= 32 AND array_position(cidr, NULL) IS NULL, true) OR refuse(
        format('The networks of user %s@%s cannot be carried to FreeSWITCH', id, domain), 'It reads up to 32: ''{192.0.2.64/29,198.51.100.7}''.'))
);
COMMENT ON TABLE  domain_user                  IS 'A user of a domain (directory): registers, calls and is called as id@domain.';
COMMENT ON COLUMN domain_user.id               IS 'Tenant: user id=, in lower case.';
COMMENT ON COLUMN domain_user.number_alias     IS 'Tenant: user number-alias=: a second name, which nobody else in the domain has.';
COMMENT ON COLUMN domain_user.enabled          IS 'Tenant: false means that the user is not found.';
COMMENT ON COLUMN domain_user.password         IS 'Tenant: param password, checked when the user registers or calls.';
COMMENT ON COLUMN domain_user.a1_hash          IS 'Tenant: param a1-hash instead of the password: hex of md5(user:domain:password).';
COMMENT ON COLUMN domain_user.vm_password      IS 'Tenant: param vm-password: the digits that open the voicemail box.';
COMMENT ON COLUMN domain_user.caller_id_name   IS 'Tenant: variable effective_caller_id_name.';
COMMENT ON COLUMN domain_user.caller_id_number IS 'Tenant: variable effective_caller_id_number.';
COMMENT ON COLUMN domain_user.cidr             IS 'user cidr=: an access list with this domain lets these networks in, as this user, without a password.';

-- +goose StatementBegin
CREATE FUNCTION domain_user_names_differ() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM domain_user u
        WHERE u.domain = NEW.domain AND u.id <> NEW.id AND (u.id = NEW.number_alias OR u.number_alias = NEW.id)
    ) THEN
        PERFORM refuse(format('In %s a user and another user''s number_alias have one name: %s', NEW.domain, coalesce(NEW.number_alias, NEW.id)),
            'FreeSWITCH would take one for the other. Choose another id or number_alias.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER domain_user_names_differ AFTER INSERT OR UPDATE OF domain, id, number_alias ON domain_user
    FOR EACH ROW EXECUTE FUNCTION domain_user_names_differ();

CREATE TABLE domain_user_param (
    domain  host_name     NOT NULL,
    user_id user_name     NOT NULL,
    name    setting_name  NOT NULL,
    value   setting_value NOT NULL,
    expand  boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (domain, user_id, name),
    FOREIGN KEY (domain, user_id) REFERENCES domain_user ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT domain_user_param_has_a_column CHECK (lower(name) NOT IN ('password', 'a1-hash', 'vm-password', 'allow-empty-password') OR refuse(
        format('%s cannot be a parameter here', name), 'Set password, a1_hash or vm_password of table domain_user; an empty password is never allowed.'))
);
COMMENT ON TABLE  domain_user_param        IS 'Further parameters of a user (directory params), for example dial-string, reverse-auth-user and -pass, esl-password, vm-mailto.';
COMMENT ON COLUMN domain_user_param.name   IS 'param name=.';
COMMENT ON COLUMN domain_user_param.value  IS 'param value=.';
COMMENT ON COLUMN domain_user_param.expand IS 'true: $${name} in the value is replaced by the switch''s global variable.';

CREATE TABLE domain_user_variable (
    domain  host_name     NOT NULL,
    user_id user_name     NOT NULL,
    name    setting_name  NOT NULL,
    value   setting_value NOT NULL,
    expand  boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (domain, user_id, name),
    FOREIGN KEY (domain, user_id) REFERENCES domain_user ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT domain_user_variable_has_a_column CHECK (lower(name) NOT IN ('effective_caller_id_name', 'effective_caller_id_number') OR refuse(
        format('%s has its own column', name), 'Set caller_id_name or caller_id_number of table domain_user.'))
);
COMMENT ON TABLE  domain_user_variable        IS 'Variables of a user (directory variables): channel variables of its calls. user_context here overrides the domain''s context.';
COMMENT ON COLUMN domain_user_variable.name   IS 'variable name=.';
COMMENT ON COLUMN domain_user_variable.value  IS 'variable value=. FreeSWITCH stores ${ in it as %{.';
COMMENT ON COLUMN domain_user_variable.expand IS 'true: $${name} in the value is replaced by the switch''s global variable.';

-- +goose StatementBegin
CREATE FUNCTION domain_user_variable_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF lower(NEW.name) = 'user_context' AND EXISTS (
        SELECT FROM context c JOIN domain d ON d.name = NEW.domain
        WHERE lower(c.name) = lower(NEW.value) AND c.tenant <> d.tenant
    ) THEN
        PERFORM refuse(format('Context %s is another tenant''s, so user %s@%s cannot call in it', NEW.value, NEW.user_id, NEW.domain),
            'Choose a context of the domain''s own tenant.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER domain_user_variable_fits AFTER INSERT OR UPDATE ON domain_user_variable
    FOR EACH ROW EXECUTE FUNCTION domain_user_variable_fits();

CREATE TABLE domain_group (
    domain host_name NOT NULL REFERENCES domain ON UPDATE CASCADE ON DELETE CASCADE,
    name   label     NOT NULL CONSTRAINT domain_group_is_not_default CHECK (lower(name) <> 'default' OR refuse(
        'default is the group that every user is in', 'Choose another name.')),
    PRIMARY KEY (domain, name)
);
CREATE UNIQUE INDEX domain_group_name_ignoring_case ON domain_group (domain, lower(name));
COMMENT ON TABLE  domain_group      IS 'A group of users (directory), called by group/sales@domain.';
COMMENT ON COLUMN domain_group.name IS 'Tenant: group name=.';

CREATE TABLE domain_group_user (
    domain     host_name NOT NULL,
    group_name label     NOT NULL,
    user_id    user_name NOT NULL,
    position   smallint  NOT NULL DEFAULT 100,
    PRIMARY KEY (domain, group_name, user_id),
    FOREIGN KEY (domain, group_name) REFERENCES domain_group ON UPDATE CASCADE ON DELETE CASCADE,
    FOREIGN KEY (domain, user_id) REFERENCES domain_user ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX domain_group_user_user ON domain_group_user (domain, user_id);
COMMENT ON TABLE  domain_group_user            IS 'The users in a group.';
COMMENT ON COLUMN domain_group_user.group_name IS 'Tenant: the group.';
COMMENT ON COLUMN domain_group_user.user_id    IS 'Tenant: the user, of the same domain.';
COMMENT ON COLUMN domain_group_user.position   IS 'Tenant: users ring in this order, then by id.';

CREATE TABLE acl_entry (
    id       bigint     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    list     label      NOT NULL REFERENCES acl_list ON UPDATE CASCADE ON DELETE CASCADE,
    node     label      NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    action   acl_action NOT NULL DEFAULT 'allow',
    cidr     cidr,
    domain   host_name  REFERENCES domain ON UPDATE CASCADE ON DELETE CASCADE,
    port     int4range,
    tenant   label      REFERENCES tenant ON UPDATE CASCADE ON DELETE CASCADE,
    enabled  boolean    NOT NULL DEFAULT true,
    note     text,
    CONSTRAINT acl_entry_key UNIQUE NULLS NOT DISTINCT (list, node, cidr, domain, port),
    CONSTRAINT acl_entry_cidr_or_domain CHECK (num_nonnulls(cidr, domain) = 1 OR refuse(
        'An entry of an access list holds a network or a domain', 'Set cidr or domain, and not both.')),
    CONSTRAINT acl_entry_port CHECK (port IS NULL OR coalesce(cidr IS NOT NULL AND lower(port) >= 1 AND upper(port) <= 65536, false) OR refuse(
        'This entry''s port range cannot be used', 'Give both ends within 1 and 65535, inclusive, with a cidr: ''[5060,5090]''.'))
);
CREATE INDEX acl_entry_tenant ON acl_entry (tenant);
CREATE INDEX acl_entry_domain ON acl_entry (domain);
COMMENT ON TABLE  acl_entry         IS 'An entry of an access list. The longest prefix decides; between equal ones, a node''s own entry before a common one, then the older.';
COMMENT ON COLUMN acl_entry.node    IS 'The node it is for; * = all.';
COMMENT ON COLUMN acl_entry.action  IS 'node type= of acl.conf.';
COMMENT ON COLUMN acl_entry.cidr    IS 'node cidr= of acl.conf: the network, IPv4 or IPv6.';
COMMENT ON COLUMN acl_entry.domain  IS 'node domain= of acl.conf: the networks (cidr) of this domain''s users, who are let in as themselves.';
COMMENT ON COLUMN acl_entry.port    IS 'node port-min= and port-max= of acl.conf: the source ports, both inclusive. NULL = any.';
COMMENT ON COLUMN acl_entry.tenant  IS 'Whose network it is; NULL = the operator''s. It leaves the list while the tenant is off.';
COMMENT ON COLUMN acl_entry.enabled IS 'false takes it out of the list.';
COMMENT ON COLUMN acl_entry.note    IS 'For people; FreeSWITCH never sees it.';

-- SIP profiles and gateways --------------------------------------------------

CREATE TABLE sofia_param (
    node   label         NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    name   setting_name  NOT NULL CHECK (name = lower(name) OR refuse(format('%s is not in lower case', name), 'FreeSWITCH ignores case here; write lower case so that one parameter stands once.')),
    value  setting_value NOT NULL,
    expand boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (node, name)
);
COMMENT ON TABLE  sofia_param        IS 'Settings for all SIP profiles (global_settings of sofia.conf).';
COMMENT ON COLUMN sofia_param.node   IS 'The node it is for; * = all. A node''s own row overrides the common one.';
COMMENT ON COLUMN sofia_param.name   IS 'param name= of global_settings.';
COMMENT ON COLUMN sofia_param.value  IS 'param value= of global_settings.';
COMMENT ON COLUMN sofia_param.expand IS 'true: $${name} in the value is replaced by the switch''s global variable.';

CREATE TABLE sip_profile (
    name    label   PRIMARY KEY CONSTRAINT sip_profile_name CHECK (name <> '*' OR refuse('* is not the name of a profile', 'Choose a name such as external.')),
    node    label   NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE,
    enabled boolean NOT NULL DEFAULT true
);
CREATE UNIQUE INDEX sip_profile_name_ignoring_case ON sip_profile (lower(name));
COMMENT ON TABLE  sip_profile         IS 'A SIP profile (sofia.conf): an address and port that mod_sofia listens on, with its rules.';
COMMENT ON COLUMN sip_profile.name    IS 'profile name= of sofia.conf.';
COMMENT ON COLUMN sip_profile.node    IS 'The node that runs it; * = all.';
COMMENT ON COLUMN sip_profile.enabled IS 'false takes the profile and its gateways out of sofia.conf.';

CREATE TABLE sip_profile_param (
    profile  label         NOT NULL REFERENCES sip_profile ON UPDATE CASCADE ON DELETE CASCADE,
    node     label         NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    name     setting_name  NOT NULL CHECK (name = lower(name) OR refuse(format('%s is not in lower case', name), 'FreeSWITCH ignores case here; write lower case so that one parameter stands once.')),
    position smallint      NOT NULL DEFAULT 1,
    value    setting_value NOT NULL CHECK (value <> '' OR refuse(format('%s has no value', name), 'Delete the row, or give a value.')),
    expand   boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (profile, node, name, position)
);
COMMENT ON TABLE  sip_profile_param          IS 'Settings of a SIP profile. A node''s own rows override the common rows of the same name.';
COMMENT ON COLUMN sip_profile_param.node     IS 'The node it is for; * = all.';
COMMENT ON COLUMN sip_profile_param.name     IS 'param name= of the profile''s settings, for example sip-port, context, apply-inbound-acl.';
COMMENT ON COLUMN sip_profile_param.position IS 'For names that may stand more than once, such as apply-inbound-acl: 1, 2, 3.';
COMMENT ON COLUMN sip_profile_param.value    IS 'param value= of the profile''s settings.';
COMMENT ON COLUMN sip_profile_param.expand   IS 'true: $${name} in the value is replaced by the switch''s global variable, as in $${local_ip_v4}.';

CREATE TABLE sip_profile_domain (
    profile label   NOT NULL REFERENCES sip_profile ON UPDATE CASCADE ON DELETE CASCADE,
    name    host_name NOT NULL,
    alias   boolean NOT NULL DEFAULT true,
    parse   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (profile, name)
);
COMMENT ON TABLE  sip_profile_domain       IS 'Domains that a profile looks up in the directory when it starts.';
COMMENT ON COLUMN sip_profile_domain.name  IS 'domain name= of the profile: a domain, or all. A domain of table domain, or FreeSWITCH does not find it.';
COMMENT ON COLUMN sip_profile_domain.alias IS 'domain alias=: the domain becomes a second name of the profile.';
COMMENT ON COLUMN sip_profile_domain.parse IS 'domain parse=: the profile takes the gateways of the domain''s users.';

CREATE TABLE sip_profile_alias (
    profile label     NOT NULL REFERENCES sip_profile ON UPDATE CASCADE ON DELETE CASCADE,
    name    host_name NOT NULL PRIMARY KEY
);
COMMENT ON TABLE  sip_profile_alias      IS 'Further names of a profile.';
COMMENT ON COLUMN sip_profile_alias.name IS 'alias name= of the profile.';

CREATE TABLE gateway (
    name              label         PRIMARY KEY CONSTRAINT gateway_name CHECK (name NOT IN ('*', '_all_') OR refuse(
        format('%s is not the name of a gateway', name), 'Choose a name such as twilio; _all_ means all of them to FreeSWITCH.')),
    profile           label         NOT NULL REFERENCES sip_profile ON UPDATE CASCADE,
    node              label         NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE,
    tenant            label         REFERENCES tenant ON UPDATE CASCADE ON DELETE CASCADE,
    enabled           boolean       NOT NULL DEFAULT true,
    username          setting_value,
    password          secret,
    proxy             setting_value,
    realm             setting_value,
    register          boolean       NOT NULL DEFAULT false,
    caller_id_in_from boolean       NOT NULL DEFAULT false,
    domain            host_name,
    user_id           user_name,
    CONSTRAINT gateway_registers_as_somebody CHECK (NOT register OR coalesce(username <> '' AND password <> '', false) OR refuse(
        format('Gateway %s registers, so it needs a username and a password', name), 'Set both, or register to false.')),
    CONSTRAINT gateway_goes_somewhere CHECK (coalesce(proxy, realm, '') <> '' OR refuse(
        format('Gateway %s has neither proxy nor realm', name), 'Set proxy to the carrier''s host, for example example.pstn.twilio.com.')),
    CONSTRAINT gateway_domain_user CHECK (num_nonnulls(domain, user_id) <> 1 OR refuse(
        'A user''s gateway names domain and user_id', 'Set both, or neither.')),
    FOREIGN KEY (domain, user_id) REFERENCES domain_user ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE UNIQUE INDEX gateway_name_ignoring_case ON gateway (lower(name));
CREATE INDEX gateway_profile ON gateway (profile);
CREATE INDEX gateway_tenant ON gateway (tenant);
CREATE INDEX gateway_domain_user ON gateway (domain, user_id) WHERE domain IS NOT NULL;
COMMENT ON TABLE  gateway                   IS 'A gateway (sofia.conf): a carrier''s trunk, called by sofia/gateway/twilio/+27….';
COMMENT ON COLUMN gateway.name              IS 'gateway name=. One name, one gateway, over all profiles: FreeSWITCH would never reach the second.';
COMMENT ON COLUMN gateway.profile           IS 'The SIP profile that it belongs to.';
COMMENT ON COLUMN gateway.node              IS 'The node that has it; * = all. One that registers wants exactly one node.';
COMMENT ON COLUMN gateway.tenant            IS 'Whose it is; NULL = the operator''s. It leaves every answer while the tenant is off.';
COMMENT ON COLUMN gateway.enabled           IS 'false takes it out of sofia.conf.';
COMMENT ON COLUMN gateway.username          IS 'param username.';
COMMENT ON COLUMN gateway.password          IS 'param password.';
COMMENT ON COLUMN gateway.proxy             IS 'param proxy: where calls go, host or host:port.';
COMMENT ON COLUMN gateway.realm             IS 'param realm: what the carrier asks for in its challenge. NULL = the gateway''s name.';
COMMENT ON COLUMN gateway.register          IS 'param register. Always sent: FreeSWITCH''s own default is true.';
COMMENT ON COLUMN gateway.caller_id_in_from IS 'param caller-id-in-from: the From of an outgoing call is the caller''s number, not the username.';
COMMENT ON COLUMN gateway.domain            IS 'With user_id: the gateway stands below that user in the directory, for profiles that parse the domain.';
COMMENT ON COLUMN gateway.user_id           IS 'The user of domain that it belongs to.';

CREATE TABLE gateway_param (
    gateway label         NOT NULL REFERENCES gateway ON UPDATE CASCADE ON DELETE CASCADE,
    name    setting_name  NOT NULL,
    value   setting_value NOT NULL,
    expand  boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (gateway, name),
    CONSTRAINT gateway_param_has_a_column CHECK (name NOT IN ('username', 'password', 'proxy', 'realm', 'register', 'caller-id-in-from') OR refuse(
        format('%s has its own column', name), 'Set it in table gateway.')),
    CONSTRAINT gateway_param_is_known CHECK (name IN ('scheme', 'auth-username', 'from-user', 'from-domain', 'register-proxy', 'outbound-proxy',
        'register-transport', 'expire-seconds', 'retry-seconds', 'timeout-seconds', 'extension', 'extension-in-contact', 'contact-params', 'contact-host',
        'context', 'ping', 'ping-min', 'ping-max', 'ping-monitoring', 'contact-in-ping', 'distinct-to', 'destination-prefix', 'rfc-5626', 'reg-id',
        'gw-auth-acl', '908-retry-seconds') OR refuse(
        format('%L is not a parameter of a gateway', name),
        'FreeSWITCH ignores a name that it does not know, and minds case. Known: scheme, auth-username, from-user, from-domain, register-proxy, outbound-proxy, register-transport, expire-seconds, retry-seconds, timeout-seconds, extension, extension-in-contact, contact-params, contact-host, context, ping, ping-min, ping-max, ping-monitoring, contact-in-ping, distinct-to, destination-prefix, rfc-5626, reg-id, gw-auth-acl, 908-retry-seconds. (ping-user-agent is left out: FreeSWITCH keeps a pointer to it that dangles.)'))
);
COMMENT ON TABLE  gateway_param        IS 'Further parameters of a gateway.';
COMMENT ON COLUMN gateway_param.name   IS 'param name= of the gateway.';
COMMENT ON COLUMN gateway_param.value  IS 'param value= of the gateway.';
COMMENT ON COLUMN gateway_param.expand IS 'true: $${name} in the value is replaced by the switch''s global variable.';

CREATE TABLE gateway_variable (
    gateway   label              NOT NULL REFERENCES gateway ON UPDATE CASCADE ON DELETE CASCADE,
    name      setting_name       NOT NULL,
    value     setting_value      NOT NULL,
    direction variable_direction NOT NULL DEFAULT 'both',
    expand    boolean            NOT NULL DEFAULT false,
    PRIMARY KEY (gateway, name)
);
COMMENT ON TABLE  gateway_variable           IS 'Channel variables of the calls through a gateway.';
COMMENT ON COLUMN gateway_variable.name      IS 'variable name= of the gateway.';
COMMENT ON COLUMN gateway_variable.value     IS 'variable value= of the gateway. FreeSWITCH refuses one that holds ${ at each call.';
COMMENT ON COLUMN gateway_variable.direction IS 'variable direction=: calls in, calls out, or both.';
COMMENT ON COLUMN gateway_variable.expand    IS 'true: $${name} in the value is replaced by the switch''s global variable.';

-- Dialplan -------------------------------------------------------------------

CREATE TABLE extension (
    name     label   PRIMARY KEY CONSTRAINT extension_name CHECK (name <> '*' OR refuse('* is not the name of an extension', 'Choose a name such as twilio.inbound.')),
    tenant   label   REFERENCES tenant ON UPDATE CASCADE ON DELETE CASCADE,
    continue boolean NOT NULL DEFAULT false,
    body     xml,
    expand   boolean NOT NULL DEFAULT false,
    compiled json    NOT NULL,
    note     text,
    CONSTRAINT extension_body CHECK (body IS NULL OR (body::text !~* 'x-pre-process|<!DOCTYPE|<include[\s/>]') OR refuse(
        format('The body of extension %s holds what FreeSWITCH''s pre-processor would act on', name),
        'Leave out X-PRE-PROCESS, <include> and DOCTYPE; store the conditions themselves.')),
    CONSTRAINT extension_body_reads CHECK (coalesce(readable(body) AND named_in_ascii(wrapped(body)), true) OR refuse(
        format('FreeSWITCH cannot read the body of extension %s', name),
        'Name elements and attributes in ASCII, and leave out the line <?xml …?>, or let it say version 1.0 and UTF-8.')),
    CONSTRAINT extension_body_is_conditions CHECK (coalesce(xpath_exists('/body/condition', wrapped(body))
        AND NOT xpath_exists('/body/*[name() != "condition"] | /body/text()[normalize-space() != ""]', wrapped(body)), true) OR refuse(
        format('The body of extension %s must be elements <condition>', name), 'Store what stands inside <extension>, and nothing else.'))
);
CREATE INDEX extension_tenant ON extension (tenant);
COMMENT ON TABLE  extension          IS 'What to do with a call: a template that the operator owns and numbers pick, or, through context_extension, one that matches by regular expression.';
COMMENT ON COLUMN extension.name     IS 'extension name= of the dialplan.';
COMMENT ON COLUMN extension.tenant   IS 'The only tenant whose numbers may pick it; NULL = any tenant''s.';
COMMENT ON COLUMN extension.continue IS 'extension continue=: after a match go on with the next extension.';
COMMENT ON COLUMN extension.body     IS 'Instead of rows in condition and action: the conditions as XML, for what the tables do not hold.';
COMMENT ON COLUMN extension.expand   IS 'true: $${name} in the body is replaced by the switch''s global variable.';
COMMENT ON COLUMN extension.compiled IS 'Written by triggers: the extension with its conditions and actions as one value, so that a call reads one row.';
COMMENT ON COLUMN extension.note     IS 'For people; FreeSWITCH never sees it.';

ALTER TABLE context ADD CONSTRAINT context_not_found_extension_fkey
    FOREIGN KEY (not_found_extension) REFERENCES extension ON UPDATE CASCADE;

CREATE TABLE condition (
    extension   label           NOT NULL REFERENCES extension ON UPDATE CASCADE ON DELETE CASCADE,
    position    smallint        NOT NULL,
    field       setting_value,
    expression  setting_value,
    "break"     condition_break NOT NULL DEFAULT 'on-false',
    wday        text,
    mday        text,
    mon         text,
    time_of_day text,
    date_time   text,
    expand      boolean         NOT NULL DEFAULT false,
    PRIMARY KEY (extension, position),
    CONSTRAINT condition_position CHECK (position >= 1 OR refuse(
        format('A condition cannot have position %s', position), 'Count from 1; an action without a condition comes before all of them.')),
    CONSTRAINT condition_field_and_expression CHECK (num_nonnulls(field, expression) <> 1 OR refuse(
        'A condition names a field and the expression that it must match', 'Set both, or neither for a condition that is always true.')),
    CONSTRAINT condition_time CHECK (coalesce(concat(wday, mday, mon, time_of_day, date_time) ~ '^[0-9A-Za-z:,~ -]*$', true) OR refuse(
        'This time condition cannot be read', 'Write wday 2-6, mday 1-15, mon 1-3, time_of_day 09:00-17:00, date_time 2026-12-24 12:00~2027-01-02 23:59.'))
);
COMMENT ON TABLE  condition             IS 'A condition of an extension, in order. In a number''s answer they come after the condition on the number itself.';
COMMENT ON COLUMN condition.position    IS 'Conditions are evaluated in this order.';
COMMENT ON COLUMN condition.field       IS 'condition field=, for example destination_number or ${sip_from_host}.';
COMMENT ON COLUMN condition.expression  IS 'condition expression=: a regular expression. FreeSWITCH expands ${…} in it.';
COMMENT ON COLUMN condition."break"     IS 'condition break=.';
COMMENT ON COLUMN condition.wday        IS 'condition wday=: days of the week, 1 = Sunday, as 2-6 or mon-fri.';
COMMENT ON COLUMN condition.mday        IS 'condition mday=: days of the month.';
COMMENT ON COLUMN condition.mon         IS 'condition mon=: months.';
COMMENT ON COLUMN condition.time_of_day IS 'condition time-of-day=, as 09:00-17:00.';
COMMENT ON COLUMN condition.date_time   IS 'condition date-time=, as 2026-12-24 12:00~2027-01-02 23:59.';
COMMENT ON COLUMN condition.expand      IS 'true: $${name} in field and expression is replaced by the switch''s global variable.';

CREATE TABLE action (
    id          bigint        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    extension   label         NOT NULL REFERENCES extension ON UPDATE CASCADE ON DELETE CASCADE,
    condition   smallint,
    position    smallint      NOT NULL,
    application text          NOT NULL CHECK (coalesce(application ~ '^[a-z0-9_]+$', true) OR refuse(
        format('%L is not an application', application), 'For example answer, bridge, socket, respond.')),
    data        setting_value NOT NULL DEFAULT '',
    "inline"    boolean       NOT NULL DEFAULT false,
    anti        boolean       NOT NULL DEFAULT false,
    expand      boolean       NOT NULL DEFAULT false,
    CONSTRAINT action_key UNIQUE NULLS NOT DISTINCT (extension, condition, position),
    FOREIGN KEY (extension, condition) REFERENCES condition ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT action_fills_in_what_a_number_has CHECK (data !~ '%\{(?!(number|tenant|address|forward_number|display_name)\})' OR refuse(
        'This action asks for a value that no number has', 'Known: %{number}, %{tenant}, %{address}, %{forward_number}, %{display_name}.')),
    CONSTRAINT action_runs_nothing_of_a_tenant CHECK (data !~ '%\{(address|forward_number|display_name)\}'
        OR application IN ('bridge', 'transfer', 'log', 'speak', 'say', 'answer', 'respond', 'redirect', 'deflect')
        OR (application IN ('set', 'export') AND data ~ '^(nolocal:)?(effective_|origination_|sip_h_X-)[A-Za-z0-9_-]*=')
        OR refuse(format('%s may not be given a value that the tenant writes', application),
            'Its data can run commands on the switch. Tenants fill in bridge, transfer, speak, say, log, respond, redirect, deflect, and set or export of effective_…, origination_… and sip_h_X-… only.')),
    CONSTRAINT action_transfers_to_a_number CHECK (application <> 'transfer'
        OR data !~ '%\{(address|forward_number|display_name)\}'
        OR data ~ '^(-(bleg|both) )?[0-9*#+]*%\{forward_number\}( XML( [^ %]+| %\{tenant\})?)?$'
        OR refuse('transfer may be given nothing that the tenant writes but forward_number',
            'Write %{forward_number}, or %{forward_number} XML and a context: other words of it can name an application to run, or another tenant''s context.')),
    -- Inside {…}, […] and <…> of a dial string stand variables, up to two ${…} deep.
    CONSTRAINT action_sets_nothing_of_a_tenant CHECK (application <> 'bridge'
        OR data !~ '[{\[<](([^]{}>]|\{([^{}]|\{[^{}]*\})*\})*[^]{}>A-Za-z0-9_-])?(?!(effective_|origination_|sip_h_X-))[A-Za-z0-9_-]+=([^]{}>=]|\{([^{}]|\{[^{}]*\})*\})*%\{(address|forward_number|display_name)\}'
        OR refuse('This variable of a dial string may not be given a value that the tenant writes',
            'It can run commands on the switch. Tenants fill in effective_…, origination_… and sip_h_X-… only.')),
    CONSTRAINT action_places_a_tenants_value CHECK (data !~ '\$\{([^{}]|\{([^{}]|\{[^{}]*\})*\})*%\{' OR refuse(
        'A value of a number cannot stand inside ${…}', 'FreeSWITCH would run it as a command. Put it outside.'))
);
COMMENT ON TABLE  action             IS 'An action of an extension. In its data %{number}, %{tenant}, %{address}, %{forward_number} and %{display_name} are filled in from the number that was called.';
COMMENT ON COLUMN action.condition   IS 'The condition (its position) that it belongs to; NULL = the condition on the called number, before all others.';
COMMENT ON COLUMN action.position    IS 'Actions run in this order.';
COMMENT ON COLUMN action.application IS 'action application=.';
COMMENT ON COLUMN action.data        IS 'action data=. FreeSWITCH expands ${…} in it and runs ${api arguments}.';
COMMENT ON COLUMN action."inline"    IS 'action inline=: run while the dialplan is read, so that later conditions see it.';
COMMENT ON COLUMN action.anti        IS 'true: an anti-action, which runs when the condition is false.';
COMMENT ON COLUMN action.expand      IS 'true: $${name} in the data is replaced by the switch''s global variable.';

-- +goose StatementBegin
CREATE FUNCTION compile_extension() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.compiled := json_build_object(
        'name', NEW.name,
        'continue', NEW.continue,
        'body', NEW.body::text,
        'expand', NEW.expand,
        'conditions', (
            SELECT json_agg(c ORDER BY c.position)
            FROM (
                SELECT
                    k.*,
                    (
                        SELECT json_agg(a ORDER BY a.position)
                        FROM (SELECT condition, position, application, data, "inline", anti, expand FROM action WHERE extension = NEW.name) a
                        WHERE coalesce(a.condition, 0) = k.position
                    ) AS actions
                FROM (
                    SELECT position, field, expression, "break", wday, mday, mon, time_of_day, date_time, expand
                    FROM condition
                    WHERE extension = NEW.name
                    UNION ALL
                    SELECT 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false
                ) k
            ) c
        )
    );
    RETURN NEW;
END $$;

CREATE FUNCTION compile_extensions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The trigger on extension does it, once it holds the row: of two transactions the later one sees the earlier one's.
    UPDATE extension SET compiled = NULL WHERE name IN (SELECT extension FROM changed);
    RETURN NULL;
END $$;

CREATE FUNCTION compile_all_extensions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE extension SET compiled = NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER compile_extension BEFORE INSERT OR UPDATE ON extension FOR EACH ROW EXECUTE FUNCTION compile_extension();
ALTER TABLE extension ENABLE ALWAYS TRIGGER compile_extension;

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['condition', 'action'] LOOP
        EXECUTE format('
            CREATE TRIGGER compile_inserted AFTER INSERT ON %1$I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION compile_extensions();
            CREATE TRIGGER compile_updated AFTER UPDATE ON %1$I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION compile_extensions();
            CREATE TRIGGER compile_moved AFTER UPDATE ON %1$I REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION compile_extensions();
            CREATE TRIGGER compile_deleted AFTER DELETE ON %1$I REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION compile_extensions();
            CREATE TRIGGER compile_truncated AFTER TRUNCATE ON %1$I FOR EACH STATEMENT EXECUTE FUNCTION compile_all_extensions();
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER compile_inserted;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER compile_updated;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER compile_moved;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER compile_deleted;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER compile_truncated', t);
    END LOOP;
END $$;
-- +goose StatementEnd

CREATE TABLE context_extension (
    context   label    NOT NULL REFERENCES context ON UPDATE CASCADE ON DELETE CASCADE,
    extension label    NOT NULL REFERENCES extension ON UPDATE CASCADE ON DELETE CASCADE,
    position  smallint NOT NULL DEFAULT 100,
    enabled   boolean  NOT NULL DEFAULT true,
    PRIMARY KEY (context, extension)
);
CREATE INDEX context_extension_extension ON context_extension (extension);
COMMENT ON TABLE  context_extension          IS 'Extensions of a context that match by their own conditions. They are asked, in order, for a number that is not in table number.';
COMMENT ON COLUMN context_extension.position IS 'Extensions are asked in this order, then by name.';
COMMENT ON COLUMN context_extension.enabled  IS 'false takes it out of the context.';

CREATE TABLE number (
    context        label        NOT NULL DEFAULT 'public' REFERENCES context ON UPDATE CASCADE,
    number         phone_number NOT NULL,
    tenant         label        NOT NULL REFERENCES tenant ON UPDATE CASCADE ON DELETE CASCADE,
    extension      label        NOT NULL REFERENCES extension ON UPDATE CASCADE,
    enabled        boolean      NOT NULL DEFAULT true,
    address        socket_address,
    forward_number phone_number,
    display_name   display_name,
    PRIMARY KEY (context, number)
);
CREATE INDEX number_tenant ON number (tenant);
CREATE INDEX number_extension ON number (extension);
COMMENT ON TABLE  number                IS 'Who has a number, and what happens when it is called.';
COMMENT ON COLUMN number.context        IS 'The context in which it can be called.';
COMMENT ON COLUMN number.number         IS 'The called number, as +27123456789 or 1001: the answer''s condition on destination_number.';
COMMENT ON COLUMN number.tenant         IS 'Who has it.';
COMMENT ON COLUMN number.extension      IS 'Tenant: the operator''s extension that answers it.';
COMMENT ON COLUMN number.enabled        IS 'Tenant: false means that nobody has it.';
COMMENT ON COLUMN number.address        IS 'Tenant: fills %{address} in the extension''s actions.';
COMMENT ON COLUMN number.forward_number IS 'Tenant: fills %{forward_number} in the extension''s actions.';
COMMENT ON COLUMN number.display_name   IS 'Tenant: fills %{display_name} in the extension''s actions.';

-- Who may reach whom: a number's context and extension are its tenant's own or
-- nobody's in particular, and what the extension's actions ask for is there.

-- +goose StatementBegin
CREATE FUNCTION number_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n     record;
    asked text;
BEGIN
    SELECT x.number, x.tenant, x.context, c.tenant AS owner INTO n
    FROM changed x JOIN context c ON c.name = x.context WHERE c.tenant <> x.tenant LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(format('Context %s is %s''s, so %s of %s cannot be in it', n.context, n.owner, n.number, n.tenant),
            'Choose a shared context, or one of the number''s own tenant.');
    END IF;
    SELECT x.number, x.tenant, x.extension, e.tenant AS owner INTO n
    FROM changed x JOIN extension e ON e.name = x.extension WHERE e.tenant <> x.tenant LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(format('Extension %s is %s''s, so %s of %s cannot pick it', n.extension, n.owner, n.number, n.tenant),
            'Choose an extension without a tenant, or one of the number''s own tenant.');
    END IF;
    FOR asked IN SELECT DISTINCT a.extension || '/' || m[1] FROM action a, regexp_matches(a.data, '%\{(address|forward_number|display_name)\}', 'g') m LOOP
        SELECT x.number, x.extension INTO n
        FROM changed x
        WHERE x.extension = split_part(asked, '/', 1)
            AND CASE split_part(asked, '/', 2)
                WHEN 'address' THEN x.address
                WHEN 'forward_number' THEN x.forward_number
                ELSE x.display_name
            END IS NULL
        LIMIT 1;
        IF FOUND THEN
            PERFORM refuse(format('Extension %s asks for what %s does not have: %s', n.extension, n.number, split_part(asked, '/', 2)),
                format('Set it in the same statement: %s.', split_part(asked, '/', 2)));
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION context_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    other text;
BEGIN
    IF EXISTS (SELECT FROM extension e WHERE e.name = NEW.not_found_extension AND e.tenant IS DISTINCT FROM NEW.tenant AND e.tenant IS NOT NULL) THEN
        PERFORM refuse(format('Extension %s is another tenant''s, so context %s cannot use it', NEW.not_found_extension, NEW.name),
            'Choose an extension without a tenant, or one of the context''s own tenant.');
    END IF;
    IF EXISTS (SELECT FROM action a WHERE a.extension = NEW.not_found_extension AND a.data LIKE '%\%{%') THEN
        PERFORM refuse(format('Extension %s is filled in from a number, and here nobody has the number', NEW.not_found_extension),
            'Choose an extension whose actions hold the values themselves.');
    END IF;
    SELECT n.number || ' of ' || n.tenant INTO other FROM number n WHERE n.context = NEW.name AND n.tenant <> NEW.tenant LIMIT 1;
    IF other IS NOT NULL THEN
        PERFORM refuse(format('Context %s cannot be %s''s alone: it holds %s', NEW.name, NEW.tenant, other),
            'Move the other tenants'' numbers first.');
    END IF;
    SELECT e.name INTO other FROM context_extension x JOIN extension e ON e.name = x.extension
    WHERE x.context = NEW.name AND e.tenant IS NOT NULL AND e.tenant IS DISTINCT FROM NEW.tenant LIMIT 1;
    IF other IS NOT NULL THEN
        PERFORM refuse(format('Context %s holds extension %s of another tenant', NEW.name, other), 'Take it out of context_extension first.');
    END IF;
    SELECT d.name INTO other FROM domain d WHERE d.context = NEW.name AND d.tenant <> NEW.tenant LIMIT 1;
    IF other IS NOT NULL THEN
        PERFORM refuse(format('Context %s cannot be %s''s alone: the users of %s call in it', NEW.name, NEW.tenant, other), 'Give that domain another context first.');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION extension_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    other text;
BEGIN
    IF NEW.body IS NOT NULL AND (EXISTS (SELECT FROM condition c WHERE c.extension = NEW.name) OR EXISTS (SELECT FROM action a WHERE a.extension = NEW.name)) THEN
        PERFORM refuse(format('Extension %s has a body and rows in condition or action', NEW.name), 'Keep one of the two.');
    END IF;
    IF NEW.tenant IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT n.number || ' of ' || n.tenant INTO other FROM number n WHERE n.extension = NEW.name AND n.tenant <> NEW.tenant LIMIT 1;
    IF other IS NULL THEN
        SELECT 'context ' || c.name INTO other FROM context c
        WHERE c.tenant IS DISTINCT FROM NEW.tenant
            AND (c.not_found_extension = NEW.name OR EXISTS (SELECT FROM context_extension x WHERE x.context = c.name AND x.extension = NEW.name))
        LIMIT 1;
    END IF;
    IF other IS NOT NULL THEN
        PERFORM refuse(format('Extension %s cannot be %s''s alone: %s uses it', NEW.name, NEW.tenant, other), 'Give that another extension first.');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION context_extension_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM extension e JOIN context c ON c.name = NEW.context
        WHERE e.name = NEW.extension AND e.tenant IS NOT NULL AND e.tenant IS DISTINCT FROM c.tenant
    ) THEN
        PERFORM refuse(format('Extension %s is one tenant''s and context %s is not', NEW.extension, NEW.context),
            'Choose a context of the same tenant, or an extension without a tenant.');
    END IF;
    IF EXISTS (
        SELECT FROM action a WHERE a.extension = NEW.extension AND a.data LIKE '%\%{%'
    ) THEN
        PERFORM refuse(format('Extension %s is filled in from a number, so it cannot match by regular expression', NEW.extension),
            'Let numbers pick it, or write the values into its actions.');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION domain_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM context c WHERE c.name = NEW.context AND c.tenant <> NEW.tenant) THEN
        PERFORM refuse(format('Context %s is another tenant''s, so the users of %s cannot call in it', NEW.context, NEW.name),
            'Choose a context of the domain''s own tenant.');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION action_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing text;
BEGIN
    IF EXISTS (SELECT FROM extension e WHERE e.name = NEW.extension AND e.body IS NOT NULL) THEN
        PERFORM refuse(format('Extension %s has a body and rows in condition or action', NEW.extension), 'Keep one of the two.');
    END IF;
    IF TG_TABLE_NAME = 'condition' OR to_jsonb(NEW) ->> 'data' NOT LIKE '%\%{%' THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM context_extension x WHERE x.extension = NEW.extension)
        OR EXISTS (SELECT FROM context c WHERE c.not_found_extension = NEW.extension) THEN
        PERFORM refuse(format('Extension %s stands in a context for numbers that nobody has, so nothing can be filled in', NEW.extension),
            'Write the value itself.');
    END IF;
    SELECT n.number INTO missing FROM number n
    WHERE n.extension = NEW.extension
        AND ((NEW.data LIKE '%\%{address}%' AND n.address IS NULL)
            OR (NEW.data LIKE '%\%{forward_number}%' AND n.forward_number IS NULL)
            OR (NEW.data LIKE '%\%{display_name}%' AND n.display_name IS NULL))
    LIMIT 1;
    IF missing IS NOT NULL THEN
        PERFORM refuse(format('This action asks for what number %s does not have', missing), 'Fill in the numbers of the extension first.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- Once a statement and not once a row: numbers come by the hundred thousand.
CREATE TRIGGER inserted_number_fits AFTER INSERT ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_fits();
CREATE TRIGGER updated_number_fits AFTER UPDATE ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_fits();
CREATE TRIGGER context_fits AFTER INSERT OR UPDATE ON context FOR EACH ROW EXECUTE FUNCTION context_fits();
CREATE TRIGGER extension_fits AFTER INSERT OR UPDATE ON extension FOR EACH ROW EXECUTE FUNCTION extension_fits();
CREATE TRIGGER context_extension_fits AFTER INSERT OR UPDATE ON context_extension FOR EACH ROW EXECUTE FUNCTION context_extension_fits();
CREATE TRIGGER domain_fits AFTER INSERT OR UPDATE ON domain FOR EACH ROW EXECUTE FUNCTION domain_fits();
CREATE TRIGGER condition_fits AFTER INSERT OR UPDATE ON condition FOR EACH ROW EXECUTE FUNCTION action_fits();
CREATE TRIGGER action_fits AFTER INSERT OR UPDATE ON action FOR EACH ROW EXECUTE FUNCTION action_fits();

-- Everything else as XML -----------------------------------------------------

CREATE TABLE document (
    section document_section NOT NULL DEFAULT 'configuration',
    name    text             NOT NULL CHECK (coalesce(name ~ '^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$', true) OR refuse(
        format('%L is not the name of a document', name), 'For example ivr.conf, or the language en.')),
    node    label            NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    body    xml              NOT NULL,
    expand  boolean          NOT NULL DEFAULT false,
    PRIMARY KEY (section, name, node),
    CONSTRAINT document_is_not_a_table CHECK (section <> 'configuration'
        OR name NOT IN ('acl.conf', 'sofia.conf', 'event_socket.conf', 'post_load_modules.conf', 'post_load_switch.conf') OR refuse(
        format('%s is made from tables', name), 'Edit acl_list, acl_entry, sip_profile, gateway, node, module and their like instead.')),
    CONSTRAINT document_reads CHECK ((readable(body) AND named_in_ascii(wrapped(body))) OR refuse(
        format('FreeSWITCH cannot read %s', name),
        'Name elements and attributes in ASCII, and leave out the line <?xml …?>, or let it say version 1.0 and UTF-8.')),
    CONSTRAINT document_configuration CHECK (section <> 'configuration' OR coalesce(name ~ '\.conf$' AND body IS DOCUMENT
        AND (xpath('name(/*)', body))[1]::text = 'configuration' AND (xpath('string(/*/@name)', body))[1]::text = name, false) OR refuse(
        format('The body of %s must be one element <configuration name="%s">', name, name), 'Name the document as FreeSWITCH asks for it, for example ivr.conf, and store the whole element.')),
    CONSTRAINT document_languages CHECK (section <> 'languages' OR coalesce(body IS DOCUMENT
        AND (xpath('name(/*)', body))[1]::text = 'language' AND (xpath('string(/*/@name)', body))[1]::text = name, false) OR refuse(
        format('The body of language %s must be one element <language name="%s">', name, name), 'Store the whole element, with its phrases.')),
    CONSTRAINT document_chatplan CHECK (section <> 'chatplan' OR coalesce(body IS DOCUMENT
        AND (xpath('name(/*)', body))[1]::text = 'context' AND (xpath('string(/*/@name)', body))[1]::text = name, false) OR refuse(
        format('The body of chatplan %s must be one element <context name="%s">', name, name), 'Store the whole element, with its extensions.')),
    CONSTRAINT document_channels CHECK (section <> 'channels' OR coalesce(name = 'nightmare_xfer' AND body IS DOCUMENT
        AND (xpath('name(/*)', body))[1]::text = 'params', false) OR refuse(
        'The section channels holds one document, nightmare_xfer, which must be one element <params>', 'It answers attended transfers of profiles with channel-xml-fetch-on-nightmare-transfer.')),
    CONSTRAINT document_is_no_directive CHECK (body::text !~* 'x-pre-process|<!DOCTYPE|<include[\s/>]' OR refuse(
        format('%s holds what FreeSWITCH''s pre-processor would act on', name),
        'Leave out X-PRE-PROCESS, <include> and DOCTYPE; store the elements themselves. For $${name} set expand.'))
);
COMMENT ON TABLE  document         IS 'Any other document that FreeSWITCH asks for, as XML.';
COMMENT ON COLUMN document.section IS 'The section that FreeSWITCH names: configuration, languages, chatplan, channels.';
COMMENT ON COLUMN document.name    IS 'The file''s name (ivr.conf), the language (en), the chatplan''s context, or nightmare_xfer.';
COMMENT ON COLUMN document.node    IS 'The node it is for; * = all. A node''s own document overrides the common one.';
COMMENT ON COLUMN document.body    IS 'The element itself, as it would stand in a file. Comments are not sent.';
COMMENT ON COLUMN document.expand  IS 'true: $${name} in the body is replaced by the switch''s global variable.';
