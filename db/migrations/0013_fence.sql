-- +goose Up

-- What a tenant writes never reaches the switch's commands, nor another
-- tenant's calls. Rows that are there already are kept where a new rule would
-- refuse them: the server leaves them out of its answers and reports them.

-- The two characters <! ----------------------------------------------------------

-- FreeSWITCH writes a user out and parses it again at each lookup, and its
-- writer (switch_xml_ampencode) escapes nothing more after <!. No encoder of
-- ours can help, so they stand in nothing that a domain or a user holds.

ALTER DOMAIN secret DROP CONSTRAINT secret_check;
ALTER DOMAIN secret ADD CONSTRAINT secret_check CHECK (coalesce(VALUE ~ '^[^\x01-\x1f\x7f\ufffe\uffff]+$' AND length(VALUE) <= 256 AND VALUE !~ '\$\{|<!', true) OR refuse(
    'This secret cannot be used',
    'A secret has 1 to 256 characters, no control characters, no ${ and no <!.')) NOT VALID;

-- +goose StatementBegin
DO $do$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES ('domain', 'dial_string', 'true'), ('domain_param', 'value', 'NOT (expand AND value LIKE ''%<$${%'')'),
        ('domain_variable', 'value', 'NOT (expand AND value LIKE ''%<$${%'')'), ('domain_user_param', 'value', 'NOT (expand AND value LIKE ''%<$${%'')'),
        ('domain_user_variable', 'value', 'NOT (expand AND value LIKE ''%<$${%'')')) v (name, column_, expanded) LOOP
        EXECUTE format($sql$ALTER TABLE %1$I ADD CONSTRAINT %3$I CHECK (%2$I NOT LIKE '%%<!%%' AND %4$s OR refuse(
            '<! cannot stand in what a domain or a user holds',
            'FreeSWITCH would take it for markup when it copies the user. Leave it out, and write no < before $${.')) NOT VALID$sql$,
            t.name, t.column_, t.name || '_is_copied', t.expanded);
    END LOOP;
END $do$;

CREATE FUNCTION user_gateway_is_copied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM gateway g
        WHERE g.name = CASE TG_TABLE_NAME WHEN 'gateway' THEN to_jsonb(NEW) ->> 'name' ELSE to_jsonb(NEW) ->> 'gateway' END
            AND g.domain IS NOT NULL
            AND (concat(g.username, g.proxy, g.realm) LIKE '%<!%'
                OR EXISTS (SELECT FROM gateway_param WHERE gateway = g.name AND value LIKE '%<!%')
                OR EXISTS (SELECT FROM gateway_variable WHERE gateway = g.name AND value LIKE '%<!%'))
    ) THEN
        PERFORM refuse('<! cannot stand in a user''s gateway', 'FreeSWITCH would take it for markup when it copies the user. Leave it out.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER user_gateway_is_copied AFTER INSERT OR UPDATE ON gateway FOR EACH ROW WHEN (NEW.domain IS NOT NULL) EXECUTE FUNCTION user_gateway_is_copied();
CREATE TRIGGER user_gateway_is_copied AFTER INSERT OR UPDATE ON gateway_param FOR EACH ROW WHEN (NEW.value LIKE '%<!%') EXECUTE FUNCTION user_gateway_is_copied();
CREATE TRIGGER user_gateway_is_copied AFTER INSERT OR UPDATE ON gateway_variable FOR EACH ROW WHEN (NEW.value LIKE '%<!%') EXECUTE FUNCTION user_gateway_is_copied();

-- Where a tenant's value may stand -----------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION template_fits(application text, data text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    -- What a value of each may hold besides letters and digits: no separator of its own may be among it.
    filled     text := replace(replace(replace(data, '%{address}', chr(1)), '%{forward_number}', chr(2)), '%{display_name}', chr(3));
    alphabets  CONSTANT text[] := ARRAY['._-:[]', '+*#', ' ._+&/()-'];
    ours       CONSTANT boolean := filled ~ '[\x01-\x03]';
    expanding  integer := 0; -- how deep in ${…}: FreeSWITCH counts braces and minds neither quotes nor backslashes
    curly      integer := 0;
    square     integer := 0;
    angle      integer := 0;
    all_       text[];
    region     integer := 0; -- where the inside of {…}, […] or <…> begins
    leg        integer := 1; -- where a destination begins
    inside     text;
    separator  text;
    name_      text;
    c          text;
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

-- +goose StatementBegin
DO $$
DECLARE
    a       record;
    said    text;
    all_said text[] := '{}';
BEGIN
    ALTER TABLE action
        DROP CONSTRAINT action_runs_nothing_of_a_tenant,
        DROP CONSTRAINT action_transfers_to_a_number,
        DROP CONSTRAINT action_sets_nothing_of_a_tenant,
        DROP CONSTRAINT action_places_a_tenants_value;
    FOR a IN SELECT extension, position, application, data FROM action WHERE data LIKE '%\%{%' ORDER BY extension, position LOOP
        BEGIN
            PERFORM template_fits(a.application, a.data);
        EXCEPTION WHEN check_violation THEN
            GET STACKED DIAGNOSTICS said = MESSAGE_TEXT;
            all_said := all_said || format('%s of extension %s at position %s: %s', a.application, a.extension, a.position, said);
        END;
    END LOOP;
    IF all_said <> '{}' THEN
        PERFORM refuse('These actions hold a tenant''s value where FreeSWITCH may run it: ' || array_to_string(all_said, '; '),
            'Put the values where they stand by themselves, as the comment on column action.data has it, and migrate again.');
    END IF;
END $$;
-- +goose StatementEnd
ALTER TABLE action ADD CONSTRAINT action_places_a_tenants_value CHECK (data NOT LIKE '%\%{%' OR template_fits(application, data));

-- One number, one owner -------------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION whole_number(number text, forms number_form[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN '00' = ANY (forms) AND number ~ '^00[1-9][0-9]{5,14}$' THEN '+' || substr(number, 3)
        WHEN 'bare' = ANY (forms) AND number ~ '^[1-9][0-9]{5,14}$' THEN '+' || number
        ELSE number
    END
$$;

-- Whoever adds numbers in the forms of carriers (27…, 0027…) keeps those out who add the same as +27…, and the other
-- way round, until it is committed: neither would see the other.
CREATE FUNCTION number_has_one_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET enable_seqscan TO off AS $$
DECLARE
    s record;
    n record;
BEGIN
    FOR s IN
        SELECT c.name, bool_or(x.number NOT LIKE '+%') AS carriers
        FROM changed x JOIN context c ON c.name = x.context
        WHERE c.tenant IS NULL AND c.number_forms && ARRAY['bare', '00']::number_form[] AND length(x.number) > 5
        GROUP BY c.name ORDER BY c.name
    LOOP
        IF s.carriers THEN
            PERFORM pg_advisory_xact_lock(hashtext('xmlcurld number'), hashtext(s.name));
        ELSE
            PERFORM pg_advisory_xact_lock_shared(hashtext('xmlcurld number'), hashtext(s.name));
        END IF;
        SELECT x.number, x.tenant, o.number AS other, o.tenant AS owner INTO n
        FROM changed x
        JOIN context c ON c.name = x.context
        CROSS JOIN LATERAL (SELECT ltrim(whole_number(x.number, c.number_forms), '+') AS digits OFFSET 0) w
        CROSS JOIN LATERAL (
            SELECT m.number, m.tenant FROM number m
            WHERE m.context || ' ' || ltrim(m.number, '+') = x.context || ' ' || w.digits AND m.context = x.context AND m.tenant <> x.tenant
                AND whole_number(m.number, c.number_forms) = whole_number(x.number, c.number_forms)
            UNION ALL
            SELECT m.number, m.tenant FROM number m
            WHERE m.context || ' ' || ltrim(m.number, '+') = x.context || ' 00' || w.digits AND m.context = x.context AND m.tenant <> x.tenant
                AND whole_number(m.number, c.number_forms) = whole_number(x.number, c.number_forms)
            OFFSET 0
        ) o
        WHERE x.context = s.name AND length(x.number) > 5
        LIMIT 1;
        IF FOUND THEN
            PERFORM refuse(format('In context %s %s of %s is the same number as %s of %s', s.name, n.number, n.tenant, n.other, n.owner),
                'Carriers write it in any form of number_forms. Give it to one of the two tenants.');
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION context_numbers_have_one_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    n record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('xmlcurld number'), hashtext(NEW.name));
    SELECT x.number, x.tenant, o.number AS other, o.tenant AS owner INTO n
    FROM number x
    JOIN number o ON o.context = x.context AND o.tenant <> x.tenant AND whole_number(o.number, NEW.number_forms) = whole_number(x.number, NEW.number_forms)
    WHERE x.context = NEW.name AND x.number ~ '^(00)?[1-9][0-9]{5,14}$'
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(format('With these number_forms %s of %s is the same number as %s of %s', n.number, n.tenant, n.other, n.owner),
            'Give it to one of the two tenants first.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION whole_number IS 'The number as +27…, if it is written in one of these forms of carriers.';
CREATE TRIGGER inserted_number_has_one_owner AFTER INSERT ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_has_one_owner();
CREATE TRIGGER updated_number_has_one_owner AFTER UPDATE ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_has_one_owner();
CREATE TRIGGER context_numbers_have_one_owner AFTER UPDATE OF number_forms ON context FOR EACH ROW
    WHEN (NEW.tenant IS NULL AND NEW.number_forms IS DISTINCT FROM OLD.number_forms) EXECUTE FUNCTION context_numbers_have_one_owner();

-- A template and its numbers ----------------------------------------------------------

-- Of a new action that asks for a value and a new number without it each would
-- pass, if neither saw the other. So both hold the extension: actions alone,
-- numbers and contexts together.
-- +goose StatementBegin
CREATE FUNCTION hold_extensions(names text[], alone boolean) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF alone THEN
        PERFORM FROM extension WHERE name = ANY (names) ORDER BY name FOR NO KEY UPDATE;
    ELSE
        PERFORM FROM extension WHERE name = ANY (names) ORDER BY name FOR SHARE;
    END IF;
END $$;

CREATE FUNCTION hold_extension() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'number' THEN
        PERFORM hold_extensions((SELECT array_agg(DISTINCT extension::text) FROM changed), false);
    ELSIF TG_TABLE_NAME = 'action' THEN
        PERFORM hold_extensions(ARRAY[NEW.extension::text], true);
    ELSE
        PERFORM hold_extensions(ARRAY[coalesce(to_jsonb(NEW) ->> 'extension', to_jsonb(NEW) ->> 'not_found_extension')], false);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION hold_extensions IS 'Locks extensions until the transaction ends: alone, to change what they ask for, or together with others who use them.';
-- Of one event''s triggers the first by name comes first: before …_fits, which looks.
CREATE TRIGGER a_inserted_holds_extension AFTER INSERT ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION hold_extension();
CREATE TRIGGER a_updated_holds_extension AFTER UPDATE ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION hold_extension();
CREATE TRIGGER a_holds_extension AFTER INSERT OR UPDATE ON action FOR EACH ROW WHEN (NEW.data LIKE '%\%{%') EXECUTE FUNCTION hold_extension();
CREATE TRIGGER a_holds_extension AFTER INSERT OR UPDATE ON context_extension FOR EACH ROW EXECUTE FUNCTION hold_extension();
CREATE TRIGGER a_holds_extension AFTER INSERT OR UPDATE ON context FOR EACH ROW WHEN (NEW.not_found_extension IS NOT NULL) EXECUTE FUNCTION hold_extension();

-- Names of SIP profiles -----------------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION sip_names_differ() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('xmlcurld SIP names'));
    CASE TG_TABLE_NAME
        WHEN 'gateway' THEN
            SELECT 'an alias of SIP profile ' || profile INTO taken FROM sip_profile_alias WHERE name = lower(NEW.name);
        WHEN 'sip_profile' THEN
            SELECT 'an alias of SIP profile ' || profile INTO taken FROM sip_profile_alias WHERE name = lower(NEW.name);
            IF taken IS NULL THEN
                SELECT 'a domain that is an alias of SIP profile ' || profile INTO taken
                FROM sip_profile_domain WHERE alias AND name = lower(NEW.name) AND profile <> NEW.name;
            END IF;
        ELSE
            SELECT 'a SIP profile' INTO taken FROM sip_profile WHERE lower(name) = lower(NEW.name) AND name <> to_jsonb(NEW) ->> 'profile';
            IF taken IS NULL AND TG_TABLE_NAME = 'sip_profile_alias' THEN
                SELECT 'a gateway' INTO taken FROM gateway WHERE lower(name) = lower(NEW.name);
            END IF;
    END CASE;
    IF taken IS NOT NULL THEN
        PERFORM refuse(format('%s is the name of %s already', NEW.name, taken), 'FreeSWITCH would take one for the other in commands and dial strings. Choose another name.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER sip_names_differ AFTER INSERT OR UPDATE OF name ON sip_profile FOR EACH ROW EXECUTE FUNCTION sip_names_differ();
CREATE TRIGGER sip_names_differ AFTER INSERT OR UPDATE ON sip_profile_alias FOR EACH ROW EXECUTE FUNCTION sip_names_differ();
CREATE TRIGGER sip_names_differ AFTER INSERT OR UPDATE OF name ON gateway FOR EACH ROW EXECUTE FUNCTION sip_names_differ();
CREATE TRIGGER sip_names_differ AFTER INSERT OR UPDATE ON sip_profile_domain FOR EACH ROW WHEN (NEW.alias AND NEW.name <> 'all') EXECUTE FUNCTION sip_names_differ();

ALTER TABLE sip_profile_alias ADD CONSTRAINT sip_profile_alias_is_no_command CHECK (lower(name) NOT IN ('all', '_all_', 'gateway') OR refuse(
    format('%s is not the name of a profile', name), 'FreeSWITCH would read it as something else in a command. Choose a name such as external.')) NOT VALID;
ALTER TABLE sip_profile ADD CONSTRAINT sip_profile_is_not_gateway CHECK (lower(name) <> 'gateway' OR refuse(
    format('%s is not the name of a profile', name), 'FreeSWITCH would read it as something else in a command. Choose a name such as external.')) NOT VALID;
ALTER TABLE domain ADD CONSTRAINT domain_is_not_all CHECK (name <> 'all' OR refuse(
    'all is not the name of a domain', 'A SIP profile that takes the domain all takes all there are. Choose the name that phones register with.')) NOT VALID;

-- +goose StatementBegin
DO $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema::regnamespace
            AND p.proname IN ('user_gateway_is_copied', 'template_fits', 'whole_number', 'number_has_one_owner', 'context_numbers_have_one_owner',
                'hold_extensions', 'hold_extension', 'sip_names_differ') LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path TO %I, pg_temp', f.name, current_schema);
    END LOOP;
END $$;
-- +goose StatementEnd

COMMENT ON COLUMN domain_variable.value      IS 'variable value=. FreeSWITCH sets no channel variable whose value holds ${.';
COMMENT ON COLUMN domain_user_variable.value IS 'variable value=. FreeSWITCH sets no channel variable whose value holds ${.';
