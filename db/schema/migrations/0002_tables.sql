-- +goose Up

-- The tables, in this order: tenants and nodes, the dialplan, the directory,
-- access lists, SIP profiles and gateways, and all other documents.

SELECT set_config('search_path', format('%I, pg_temp', current_schema), true);

-- Tenants --------------------------------------------------------------------

CREATE TABLE tenant (
    name    label   PRIMARY KEY CONSTRAINT tenant_is_somebody CHECK (name <> '*' OR refuse('* is not the name of a tenant', 'Choose a name such as acme.')),
    enabled boolean NOT NULL DEFAULT true,
    note    text
);
COMMENT ON TABLE  tenant         IS 'Whose numbers, users and gateways these are.';
COMMENT ON COLUMN tenant.name    IS 'Fills %{tenant} in the actions of its numbers.';
COMMENT ON COLUMN tenant.enabled IS 'false takes everything of the tenant out of every answer: numbers, contexts, domains, users, gateways, networks.';
COMMENT ON COLUMN tenant.note    IS 'For people; FreeSWITCH never sees it.';

-- Nodes ----------------------------------------------------------------------

CREATE TABLE node (
    name                       label       PRIMARY KEY,
    local_ip                   inet,
    external_ip                inet,
    rtp_port                   int4range,
    max_sessions               integer,
    sessions_per_second        integer,
    loglevel                   loglevel,
    api_expansion              boolean,
    event_socket_ip            inet,
    event_socket_port          port,
    event_socket_address       socket_address,
    event_socket_password      secret,
    event_socket_password_from secret_reference,
    event_socket_acl           access_lists,
    revision_key               uuid        NOT NULL DEFAULT gen_random_uuid(),
    note                       text,
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
        'A node''s address is one address, not a network', 'Leave out the /bits: 192.0.2.10.')),
    CONSTRAINT node_has_one_event_socket_password CHECK (num_nonnulls(event_socket_password, event_socket_password_from) <= 1 OR refuse(
        format('Node %s has an event socket password and a reference to one', name), 'Keep one of event_socket_password and event_socket_password_from.'))
);
COMMENT ON TABLE  node                            IS 'A FreeSWITCH host, by its switchname. The row * holds what is common to all; a column that is NULL in a node''s own row is taken from *.';
COMMENT ON COLUMN node.name                       IS 'The switchname, which mod_xml_curl sends as hostname.';
COMMENT ON COLUMN node.local_ip                   IS 'Given to every SIP profile as sip-ip and rtp-ip.';
COMMENT ON COLUMN node.external_ip                IS 'The address that carriers and phones see, given to every SIP profile as ext-sip-ip and ext-rtp-ip.';
COMMENT ON COLUMN node.rtp_port                   IS 'rtp-start-port and rtp-end-port of post_load_switch.conf, both inclusive: ''[16384,16394]''. FreeSWITCH takes a change at its next start.';
COMMENT ON COLUMN node.max_sessions               IS 'max-sessions of post_load_switch.conf: calls at once. NULL = FreeSWITCH''s own 1000.';
COMMENT ON COLUMN node.sessions_per_second        IS 'sessions-per-second of post_load_switch.conf: new calls in a second. NULL = FreeSWITCH''s own 30.';
COMMENT ON COLUMN node.loglevel                   IS 'loglevel of post_load_switch.conf. NULL = FreeSWITCH''s own, debug.';
COMMENT ON COLUMN node.api_expansion              IS 'api-expansion of post_load_switch.conf: false stops FreeSWITCH from running ${api arguments} in dialplan data and dial strings; then ${sofia_contact(…)} in a dial string stops working too.';
COMMENT ON COLUMN node.event_socket_ip            IS 'listen-ip of event_socket.conf.';
COMMENT ON COLUMN node.event_socket_port          IS 'listen-port of event_socket.conf.';
COMMENT ON COLUMN node.event_socket_address       IS 'Where this server reaches the switch''s event socket, host:port. NULL = event_socket_ip and event_socket_port, where the switch listens.';
COMMENT ON COLUMN node.event_socket_password      IS 'password of event_socket.conf. While it is NULL here and in *, FreeSWITCH keeps its built-in default, on loopback only.';
COMMENT ON COLUMN node.event_socket_password_from IS 'password of event_socket.conf, from a secret of the server instead of this row: file:fs1/event-socket or env:EVENT_SOCKET.';
COMMENT ON COLUMN node.event_socket_acl           IS 'apply-inbound-acl of event_socket.conf: the lists that have to let a peer in, separated by blanks. Lists of acl_list, of FreeSWITCH itself (localnet.auto, rfc1918.auto, any_v4.auto, …), or IPv4 networks (10.0.0.0/8). NULL = loopback only.';
COMMENT ON COLUMN node.revision_key               IS 'Made by PostgreSQL: the key of the hash that shows when a password from event_socket_password_from changes.';
COMMENT ON COLUMN node.note                       IS 'For people; FreeSWITCH never sees it.';
INSERT INTO node (name, note) VALUES ('*', 'Common to all nodes.');

CREATE TABLE node_credential (
    username      label         PRIMARY KEY CONSTRAINT node_credential_is_somebodys CHECK (username <> '*' OR refuse(
        '* is not the name of a user', 'Choose a name such as fs1.')),
    node          label         NOT NULL REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE
        CONSTRAINT node_credential_is_of_one_node CHECK (node <> '*' OR refuse(
        'These are the credentials of one node', 'Name the node. What all nodes may send is the server''s setting credentials.')),
    password_hash password_hash NOT NULL,
    enabled       boolean       NOT NULL DEFAULT true
);
CREATE INDEX node_credential_node ON node_credential (node);
COMMENT ON TABLE  node_credential               IS 'The user and password that a node sends as gateway-credentials of mod_xml_curl. With them it gets its own documents, whatever hostname it sends. A node may have several, so that a new one is in force before the old one goes.';
COMMENT ON COLUMN node_credential.username      IS 'The user.';
COMMENT ON COLUMN node_credential.node          IS 'The node that sends it.';
COMMENT ON COLUMN node_credential.password_hash IS 'The password''s hash, never the password.';
COMMENT ON COLUMN node_credential.enabled       IS 'false: requests with it are refused, within a second of the edit.';

CREATE TABLE module (
    node     label            NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    name     text COLLATE "C" NOT NULL CHECK (coalesce(name ~ '^mod_[a-z0-9_]+$', true) OR refuse(
        format('%L is not a module', name), 'A module is named as its file without .so, for example mod_flite.')),
    position smallint         NOT NULL DEFAULT 100,
    enabled  boolean          NOT NULL DEFAULT true,
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
COMMENT ON TABLE  switch_variable        IS 'Global variables of the switch: the vars.xml of a static setup. FreeSWITCH has them before it loads the modules, and takes a change at its next start.';
COMMENT ON COLUMN switch_variable.node   IS 'The node it is for; * = all. A node''s own row overrides the common one.';
COMMENT ON COLUMN switch_variable.name   IS 'variable name= of post_load_switch.conf.';
COMMENT ON COLUMN switch_variable.value  IS 'The value. One with a line end, ", <, > or &, or of more than 2000 bytes, is set only when the modules are loaded: at a start that is too late for $${name} in their documents.';
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

-- Dialplan: extensions ---------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION wrapped(body xml) RETURNS xml
LANGUAGE sql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT xmlelement(name body, regexp_replace(body::text, '^\s*<\?xml[^>]*>', '')::xml)
$$;

CREATE FUNCTION readable(body xml) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT body::text COLLATE "C" !~* '<\?xml(?!\s+version=["'']1\.0["''](\s+encoding=["'']utf-8["''])?(\s+standalone=["''](yes|no)["''])?\s*\?>)'
$$;

CREATE FUNCTION named_in_ascii(body xml) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT NOT xpath_exists('//*[translate(name(), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:.-", "") != ""]
        | //@*[translate(name(), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:.-", "") != ""]', body)
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION wrapped IS 'The XML, without its declaration, inside one element <body>.';
COMMENT ON FUNCTION readable IS 'Whether the XML has no declaration, or one of version 1.0 and UTF-8.';
COMMENT ON FUNCTION named_in_ascii IS 'Whether FreeSWITCH can read the names of all elements and attributes.';

CREATE TABLE extension (
    name     label   PRIMARY KEY CONSTRAINT extension_name CHECK (name <> '*' OR refuse('* is not the name of an extension', 'Choose a name such as twilio.inbound.')),
    tenant   label   REFERENCES tenant ON UPDATE CASCADE ON DELETE CASCADE,
    continue boolean NOT NULL DEFAULT false,
    body     xml,
    expand   boolean NOT NULL DEFAULT false,
    asks     text[] COLLATE "C",
    compiled json    NOT NULL,
    note     text,
    CONSTRAINT extension_body CHECK (body IS NULL OR (body::text COLLATE "C" !~* 'x-pre-process|<!DOCTYPE|<include[\s/>]') OR refuse(
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
COMMENT ON COLUMN extension.body     IS 'Instead of rows in condition and action: the conditions as XML, as in a file. In data of its actions %{number}, %{tenant}, %{address}, %{forward_number} and %{display_name} are filled in from the number that was called, under the rules of table action.';
COMMENT ON COLUMN extension.expand   IS 'true: $${name} in the body is replaced by the switch''s global variable. For the tables'' owner and members of role xmlcurld_operator only.';
COMMENT ON COLUMN extension.asks     IS 'Written by triggers: the values of a number that the body asks for. NULL = none.';
COMMENT ON COLUMN extension.compiled IS 'Written by triggers: the extension with its conditions and actions as one value, so that a call reads one row.';
COMMENT ON COLUMN extension.note     IS 'For people; FreeSWITCH never sees it.';

-- Dialplan: conditions and actions -----------------------------------------------

-- FreeSWITCH takes an expression that it cannot compile for false at each call,
-- and logs it. The usual mistakes can be found without PCRE.
-- +goose StatementBegin
CREATE FUNCTION expression_fault(expression text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
DECLARE
    c     CONSTANT text[] := string_to_array(expression, NULL);
    n     CONSTANT integer := cardinality(c);
    i     integer := 1;
    open_ integer := 0;
    item  boolean := false; -- whether something stands here that can be repeated
    range_ text[];
BEGIN
    IF expression LIKE '%${%' THEN
        RETURN NULL; -- FreeSWITCH expands it first
    END IF;
    WHILE i <= n LOOP
        CASE
            WHEN c[i] = '\' THEN
                IF i = n THEN
                    RETURN 'it ends in a \';
                ELSIF c[i + 1] = 'Q' THEN
                    i := coalesce(nullif(position('\E' IN substr(expression, i)), 0) + i, n) - 1;
                END IF;
                item := true;
                i := i + 1;
            WHEN c[i] = '[' THEN
                i := i + 1;
                IF c[i] = '^' THEN i := i + 1; END IF;
                IF c[i] = ']' THEN i := i + 1; END IF;
                WHILE i <= n AND c[i] <> ']' LOOP
                    IF c[i] = '\' THEN
                        i := i + 1;
                    ELSIF c[i] = '[' AND c[i + 1] = ':' AND position(':]' IN substr(expression, i)) > 0 THEN
                        i := i + position(':]' IN substr(expression, i));
                    END IF;
                    i := i + 1;
                END LOOP;
                IF i > n THEN
                    RETURN 'a [ is not closed';
                END IF;
                item := true;
            WHEN c[i] = '(' THEN
                open_ := open_ + 1;
                item := false;
                IF c[i + 1] = '?' THEN
                    i := i + 2; -- a group such as (?:
                ELSIF c[i + 1] = '*' THEN
                    i := i + 1; -- an option such as (*ANYCRLF)
                END IF;
            WHEN c[i] = ')' THEN
                open_ := open_ - 1;
                item := true;
                IF open_ < 0 THEN
                    RETURN 'a ) closes nothing';
                END IF;
            WHEN c[i] IN ('*', '+', '?') OR c[i] = '{' AND substr(expression, i) ~ '^\{[0-9]+(,[0-9]*)?\}' THEN
                IF NOT item THEN
                    RETURN format('there is nothing before %s to repeat', c[i]);
                END IF;
                IF c[i] = '{' THEN
                    range_ := regexp_match(substr(expression, i), '^\{([0-9]+),?([0-9]*)\}');
                    IF length(range_[1]) > 5 OR length(range_[2]) > 5 OR range_[1]::integer > 65535 OR coalesce(nullif(range_[2], '')::integer NOT BETWEEN range_[1]::integer AND 65535, false) THEN
                        RETURN 'the numbers in {…} are out of order or too large';
                    END IF;
                    i := i + position('}' IN substr(expression, i)) - 1;
                END IF;
                IF c[i + 1] IN ('?', '+') THEN
                    i := i + 1; -- lazy, or possessive
                END IF;
                item := false;
            WHEN c[i] IN ('|', '^') THEN
                item := false;
            ELSE
                item := true;
        END CASE;
        i := i + 1;
    END LOOP;
    RETURN CASE WHEN open_ > 0 THEN 'a ( is not closed' END;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION expression_fault IS 'What keeps PCRE from compiling the expression, as far as its brackets and repetitions tell; NULL when nothing does, or when FreeSWITCH expands it first.';

-- FreeSWITCH reads a time as far as it understands it and ignores the rest, so
-- a mistyped value never matches, or matches at another time.
-- +goose StatementBegin
CREATE FUNCTION time_reads(attribute text, value text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
    -- Blanks may stand before a number, where strtol skips them, but not behind it, where it stops.
    list CONSTANT text := '^ *[0-9]{1,4}(- *[0-9]{1,4})?(, *[0-9]{1,4}(- *[0-9]{1,4})?)*$';
    clock CONSTANT text := ' *(([01]?[0-9]|2[0-3])(:[0-5]?[0-9]){1,2}|24:00(:00)?) *';
    moment CONSTANT text := '([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( *[0-9]{1,2}(:[0-9]{1,2}){0,2})?|[0-9]{14}) *';
    lowest integer;
    highest integer;
    example text;
    fine boolean;
BEGIN
    IF value IS NULL THEN
        RETURN true;
    END IF;
    CASE attribute
        WHEN 'wday' THEN
            fine := value ~* '^([1-7]|sun|mon|tue|wed|thu|fri|sat)(-([1-7]|sun|mon|tue|wed|thu|fri|sat))?(,([1-7]|sun|mon|tue|wed|thu|fri|sat)(-([1-7]|sun|mon|tue|wed|thu|fri|sat))?)*$';
            example := 'days of the week without blanks, 1 = Sunday or three letters, as 2-6, mon-fri or mon,wed';
        WHEN 'time_of_day' THEN
            fine := value ~ format('^%1$s-%1$s(,%1$s-%1$s)*$', clock);
            example := 'ranges from 00:00 to 24:00 with minutes, as 09:00-17:00 or 08:00-12:00,13:00-17:00';
        WHEN 'date_time' THEN
            fine := value ~ format('^%1$s~%1$s(,%1$s~%1$s)*$', moment) AND date_times_read(value);
            example := 'a beginning and a later end with ~ between them, as 2026-12-24 12:00~2027-01-02 23:59';
        WHEN 'tz_offset' THEN
            fine := value ~ '^(-?([0-9]|1[0-2])|\+?([0-9]|1[0-4]))$';
            example := 'one offset from UTC in whole hours from -12 to 14, as 2 or -5';
        ELSE
            SELECT l, h, e INTO STRICT lowest, highest, example FROM (VALUES
                ('year', 1970, 9999, '2026 or 2026-2028'),
                ('yday', 1, 366, '1-90 or 359,360'),
                ('mon', 1, 12, '1-3 or 6,12'),
                ('mday', 1, 31, '1-15 or 1,15'),
                ('week', 1, 53, '1-26 or 52'),
                ('mweek', 1, 6, '1 or 2-3'),
                ('hour', 0, 23, '9-16 or 18-8, which is overnight'),
                ('minute', 0, 59, '0-29 or 0,30'),
                ('minute_of_day', 1, 1440, '541-1020, where 1 is the minute after midnight')
            ) v (a, l, h, e) WHERE a = attribute;
            fine := value ~ list AND NOT EXISTS (
                SELECT FROM regexp_matches(value, '[0-9]+', 'g') m WHERE m[1]::integer NOT BETWEEN lowest AND highest);
            example := format('numbers from %s to %s, as %s', lowest, highest, example);
    END CASE;
    IF NOT fine THEN
        PERFORM refuse('This time condition cannot be read',
            format('FreeSWITCH does not read %L as %s, or reads another time. Write %s.', value, attribute, example));
    END IF;
    RETURN true;
END $$;

CREATE FUNCTION date_times_read(value text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
    span text;
    ends timestamp[];
BEGIN
    FOREACH span IN ARRAY string_to_array(value, ',') LOOP
        SELECT array_agg(make_timestamp(m[1]::integer, m[2]::integer, m[3]::integer,
            coalesce(nullif(m[4], ''), '0')::integer, coalesce(nullif(m[5], ''), '0')::integer, coalesce(nullif(m[6], ''), '0')::integer) ORDER BY n)
        INTO ends
        FROM unnest(string_to_array(span, '~')) WITH ORDINALITY u (moment, n)
        CROSS JOIN LATERAL regexp_match(moment, CASE
            WHEN moment ~ '^[0-9]{14}' THEN '^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})'
            ELSE '^([0-9]+)-([0-9]+)-([0-9]+) *([0-9]*):?([0-9]*):?([0-9]*)'
        END) m;
        IF NOT coalesce(ends[1] < ends[2], false) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
    RETURN false;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION time_reads IS 'Refuses a value of a time condition that FreeSWITCH cannot read, or reads as something else.';
COMMENT ON FUNCTION date_times_read IS 'Whether each range of date-time= has two moments that exist, the earlier one first.';

CREATE TABLE condition (
    extension      label           NOT NULL REFERENCES extension ON UPDATE CASCADE ON DELETE CASCADE,
    position       smallint        NOT NULL,
    parent         smallint,
    field          setting_value,
    expression     setting_value,
    regex          text COLLATE "C",
    "break"        condition_break NOT NULL DEFAULT 'on-false',
    require_nested boolean         NOT NULL DEFAULT true,
    expand         boolean         NOT NULL DEFAULT false,
    wday           text COLLATE "C",
    mday           text COLLATE "C",
    mon            text COLLATE "C",
    time_of_day    text COLLATE "C",
    date_time      text COLLATE "C",
    year           text COLLATE "C",
    yday           text COLLATE "C",
    week           text COLLATE "C",
    mweek          text COLLATE "C",
    hour           text COLLATE "C",
    minute         text COLLATE "C",
    minute_of_day  text COLLATE "C",
    tz_offset      text COLLATE "C",
    dst            boolean,
    PRIMARY KEY (extension, position),
    FOREIGN KEY (extension, parent) REFERENCES condition ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT condition_position CHECK (position >= 1 OR refuse(
        format('A condition cannot have position %s', position), 'Count from 1; an action without a condition comes before all of them.')),
    CONSTRAINT condition_parent CHECK (coalesce(parent < position, true) OR refuse(
        format('Condition %s cannot stand in condition %s', position, parent), 'A condition stands in one with a smaller position. Renumber them.')),
    CONSTRAINT condition_field_and_expression CHECK (num_nonnulls(field, expression) <> 1 OR refuse(
        'A condition names a field and the expression that it must match', 'Set both, or neither for a condition that is always true.')),
    CONSTRAINT condition_expression_reads CHECK (expression_fault(expression) IS NULL OR refuse(
        format('FreeSWITCH cannot read the expression %s: %s', expression, expression_fault(expression)),
        'Write a regular expression as Perl has them, for example ^\+27(\d+)$. A sign that stands for itself has a \ before it.')),
    CONSTRAINT condition_regex CHECK (coalesce(regex IN ('all', 'any', 'xor'), true) OR refuse(
        format('%L is no way to count expressions', regex), 'Write all, any or xor, which is exactly one; and the expressions into table condition_regex.')),
    CONSTRAINT condition_regex_instead_of_field CHECK (regex IS NULL OR num_nonnulls(field, expression) = 0 OR refuse(
        'A condition with regex has its fields and expressions in table condition_regex', 'Set field and expression to NULL, or regex.')),
    CONSTRAINT condition_dst CHECK (coalesce(dst, true) OR refuse(
        'FreeSWITCH never matches dst = false', 'Write dst = true, and anti-actions for the rest of the year.')),
    CONSTRAINT condition_times CHECK (time_reads('wday', wday) AND time_reads('mday', mday) AND time_reads('mon', mon)
        AND time_reads('time_of_day', time_of_day) AND time_reads('date_time', date_time)
        AND time_reads('year', year) AND time_reads('yday', yday) AND time_reads('week', week)
        AND time_reads('mweek', mweek) AND time_reads('hour', hour) AND time_reads('minute', minute)
        AND time_reads('minute_of_day', minute_of_day) AND time_reads('tz_offset', tz_offset))
);
CREATE INDEX condition_parent ON condition (extension, parent);
COMMENT ON TABLE  condition                IS 'A condition of an extension, in order. In a number''s answer they come after the condition on the number itself.';
COMMENT ON COLUMN condition.position       IS 'Conditions are evaluated in this order.';
COMMENT ON COLUMN condition.parent         IS 'The condition (its position) that this one stands in. It is evaluated when that one is true.';
COMMENT ON COLUMN condition.field          IS 'condition field=, for example destination_number or ${sip_from_host}.';
COMMENT ON COLUMN condition.expression     IS 'condition expression=: a regular expression. FreeSWITCH expands ${…} in it.';
COMMENT ON COLUMN condition.regex          IS 'condition regex=: all, any or xor (exactly one) of the rows in condition_regex must match. It takes the place of field and expression.';
COMMENT ON COLUMN condition."break"        IS 'condition break=.';
COMMENT ON COLUMN condition.require_nested IS 'condition require-nested=: false means that the conditions in this one need not be true for the next one to be evaluated.';
COMMENT ON COLUMN condition.expand         IS 'true: $${name} in field and expression is replaced by the switch''s global variable.';
COMMENT ON COLUMN condition.wday           IS 'condition wday=: days of the week, 1 = Sunday, as 2-6 or mon-fri. Beside field and expression, a match of either one is enough for FreeSWITCH; the same holds for all columns of time.';
COMMENT ON COLUMN condition.mday           IS 'condition mday=: days of the month, as 1-15. In each list of numbers a range that goes down means the rest: 20-10 is all but 11 to 19.';
COMMENT ON COLUMN condition.mon            IS 'condition mon=: months, as 1-3.';
COMMENT ON COLUMN condition.time_of_day    IS 'condition time-of-day=, as 09:00-17:00.';
COMMENT ON COLUMN condition.date_time      IS 'condition date-time=, as 2026-12-24 12:00~2027-01-02 23:59.';
COMMENT ON COLUMN condition.year           IS 'condition year=, as 2026-2028.';
COMMENT ON COLUMN condition.yday           IS 'condition yday=: days of the year from 1 to 366.';
COMMENT ON COLUMN condition.week           IS 'condition week=: weeks of the year, counted in sevens from 1 January.';
COMMENT ON COLUMN condition.mweek          IS 'condition mweek=: weeks of the month from 1 to 6, each beginning on a Sunday.';
COMMENT ON COLUMN condition.hour           IS 'condition hour=, as 9-16, which ends at 16:59.';
COMMENT ON COLUMN condition.minute         IS 'condition minute=: minutes of the hour, as 0-29.';
COMMENT ON COLUMN condition.minute_of_day  IS 'condition minute-of-day=: minutes of the day from 1 to 1440, as 541-1020, which is 09:00 to 16:59.';
COMMENT ON COLUMN condition.tz_offset      IS 'condition tz-offset=: true where the call''s time zone is so many hours from UTC, as 2 or -5.';
COMMENT ON COLUMN condition.dst            IS 'condition dst=: true while the switch''s own time zone has daylight saving time.';

CREATE TABLE condition_regex (
    extension     label    NOT NULL,
    condition     smallint NOT NULL,
    position      smallint NOT NULL,
    field         setting_value,
    expression    setting_value,
    expand        boolean  NOT NULL DEFAULT false,
    wday          text COLLATE "C",
    mday          text COLLATE "C",
    mon           text COLLATE "C",
    time_of_day   text COLLATE "C",
    date_time     text COLLATE "C",
    year          text COLLATE "C",
    yday          text COLLATE "C",
    week          text COLLATE "C",
    mweek         text COLLATE "C",
    hour          text COLLATE "C",
    minute        text COLLATE "C",
    minute_of_day text COLLATE "C",
    tz_offset     text COLLATE "C",
    dst           boolean,
    PRIMARY KEY (extension, condition, position),
    FOREIGN KEY (extension, condition) REFERENCES condition ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT condition_regex_field_and_expression CHECK (num_nonnulls(field, expression) <> 1 OR refuse(
        'An expression of a condition needs its field, and a field its expression', 'Set both, or neither and columns of time.')),
    CONSTRAINT condition_regex_field_or_time CHECK (field IS NULL
        OR num_nonnulls(wday, mday, mon, time_of_day, date_time, year, yday, week, mweek, hour, minute, minute_of_day, tz_offset, dst) = 0 OR refuse(
        'Beside a field FreeSWITCH does not look at the time here', 'Make two rows of it, one with field and expression, one with the time.')),
    CONSTRAINT condition_regex_says_something CHECK (
        num_nonnulls(field, wday, mday, mon, time_of_day, date_time, year, yday, week, mweek, hour, minute, minute_of_day, tz_offset, dst) > 0 OR refuse(
        'This row of condition_regex holds nothing to match', 'Set field and expression, or columns of time.')),
    CONSTRAINT condition_regex_dst CHECK (coalesce(dst, true) OR refuse(
        'FreeSWITCH never matches dst = false', 'Write dst = true, and anti-actions for the rest of the year.')),
    CONSTRAINT condition_regex_times CHECK (time_reads('wday', wday) AND time_reads('mday', mday) AND time_reads('mon', mon)
        AND time_reads('time_of_day', time_of_day) AND time_reads('date_time', date_time)
        AND time_reads('year', year) AND time_reads('yday', yday) AND time_reads('week', week)
        AND time_reads('mweek', mweek) AND time_reads('hour', hour) AND time_reads('minute', minute)
        AND time_reads('minute_of_day', minute_of_day) AND time_reads('tz_offset', tz_offset)),
    CONSTRAINT condition_regex_expression_reads CHECK (expression_fault(expression) IS NULL OR refuse(
        format('FreeSWITCH cannot read the expression %s: %s', expression, expression_fault(expression)),
        'Write a regular expression as Perl has them, for example ^\+27(\d+)$. A sign that stands for itself has a \ before it.'))
);
COMMENT ON TABLE  condition_regex               IS 'What a condition with regex counts: expressions and times, of which all, any or exactly one must match.';
COMMENT ON COLUMN condition_regex.position      IS 'They are tried in this order.';
COMMENT ON COLUMN condition_regex.field         IS 'regex field=, as field of condition.';
COMMENT ON COLUMN condition_regex.expression    IS 'regex expression=: a regular expression. FreeSWITCH expands ${…} in it.';
COMMENT ON COLUMN condition_regex.expand        IS 'true: $${name} in field and expression is replaced by the switch''s global variable. For the tables'' owner and members of role xmlcurld_operator only.';
COMMENT ON COLUMN condition_regex.wday          IS 'regex wday=, as wday of condition.';
COMMENT ON COLUMN condition_regex.mday          IS 'regex mday=, as mday of condition.';
COMMENT ON COLUMN condition_regex.mon           IS 'regex mon=, as mon of condition.';
COMMENT ON COLUMN condition_regex.time_of_day   IS 'regex time-of-day=, as time_of_day of condition.';
COMMENT ON COLUMN condition_regex.date_time     IS 'regex date-time=, as date_time of condition.';
COMMENT ON COLUMN condition_regex.year          IS 'regex year=, as year of condition.';
COMMENT ON COLUMN condition_regex.yday          IS 'regex yday=, as yday of condition.';
COMMENT ON COLUMN condition_regex.week          IS 'regex week=, as week of condition.';
COMMENT ON COLUMN condition_regex.mweek         IS 'regex mweek=, as mweek of condition.';
COMMENT ON COLUMN condition_regex.hour          IS 'regex hour=, as hour of condition.';
COMMENT ON COLUMN condition_regex.minute        IS 'regex minute=, as minute of condition.';
COMMENT ON COLUMN condition_regex.minute_of_day IS 'regex minute-of-day=, as minute_of_day of condition.';
COMMENT ON COLUMN condition_regex.tz_offset     IS 'regex tz-offset=, as tz_offset of condition.';
COMMENT ON COLUMN condition_regex.dst           IS 'regex dst=, as dst of condition.';

-- Keeps what a tenant writes from running commands on the switch, and from
-- reaching another tenant's calls.
-- +goose StatementBegin
CREATE FUNCTION template_fits(application text, data text) RETURNS boolean LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    -- The signs that a value of each may hold besides letters and digits; none of them can separate it from its neighbours.
    filled     text COLLATE "C" := replace(replace(replace(data, '%{address}', chr(1)), '%{forward_number}', chr(2)), '%{display_name}', chr(3));
    alphabets  CONSTANT text[] := ARRAY['._-:[]', '+*#', ' ._+&/()-'];
    ours       CONSTANT boolean := filled ~ '[\x01-\x03]';
    expanding  integer := 0; -- how deep in ${…}: FreeSWITCH counts braces and ignores quotes and backslashes
    curly      integer := 0;
    square     integer := 0;
    angle      integer := 0;
    all_       text[] COLLATE "C";
    region     integer := 0; -- where the inside of {…}, […] or <…> begins
    leg        integer := 1; -- where a destination begins
    inside     text COLLATE "C";
    separator  text COLLATE "C";
    name_      text COLLATE "C";
    c          text COLLATE "C";
    i          integer := 1;
BEGIN
    IF ours AND application NOT IN ('bridge', 'transfer', 'log', 'speak', 'say', 'answer', 'respond', 'redirect', 'deflect')
        AND NOT (application IN ('set', 'export') AND data ~ '^(nolocal:)?(effective_|origination_|sip_h_X-)[A-Za-z0-9_-]*='
            AND data !~ '^(nolocal:)?origination_(uuid|aleg_uuid|nested_vars|cancel_key|audio_mode|channel_name)=') THEN
        RETURN refuse(format('%s may not be given a value that the tenant writes', application),
            'Its data can run commands on the switch. Tenants fill in bridge, transfer, speak, say, log, respond, redirect, deflect, and set or export of effective_…, origination_… and sip_h_X-… only.');
    END IF;
    IF ours AND application = 'transfer' AND data !~ '^(-(bleg|both) )?[0-9*#+]*%\{forward_number\}( XML( [^ %]+| %\{tenant\})?)?$' THEN
        RETURN refuse('transfer may be given nothing that the tenant writes but forward_number',
            'Write %{forward_number}, or %{forward_number} XML and a context: other words of it can name an application to run, or another tenant''s context.');
    END IF;
    IF ours AND application = 'speak' AND filled ~ '[\x01-\x03].*\|' THEN
        RETURN refuse('speak may not be given an engine or a voice that the tenant writes', 'Write the value behind the last |: flite|slt|%{display_name}.');
    END IF;
    all_ := string_to_array(replace(replace(filled, '%{number}', chr(4)), '%{tenant}', chr(4)), NULL);
    WHILE i <= cardinality(all_) LOOP
        c := all_[i];
        IF expanding > 0 THEN
            IF c BETWEEN chr(1) AND chr(4) THEN
                RETURN refuse('A value of a number cannot stand inside ${…}', 'FreeSWITCH would run it as a command. Put it outside.');
            END IF;
            expanding := expanding + CASE c WHEN '{' THEN 1 WHEN '}' THEN -1 ELSE 0 END;
        ELSIF c = '$' AND all_[i + 1] = '{' THEN
            expanding := 1;
            i := i + 1;
        ELSIF application = 'bridge' THEN
            IF c IN ('{', '[', '<') AND curly + square + angle = 0 THEN
                region := i + 1;
            END IF;
            curly := greatest(0, curly + CASE c WHEN '{' THEN 1 WHEN '}' THEN -1 ELSE 0 END);
            square := greatest(0, square + CASE c WHEN '[' THEN 1 WHEN ']' THEN -1 ELSE 0 END);
            angle := greatest(0, angle + CASE c WHEN '<' THEN 1 WHEN '>' THEN -1 ELSE 0 END);
            IF curly + square + angle = 0 AND (c IN (',', '|', '}', ']', '>') OR c = ':' AND all_[i - 1] = '_' AND all_[i - 2] = ':') THEN
                leg := i + 1;
            END IF;
            IF c NOT BETWEEN chr(1) AND chr(3) THEN
                NULL;
            ELSIF curly + square + angle = 0 THEN
                inside := array_to_string(all_[leg:i - 1], '');
                -- What follows the number of a loopback names a context, and then a dialplan: inline would run the number.
                IF inside !~ '^ *[A-Za-z0-9_.]+/' OR c = chr(3) OR inside ~* '^ *loopback' AND (c <> chr(2) OR inside !~* '^ *loopback/[0-9*#+]*$'
                    OR substring(array_to_string(all_[i + 1:], '') FROM '^[^,|{}<>\[\]]*') !~* '^(/[a-z0-9_.\x04-]*(/xml)?)?$') THEN
                    RETURN refuse('A dial string may not take its destination from a value that the tenant writes',
                        'Name the endpoint before it, for example sofia/gateway/twilio/%{forward_number}; %{display_name} stands in variables only.');
                END IF;
            ELSE
                inside := array_to_string(all_[region:i - 1], '');
                separator := CASE WHEN inside LIKE '^^_%' THEN substr(inside, 3, 1) ELSE ',' END;
                inside := CASE WHEN inside LIKE '^^_%' THEN substr(inside, 4) ELSE inside END;
                name_ := substring(inside FROM '([A-Za-z0-9_-]+)=[^=]*$');
                IF name_ IS NOT NULL AND (name_ !~ '^(effective_|origination_|sip_h_X-)' OR name_ ~ '^origination_(uuid|aleg_uuid|nested_vars|cancel_key|audio_mode|channel_name)$') THEN
                    RETURN refuse('This variable of a dial string may not be given a value that the tenant writes',
                        'It can run commands on the switch. Tenants fill in effective_…, origination_… and sip_h_X-… only.');
                END IF;
                IF curly + square + angle <> 1 OR data ~ '[''\\]' OR separator !~ '^[!#%&()*+,./:;?@^_`|~-]$' OR position(separator IN alphabets[ascii(c)]) > 0
                    OR name_ IS NULL OR reverse(split_part(reverse(inside), reverse(separator), 1)) <> name_ || '='
                    OR all_[i + 1] IS NULL OR all_[i + 1] NOT IN (separator, CASE WHEN curly = 1 THEN '}' WHEN square = 1 THEN ']' ELSE '>' END)
                    OR c = chr(1) AND square = 1 THEN
                    RETURN refuse('A tenant''s value does not stand by itself in this variable of a dial string',
                        'Write name=%{…} directly behind the opening sign or a separator, and nothing behind it: {effective_caller_id_name=%{display_name}}. No quotes or backslashes may stand in such a dial string.');
                END IF;
            END IF;
        END IF;
        i := i + 1;
    END LOOP;
    RETURN true;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION template_fits IS 'Whether values that a tenant writes stand in an action''s data only where FreeSWITCH neither expands nor executes them. Refuses the rest.';

CREATE TABLE action (
    id          bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    extension   label            NOT NULL REFERENCES extension ON UPDATE CASCADE ON DELETE CASCADE,
    condition   smallint,
    position    smallint         NOT NULL,
    application text COLLATE "C" NOT NULL CHECK (coalesce(application ~ '^[a-z0-9_]+$', true) OR refuse(
        format('%L is not an application', application), 'For example answer, bridge, socket, respond.')),
    data        setting_value    NOT NULL DEFAULT '',
    "inline"    boolean          NOT NULL DEFAULT false,
    anti        boolean          NOT NULL DEFAULT false,
    expand      boolean          NOT NULL DEFAULT false,
    CONSTRAINT action_key UNIQUE NULLS NOT DISTINCT (extension, condition, position),
    FOREIGN KEY (extension, condition) REFERENCES condition ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT action_fills_in_what_a_number_has CHECK (data !~ '%\{(?!(number|tenant|address|forward_number|display_name)\})' OR refuse(
        'This action asks for a value that no number has', 'Known: %{number}, %{tenant}, %{address}, %{forward_number}, %{display_name}.')),
    CONSTRAINT action_places_a_tenants_value CHECK (data NOT LIKE '%\%{%' OR template_fits(application, data))
);
COMMENT ON TABLE  action             IS 'An action of an extension. In its data %{number}, %{tenant}, %{address}, %{forward_number} and %{display_name} are filled in from the number that was called.';
COMMENT ON COLUMN action.condition   IS 'The condition (its position) that it belongs to; NULL = the condition on the called number, before all others.';
COMMENT ON COLUMN action.position    IS 'Actions run in this order.';
COMMENT ON COLUMN action.application IS 'action application=.';
COMMENT ON COLUMN action.data        IS 'action data=. FreeSWITCH expands ${…} in it and runs ${api arguments}.';
COMMENT ON COLUMN action."inline"    IS 'action inline=: run while the dialplan is read, so that later conditions see it.';
COMMENT ON COLUMN action.anti        IS 'true: an anti-action, which runs when the condition is false.';
COMMENT ON COLUMN action.expand      IS 'true: $${name} in the data is replaced by the switch''s global variable.';

-- Each change of numbers asks whether they have what their extensions ask for. Most actions ask for nothing.
CREATE INDEX action_asks ON action (extension) WHERE data LIKE '%\%{%';

-- Dialplan: contexts and numbers -----------------------------------------------

CREATE TABLE context (
    name                label         PRIMARY KEY CONSTRAINT context_is_not_static CHECK ((lower(name) <> 'global' AND name <> '*') OR refuse(
        format('%s cannot be a context of its own', name), 'FreeSWITCH takes a context named global for every context that it does not find. Choose another name.')),
    tenant              label         REFERENCES tenant ON UPDATE CASCADE ON DELETE CASCADE,
    number_forms        number_form[] NOT NULL DEFAULT '{plus}',
    not_found_extension label         REFERENCES extension ON UPDATE CASCADE
);
CREATE UNIQUE INDEX context_name_ignoring_case ON context (lower(name));
CREATE INDEX context_tenant ON context (tenant);
COMMENT ON TABLE  context                     IS 'Where a call is routed: a profile''s or a user''s context. One tenant''s, or shared.';
COMMENT ON COLUMN context.name                IS 'context name= of the dialplan; a SIP profile names it in its parameter context, a user in user_context.';
COMMENT ON COLUMN context.tenant              IS 'Whose it is; NULL = shared, as public, which all carriers enter: there each number belongs to one tenant.';
COMMENT ON COLUMN context.number_forms        IS 'The forms in which carriers may write an E.164 number here: ''{plus,bare,00}''. An extension such as 1001 always matches as it stands.';
COMMENT ON COLUMN context.not_found_extension IS 'The extension for a number that nobody has. NULL = a log line and SIP 404. One without conditions and actions leaves it to FreeSWITCH, which ends the call with 404.';

CREATE TABLE context_extension (
    context       label    NOT NULL REFERENCES context ON UPDATE CASCADE ON DELETE CASCADE,
    extension     label    NOT NULL REFERENCES extension ON UPDATE CASCADE ON DELETE CASCADE,
    position      smallint NOT NULL DEFAULT 100,
    before_number boolean  NOT NULL DEFAULT false,
    after_number  boolean  NOT NULL DEFAULT false,
    enabled       boolean  NOT NULL DEFAULT true,
    PRIMARY KEY (context, extension),
    CONSTRAINT context_extension_side CHECK (NOT (before_number AND after_number) OR refuse(
        format('Extension %s cannot stand before and behind the numbers'' own in context %s', extension, context), 'Set before_number or after_number.'))
);
CREATE INDEX context_extension_extension ON context_extension (extension);
COMMENT ON TABLE  context_extension               IS 'Extensions of a context that match by their own conditions. They are asked, in order, for a number that is not in table number. For one that is, those that have continue or before_number stand before the number''s own extension, and those with after_number behind it.';
COMMENT ON COLUMN context_extension.position      IS 'Extensions are asked in this order, then by name.';
COMMENT ON COLUMN context_extension.before_number IS 'true: for a number of table number it stands before the number''s own extension, even without continue, and may take the call.';
COMMENT ON COLUMN context_extension.after_number  IS 'true: for a number of table number it stands behind the number''s own extension, and is asked where that one has continue or does not match to the end.';
COMMENT ON COLUMN context_extension.enabled       IS 'false takes it out of the context.';

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
-- A call looks its number up here. With a million numbers the primary key would
-- read three pages and compare twenty keys; a hash index reads one page and
-- compares a few. The key leaves out the plus, because carriers write both
-- 27123456789 and +27123456789. The blank keeps contexts apart: no name of one
-- has a blank. At the usual fillfactor of 75 a fifth of the buckets overflow
-- while they wait to be split; at 50 none does.
CREATE INDEX number_called ON number USING hash ((context || ' ' || ltrim(number, '+'))) WITH (fillfactor = 50);
COMMENT ON TABLE  number                IS 'Who has a number, and what happens when it is called.';
COMMENT ON COLUMN number.context        IS 'The context in which it can be called.';
COMMENT ON COLUMN number.number         IS 'The called number, as +27123456789 or 1001: the answer''s condition on destination_number.';
COMMENT ON COLUMN number.tenant         IS 'Who has it.';
COMMENT ON COLUMN number.extension      IS 'Tenant: the operator''s extension that answers it.';
COMMENT ON COLUMN number.enabled        IS 'Tenant: false means that nobody has it.';
COMMENT ON COLUMN number.address        IS 'Tenant: fills %{address} in the extension''s actions.';
COMMENT ON COLUMN number.forward_number IS 'Tenant: fills %{forward_number} in the extension''s actions.';
COMMENT ON COLUMN number.display_name   IS 'Tenant: fills %{display_name} in the extension''s actions.';

-- Directory --------------------------------------------------------------------

CREATE TABLE domain (
    name        host_name     PRIMARY KEY,
    tenant      label         NOT NULL REFERENCES tenant ON UPDATE CASCADE ON DELETE CASCADE,
    enabled     boolean       NOT NULL DEFAULT true,
    context     label         REFERENCES context ON UPDATE CASCADE,
    dial_string setting_value DEFAULT '{^^:sip_invite_domain=${dialed_domain}:presence_id=${dialed_user}@${dialed_domain}}${sofia_contact(*/${dialed_user}@${dialed_domain})}',
    cacheable   integer       CONSTRAINT domain_cacheable CHECK (coalesce(cacheable BETWEEN 1 AND 2147483, true) OR refuse(
        format('cacheable is %s, but FreeSWITCH counts it in milliseconds up to 2147483', cacheable),
        'Write milliseconds from 1 to 2147483 (35 minutes), or NULL for no cache.')),
    CONSTRAINT domain_is_not_all CHECK (name <> 'all' OR refuse(
        'all is not the name of a domain', 'A SIP profile that takes the domain all takes all there are. Choose the name that phones register with.')),
    CONSTRAINT domain_is_copied CHECK (coalesce(dial_string NOT LIKE '%<!%', true) OR refuse(
        '<! cannot stand in what a domain or a user holds',
        'FreeSWITCH would take it for markup when it copies the user. Leave it out, and write no < before $${.'))
);
CREATE INDEX domain_tenant ON domain (tenant);
CREATE INDEX domain_context ON domain (context);
COMMENT ON TABLE  domain             IS 'A SIP domain of a tenant (directory).';
COMMENT ON COLUMN domain.name        IS 'domain name= of the directory, in lower case.';
COMMENT ON COLUMN domain.enabled     IS 'false takes the domain and its users out of every answer.';
COMMENT ON COLUMN domain.context     IS 'user_context of its users: where their calls are routed.';
COMMENT ON COLUMN domain.dial_string IS 'dial-string of the domain: how user/1001@domain is reached. The default asks for the phones that are registered.';
COMMENT ON COLUMN domain.cacheable   IS 'cacheable= of its users: the milliseconds for which FreeSWITCH may keep a user. NULL = it asks each time. A changed password is not in force before they are over.';

CREATE TABLE domain_param (
    domain host_name     NOT NULL REFERENCES domain ON UPDATE CASCADE ON DELETE CASCADE,
    name   setting_name  NOT NULL,
    value  setting_value NOT NULL,
    expand boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (domain, name),
    CONSTRAINT domain_param_has_a_column CHECK (lower(name) NOT IN ('password', 'a1-hash', 'vm-password', 'dial-string', 'allow-empty-password') OR refuse(
        format('%s cannot be a parameter here', name), 'Set dial_string of table domain, or password, a1_hash or vm_password of table domain_user; an empty password is never allowed.')),
    CONSTRAINT domain_param_is_copied CHECK (value NOT LIKE '%<!%' AND NOT (expand AND value LIKE '%<$${%') OR refuse(
        '<! cannot stand in what a domain or a user holds',
        'FreeSWITCH would take it for markup when it copies the user. Leave it out, and write no < before $${.'))
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
    CONSTRAINT domain_variable_has_a_column CHECK (lower(name) <> 'user_context' OR refuse('user_context has its own column', 'Set context of table domain.')),
    CONSTRAINT domain_variable_is_copied CHECK (value NOT LIKE '%<!%' AND NOT (expand AND value LIKE '%<$${%') OR refuse(
        '<! cannot stand in what a domain or a user holds',
        'FreeSWITCH would take it for markup when it copies the user. Leave it out, and write no < before $${.'))
);
COMMENT ON TABLE  domain_variable        IS 'Variables of a domain (directory variables): channel variables of its users'' calls.';
COMMENT ON COLUMN domain_variable.name   IS 'variable name=.';
COMMENT ON COLUMN domain_variable.value  IS 'variable value=. FreeSWITCH sets no channel variable whose value holds ${.';
COMMENT ON COLUMN domain_variable.expand IS 'true: $${name} in the value is replaced by the switch''s global variable.';

CREATE TABLE domain_user (
    domain           host_name     NOT NULL REFERENCES domain ON UPDATE CASCADE ON DELETE CASCADE,
    id               user_name     NOT NULL,
    number_alias     user_name,
    enabled          boolean       NOT NULL DEFAULT true,
    login            boolean       NOT NULL DEFAULT true,
    password         secret,
    a1_hash          a1_hash,
    vm_password      pin,
    caller_id_name   caller_name,
    caller_id_number caller_number,
    cidr             cidr[],
    body             xml,
    expand           boolean       NOT NULL DEFAULT false,
    password_xid     xid8          DEFAULT pg_current_xact_id(),
    PRIMARY KEY (domain, id),
    CONSTRAINT domain_user_has_one_credential CHECK (NOT login OR num_nonnulls(password, a1_hash) = 1 OR refuse(
        format('User %s@%s needs a password or an a1_hash, and not both', id, domain),
        'FreeSWITCH lets a user without either in with any password. Set one of them, or login to false.')),
    CONSTRAINT domain_user_without_login CHECK (login OR num_nonnulls(password, a1_hash) = 0 OR refuse(
        format('User %s@%s has a password, but nobody may log in with it', id, domain), 'Set password and a1_hash to NULL, or login to true.')),
    CONSTRAINT domain_user_body CHECK (coalesce(body::text COLLATE "C" !~* 'x-pre-process|<!DOCTYPE|<include[\s/>]', true) OR refuse(
        format('The body of user %s@%s holds what FreeSWITCH''s pre-processor would act on', id, domain),
        'Leave out X-PRE-PROCESS, <include> and DOCTYPE; store the elements themselves.')),
    CONSTRAINT domain_user_body_reads CHECK (coalesce(readable(body) AND named_in_ascii(wrapped(body)), true) OR refuse(
        format('FreeSWITCH cannot read the body of user %s@%s', id, domain),
        'Name elements and attributes in ASCII, and leave out the line <?xml …?>, or let it say version 1.0 and UTF-8.')),
    CONSTRAINT domain_user_body_is_further CHECK (coalesce(NOT xpath_exists('/body/*[name() = "params" or name() = "variables" or name() = "gateways"]
        | /body/text()[normalize-space() != ""]', wrapped(body)), true) OR refuse(
        format('The body of user %s@%s has a table', id, domain), 'Use domain_user_param, domain_user_variable and gateway; store nothing but other elements.')),
    CONSTRAINT domain_user_body_is_copied CHECK (coalesce(NOT xpath_exists('//text()[contains(., "<!")] | //@*[contains(., "<!")]', wrapped(body))
        AND NOT (expand AND body::text LIKE '%&lt;$${%'), true) OR refuse(
        '<! cannot stand in what a domain or a user holds',
        'FreeSWITCH would take it for markup when it copies the user. Leave it out, and write no < before $${.')),
    CONSTRAINT domain_user_cidr CHECK (coalesce(cardinality(cidr) <= 32 AND array_position(cidr, NULL) IS NULL, true) OR refuse(
        format('The networks of user %s@%s cannot be carried to FreeSWITCH', id, domain), 'It reads up to 32: ''{192.0.2.64/29,198.51.100.7}''.'))
);
-- Users without a number_alias are left out, so that PostgreSQL does not search this index for an id.
CREATE UNIQUE INDEX domain_user_number_alias_key ON domain_user (domain, number_alias) WHERE number_alias IS NOT NULL;
COMMENT ON TABLE  domain_user                  IS 'A user of a domain (directory): registers, calls and is called as id@domain.';
COMMENT ON COLUMN domain_user.id               IS 'Tenant: user id=, in lower case.';
COMMENT ON COLUMN domain_user.number_alias     IS 'Tenant: user number-alias=: a second name, which nobody else in the domain has.';
COMMENT ON COLUMN domain_user.enabled          IS 'Tenant: false means that the user is not found.';
COMMENT ON COLUMN domain_user.login            IS 'false: nobody registers or calls as the user with a password, as for a phone that mod_skinny knows. FreeSWITCH is given one that nobody knows.';
COMMENT ON COLUMN domain_user.password         IS 'Tenant: param password, checked when the user registers or calls.';
COMMENT ON COLUMN domain_user.a1_hash          IS 'Tenant: param a1-hash instead of the password: hex of md5(user:domain:password).';
COMMENT ON COLUMN domain_user.vm_password      IS 'Tenant: param vm-password: the digits that open the voicemail box.';
COMMENT ON COLUMN domain_user.caller_id_name   IS 'Tenant: variable effective_caller_id_name, unless domain_user_variable has one.';
COMMENT ON COLUMN domain_user.caller_id_number IS 'Tenant: variable effective_caller_id_number, unless domain_user_variable has one.';
COMMENT ON COLUMN domain_user.cidr             IS 'user cidr=: an access list with this domain lets these networks in, as this user, without a password: ''{192.0.2.64/29,198.51.100.7}''.';
COMMENT ON COLUMN domain_user.body             IS 'Further elements of the user as XML, as <skinny> or <profile-variables>, for lookups of this user alone.';
COMMENT ON COLUMN domain_user.expand           IS 'true: $${name} in the body is replaced by the switch''s global variable. For the tables'' owner and members of role xmlcurld_operator only.';
COMMENT ON COLUMN domain_user.password_xid     IS 'Made by PostgreSQL: the transaction that last changed the user''s id or password.';

CREATE TABLE domain_user_param (
    domain  host_name     NOT NULL,
    user_id user_name     NOT NULL,
    name    setting_name  NOT NULL,
    value   setting_value NOT NULL,
    expand  boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (domain, user_id, name),
    FOREIGN KEY (domain, user_id) REFERENCES domain_user ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT domain_user_param_has_a_column CHECK (lower(name) NOT IN ('password', 'a1-hash', 'vm-password', 'allow-empty-password') OR refuse(
        format('%s cannot be a parameter here', name), 'Set password, a1_hash or vm_password of table domain_user; an empty password is never allowed.')),
    CONSTRAINT domain_user_param_is_copied CHECK (value NOT LIKE '%<!%' AND NOT (expand AND value LIKE '%<$${%') OR refuse(
        '<! cannot stand in what a domain or a user holds',
        'FreeSWITCH would take it for markup when it copies the user. Leave it out, and write no < before $${.'))
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
    CONSTRAINT domain_user_variable_is_copied CHECK (value NOT LIKE '%<!%' AND NOT (expand AND value LIKE '%<$${%') OR refuse(
        '<! cannot stand in what a domain or a user holds',
        'FreeSWITCH would take it for markup when it copies the user. Leave it out, and write no < before $${.'))
);
COMMENT ON TABLE  domain_user_variable        IS 'Variables of a user (directory variables): channel variables of its calls. user_context here overrides the domain''s context, effective_caller_id_name and effective_caller_id_number the columns of domain_user.';
COMMENT ON COLUMN domain_user_variable.name   IS 'variable name=.';
COMMENT ON COLUMN domain_user_variable.value  IS 'variable value=. FreeSWITCH sets no channel variable whose value holds ${.';
COMMENT ON COLUMN domain_user_variable.expand IS 'true: $${name} in the value is replaced by the switch''s global variable.';

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

-- Access lists -----------------------------------------------------------------

CREATE TABLE acl_list (
    name           label      PRIMARY KEY CONSTRAINT acl_list_is_not_built_in CHECK ((name !~ '\.auto$' AND name <> '*') OR refuse(
        format('%s is a list that FreeSWITCH makes itself', name), 'Choose a name that does not end in .auto.')),
    default_action acl_action NOT NULL DEFAULT 'deny',
    CONSTRAINT acl_list_is_not_the_servers CHECK (name !~* '^xmlcurld' OR refuse(
        format('%s is a name that the server needs', name), 'It puts a list xmlcurld.… into acl.conf. Choose another name.'))
);
COMMENT ON TABLE  acl_list                IS 'Access lists (acl.conf), named by apply-inbound-acl and the like.';
COMMENT ON COLUMN acl_list.name           IS 'list name= of acl.conf.';
COMMENT ON COLUMN acl_list.default_action IS 'list default= of acl.conf: the action for an address that is in no entry. FreeSWITCH takes a list without it as allow.';

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
-- Nobody looks here for entries without a domain. The plan that looks for an entry's
-- key would, and read all of them, until the table is analyzed.
CREATE INDEX acl_entry_domain ON acl_entry (domain) WHERE domain IS NOT NULL;
-- Each change of a list asks which nodes have entries of their own. Most entries
-- are for all nodes, and this index spares reading ten thousand of them.
CREATE INDEX acl_entry_own ON acl_entry (node) WHERE node <> '*';
COMMENT ON TABLE  acl_entry         IS 'An entry of an access list. The longest prefix decides; between equal ones, a node''s own entry before a common one, then the older.';
COMMENT ON COLUMN acl_entry.node    IS 'The node it is for; * = all.';
COMMENT ON COLUMN acl_entry.action  IS 'node type= of acl.conf.';
COMMENT ON COLUMN acl_entry.cidr    IS 'node cidr= of acl.conf: an IPv4 or IPv6 network with no bit set beyond its length, as 10.0.0.0/8, or one address, as 192.0.2.7.';
COMMENT ON COLUMN acl_entry.domain  IS 'node domain= of acl.conf: the networks (cidr) of this domain''s users, who are let in as themselves.';
COMMENT ON COLUMN acl_entry.port    IS 'node port-min= and port-max= of acl.conf: the source ports, both inclusive: ''[5060,5090]''. NULL = any.';
COMMENT ON COLUMN acl_entry.tenant  IS 'Whose network it is; NULL = the operator''s. It leaves the list while the tenant is off.';
COMMENT ON COLUMN acl_entry.enabled IS 'false takes it out of the list.';
COMMENT ON COLUMN acl_entry.note    IS 'For people; FreeSWITCH never sees it.';

-- SIP profiles -----------------------------------------------------------------

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
    enabled boolean NOT NULL DEFAULT true,
    CONSTRAINT sip_profile_is_no_command CHECK (lower(name) NOT IN ('all', '_all_', 'gateway') AND name !~* 'mod_event_socket' OR refuse(
        format('%s is not the name of a profile', name), 'FreeSWITCH would read it as something else in a command. Choose a name such as external.'))
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
    value    setting_value NOT NULL CHECK (value <> '' OR name !~ '(ip|port)$' OR refuse(format('%s has no value', name), 'Delete the row, or give a value.')),
    expand   boolean       NOT NULL DEFAULT false,
    PRIMARY KEY (profile, node, name, position),
    CONSTRAINT sip_profile_param_network_is_ipv4 CHECK (name !~ '^apply-.*acl' OR value !~ '^[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*/[0-9]' OR refuse(
        format('An IPv6 network in %s would let IPv4 addresses in', name), 'Put it into a list of acl_list, and name the list here.'))
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
    name    host_name NOT NULL PRIMARY KEY,
    CONSTRAINT sip_profile_alias_is_no_command CHECK (lower(name) NOT IN ('all', '_all_', 'gateway') OR refuse(
        format('%s is not the name of a profile', name), 'FreeSWITCH would read it as something else in a command. Choose a name such as external.'))
);
COMMENT ON TABLE  sip_profile_alias      IS 'Further names of a profile.';
COMMENT ON COLUMN sip_profile_alias.name IS 'alias name= of the profile.';

-- Gateways ---------------------------------------------------------------------

-- A gateway carries its revision as a variable, which the switch reports, so the
-- server knows which version of the gateway the switch runs. The revision is
-- random: a sequence would give a number again after a backup is restored, and
-- a switch with another version of that number would count as in sync.
-- +goose StatementBegin
CREATE FUNCTION new_revision() RETURNS bigint LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
    SELECT ('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint * 16 + ('x' || right(gen_random_uuid()::text, 1))::bit(4)::integer
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION new_revision IS 'A random number of 36 bits, which tells one version of a gateway from another.';

CREATE TABLE gateway (
    name              label         PRIMARY KEY CONSTRAINT gateway_name CHECK (name NOT IN ('*', '_all_') OR refuse(
        format('%s is not the name of a gateway', name), 'Choose a name such as twilio; _all_ means all of them to FreeSWITCH.')),
    profile           label         NOT NULL REFERENCES sip_profile ON UPDATE CASCADE,
    node              label         NOT NULL DEFAULT '*' REFERENCES node ON UPDATE CASCADE,
    tenant            label         REFERENCES tenant ON UPDATE CASCADE ON DELETE CASCADE,
    enabled           boolean       NOT NULL DEFAULT true,
    username          setting_value,
    password          secret,
    password_from     secret_reference,
    proxy             setting_value,
    realm             setting_value,
    register          boolean       NOT NULL DEFAULT false,
    caller_id_in_from boolean       NOT NULL DEFAULT false,
    domain            host_name,
    user_id           user_name,
    revision          bigint        NOT NULL DEFAULT new_revision(),
    revision_key      uuid          NOT NULL DEFAULT gen_random_uuid(),
    CONSTRAINT gateway_is_no_command CHECK (lower(name) <> 'all' AND name !~* 'mod_event_socket' OR refuse(
        format('%s is not the name of a gateway', name), 'FreeSWITCH would read it as something else in a command. Choose a name such as twilio.')),
    CONSTRAINT gateway_registers_as_somebody CHECK (NOT register OR coalesce(username <> '' AND coalesce(password, password_from) <> '', false) OR refuse(
        format('Gateway %s registers, so it needs a username and a password', name), 'Set both, or register to false.')),
    CONSTRAINT gateway_has_one_password CHECK (num_nonnulls(password, password_from) <= 1 OR refuse(
        format('Gateway %s has a password and a reference to one', name), 'Keep one of password and password_from.')),
    CONSTRAINT gateway_reference_is_the_operators CHECK (password_from IS NULL OR num_nonnulls(tenant, domain) = 0 OR refuse(
        format('Gateway %s is a tenant''s, so its password cannot come from the server''s own secrets', name),
        'Write the password into the row, or make the gateway the operator''s: no tenant and no domain.')),
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
COMMENT ON COLUMN gateway.name              IS 'gateway name=, unique over all profiles: FreeSWITCH would never reach a second gateway of the name.';
COMMENT ON COLUMN gateway.profile           IS 'The SIP profile that it belongs to.';
COMMENT ON COLUMN gateway.node              IS 'The node that has it; * = all. One that registers wants exactly one node.';
COMMENT ON COLUMN gateway.tenant            IS 'Whose it is; NULL = the operator''s. It leaves every answer while the tenant is off.';
COMMENT ON COLUMN gateway.enabled           IS 'false takes it out of sofia.conf.';
COMMENT ON COLUMN gateway.username          IS 'param username.';
COMMENT ON COLUMN gateway.password          IS 'param password.';
COMMENT ON COLUMN gateway.password_from     IS 'param password, from a secret of the server instead of this row: file:twilio/password or env:TWILIO. Never for a tenant''s gateway.';
COMMENT ON COLUMN gateway.proxy             IS 'param proxy: where calls go, host or host:port.';
COMMENT ON COLUMN gateway.realm             IS 'param realm: what the carrier asks for in its challenge. NULL = the gateway''s name.';
COMMENT ON COLUMN gateway.register          IS 'param register. Always sent: FreeSWITCH''s own default is true.';
COMMENT ON COLUMN gateway.caller_id_in_from IS 'param caller-id-in-from: the From of an outgoing call is the caller''s number, not the username.';
COMMENT ON COLUMN gateway.domain            IS 'With user_id: the gateway stands below that user in the directory, for profiles that parse the domain.';
COMMENT ON COLUMN gateway.user_id           IS 'The user of domain that it belongs to.';
COMMENT ON COLUMN gateway.revision          IS 'A new random number with every change of the gateway, its parameters or its variables; variable xmlcurld_revision of the gateway.';
COMMENT ON COLUMN gateway.revision_key      IS 'Made by PostgreSQL: the key of the hash that stands in the revision for a password from password_from, so that nobody can try passwords on it.';

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
    PRIMARY KEY (gateway, name),
    CONSTRAINT gateway_variable_is_not_the_servers CHECK (name !~* '^xmlcurld' OR refuse(
        format('%s is a name that the server needs', name), 'It gives each gateway a variable xmlcurld_revision. Choose another name.'))
);
COMMENT ON TABLE  gateway_variable           IS 'Channel variables of the calls through a gateway.';
COMMENT ON COLUMN gateway_variable.name      IS 'variable name= of the gateway.';
COMMENT ON COLUMN gateway_variable.value     IS 'variable value= of the gateway. FreeSWITCH refuses one that holds ${ at each call.';
COMMENT ON COLUMN gateway_variable.direction IS 'variable direction=: calls in, calls out, or both.';
COMMENT ON COLUMN gateway_variable.expand    IS 'true: $${name} in the value is replaced by the switch''s global variable.';

-- Everything else as XML -------------------------------------------------------

CREATE TABLE document (
    section document_section NOT NULL DEFAULT 'configuration',
    name    text COLLATE "C" NOT NULL CHECK (coalesce(name ~ '^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$', true) OR refuse(
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
    CONSTRAINT document_is_no_directive CHECK (body::text COLLATE "C" !~* 'x-pre-process|<!DOCTYPE|<include[\s/>]' OR refuse(
        format('%s holds what FreeSWITCH''s pre-processor would act on', name),
        'Leave out X-PRE-PROCESS, <include> and DOCTYPE; store the elements themselves. For $${name} set expand.')),
    CONSTRAINT document_is_asked_for CHECK (section <> 'configuration'
        OR lower(name) NOT IN ('switch.conf', 'modules.conf', 'pre_load_modules.conf', 'msrp.conf', 'speex.conf', 'console.conf', 'logfile.conf', 'xml_curl.conf') OR refuse(
        format('FreeSWITCH reads %s before it asks this server', name),
        CASE lower(name)
            WHEN 'switch.conf' THEN 'Use node, switch_param and switch_variable. What FreeSWITCH needs before its first question, such as core-db-dsn, belongs in the bootstrap''s own switch.conf.'
            WHEN 'modules.conf' THEN 'Use table module.'
            WHEN 'pre_load_modules.conf' THEN 'Use table module. A module that has to be there earlier belongs in the bootstrap''s own pre_load_modules.conf.'
            ELSE 'Write it into the bootstrap''s own files, in autoload_configs.'
        END))
);
COMMENT ON TABLE  document         IS 'Any other document that FreeSWITCH asks for, as XML.';
COMMENT ON COLUMN document.section IS 'The section that FreeSWITCH names: configuration, languages, chatplan, channels.';
COMMENT ON COLUMN document.name    IS 'The file''s name (ivr.conf), the language (en), the chatplan''s context, or nightmare_xfer.';
COMMENT ON COLUMN document.node    IS 'The node it is for; * = all. A node''s own document overrides the common one.';
COMMENT ON COLUMN document.body    IS 'The element itself, as it would stand in a file. Comments are not sent.';
COMMENT ON COLUMN document.expand  IS 'true: $${name} in the body is replaced by the switch''s global variable. For the tables'' owner and members of role xmlcurld_operator only.';
