-- +goose Up

-- Rules that a constraint cannot hold, because they concern other rows or who
-- writes; and the columns that triggers fill. PostgreSQL fires the triggers of
-- one event in the order of their names.

SELECT set_config('search_path', format('%I, pg_temp', current_schema), true);

-- Nodes ----------------------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION keep_common_node() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.name = '*' AND (TG_OP = 'DELETE' OR NEW.name <> '*') THEN
        PERFORM refuse('The row * of node holds what is common to all nodes and stays',
            'Set its columns to NULL instead, or name the node you mean.');
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
-- +goose StatementEnd
CREATE TRIGGER keep_common_node BEFORE DELETE OR UPDATE OF name ON node FOR EACH ROW EXECUTE FUNCTION keep_common_node();

-- event_socket_acl names lists of acl_list, lists that FreeSWITCH makes itself,
-- and networks. Renaming a list renames it there as well, and a list that is
-- named there cannot be deleted.
-- +goose StatementBegin
CREATE FUNCTION built_in_list(name text) RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT name IN ('rfc6598.auto', 'rfc1918.auto', 'wan.auto', 'wan_v6.auto', 'wan_v4.auto', 'any_v6.auto', 'any_v4.auto', 'nat.auto', 'loopback.auto', 'localnet.auto')
$$;

CREATE FUNCTION event_socket_lists_are_there() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    missing text;
BEGIN
    SELECT l INTO missing FROM unnest(string_to_array(NEW.event_socket_acl, ' ')) l
    WHERE l !~ '/' AND NOT built_in_list(l) AND NOT EXISTS (SELECT FROM acl_list WHERE name = l FOR KEY SHARE);
    IF FOUND THEN
        PERFORM refuse(format('There is no access list %s', missing), 'Insert it into table acl_list first, or write one that is there or that FreeSWITCH makes itself, such as localnet.auto.');
    END IF;
    BEGIN
        PERFORM n::cidr FROM unnest(string_to_array(NEW.event_socket_acl, ' ')) l, unnest(string_to_array(l, ',')) n WHERE l ~ '/';
    EXCEPTION WHEN invalid_text_representation THEN
        PERFORM refuse(format('%L names no access lists', NEW.event_socket_acl), 'A network is written with its bits, and no bit set beyond them, such as 10.0.0.0/8.');
    END;
    -- Where a network stands in place of a list, FreeSWITCH compares the bits of an address of either family.
    IF EXISTS (SELECT FROM unnest(string_to_array(NEW.event_socket_acl, ' ')) l, unnest(string_to_array(l, ',')) n WHERE l ~ '/' AND family(n::inet) = 6) THEN
        PERFORM refuse('An IPv6 network would let IPv4 addresses into the event socket', 'Put it into a list of acl_list, and name the list here.');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION event_socket_list_is_renamed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    user_ text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        UPDATE node SET event_socket_acl = array_to_string(array_replace(string_to_array(event_socket_acl, ' '), OLD.name::text, NEW.name::text), ' ')
        WHERE OLD.name = ANY (string_to_array(event_socket_acl, ' '));
        RETURN NULL;
    END IF;
    SELECT name INTO user_ FROM node WHERE OLD.name = ANY (string_to_array(event_socket_acl, ' ')) ORDER BY name LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(format('The access list %s cannot be deleted: the node %s needs it', OLD.name, user_), 'Write another access list into column event_socket_acl of table node first.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION built_in_list IS 'Whether FreeSWITCH makes an access list of that name itself.';
CREATE TRIGGER event_socket_lists_are_there AFTER INSERT OR UPDATE OF event_socket_acl ON node FOR EACH ROW
    WHEN (NEW.event_socket_acl IS NOT NULL) EXECUTE FUNCTION event_socket_lists_are_there();
CREATE TRIGGER event_socket_list_is_renamed AFTER DELETE OR UPDATE OF name ON acl_list FOR EACH ROW EXECUTE FUNCTION event_socket_list_is_renamed();

-- FreeSWITCH's pre-processor sets a variable before it loads the modules, if the
-- value can stand between quotes in one line.
-- +goose StatementBegin
CREATE FUNCTION variable_comes_late() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE WARNING 'FreeSWITCH has variable % only when its modules are loaded: what they read at a start sees it empty', NEW.name
        USING HINT = 'For it to be there in time the value may hold no line end, no " < > or &, no blank at either end, and at most 2000 bytes.';
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER variable_comes_late AFTER INSERT OR UPDATE ON switch_variable FOR EACH ROW
    WHEN (NEW.value ~ '[\x01-\x1f\x7f"<>&]|^ | $|^$' OR NEW.value LIKE '%$${%' AND NOT NEW.expand OR octet_length(NEW.value) > 2000)
    EXECUTE FUNCTION variable_comes_late();

-- Expansion --------------------------------------------------------------------

-- FreeSWITCH's pre-processor replaces $${name} by the value of the switch's
-- global variable, unescaped. It does so only in rows that have expand set, so
-- the right to write a row is not enough to set expand.
-- +goose StatementBegin
CREATE FUNCTION operator_expands() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp -- a caller's own functions must not answer
AS $$
BEGIN
    IF NOT pg_has_role((SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE')
        AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'xmlcurld_operator' AND pg_has_role(oid, 'USAGE')) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('%s may not write a row of %s that has expand set', current_user, TG_TABLE_NAME),
            HINT = 'Leave expand false, or have the tables'' owner write it, or a role that was granted xmlcurld_operator.';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION operator_expands IS 'Refuses a row with expand to all but the tables'' owner and members of the role xmlcurld_operator, if there is one.';
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON switch_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON switch_variable FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON event_socket_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON extension FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON condition FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON condition_regex FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON action FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON domain_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON domain_variable FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON domain_user FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON domain_user_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON domain_user_variable FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON sofia_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON sip_profile_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON gateway_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON gateway_variable FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON document FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();

-- Directory --------------------------------------------------------------------

-- A session keeps the plan of a function's query while the table grows. With a
-- sequential scan, an INSERT of fifty thousand users would compare each user with
-- all before it, which takes minutes. So each of the two names is looked up in
-- its own index, however small the table was.
-- +goose StatementBegin
CREATE FUNCTION domain_user_names_differ() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan TO off SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM domain_user u WHERE u.domain = NEW.domain AND u.id = NEW.number_alias AND u.id <> NEW.id)
        OR EXISTS (SELECT FROM domain_user u WHERE u.domain = NEW.domain AND u.number_alias = NEW.id AND u.id <> NEW.id)
    THEN
        PERFORM refuse(format('In %s a user and another user''s number_alias have one name: %s', NEW.domain, coalesce(NEW.number_alias, NEW.id)),
            'FreeSWITCH would take one for the other. Choose another id or number_alias.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER domain_user_names_differ AFTER INSERT OR UPDATE OF domain, id, number_alias ON domain_user
    FOR EACH ROW EXECUTE FUNCTION domain_user_names_differ();

-- +goose StatementBegin
CREATE FUNCTION domain_user_variable_fits() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

CREATE FUNCTION domain_fits() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM context c WHERE c.name = NEW.context AND c.tenant <> NEW.tenant) THEN
        PERFORM refuse(format('Context %s is another tenant''s, so the users of %s cannot call in it', NEW.context, NEW.name),
            'Choose a context of the domain''s own tenant.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER domain_user_variable_fits AFTER INSERT OR UPDATE ON domain_user_variable FOR EACH ROW EXECUTE FUNCTION domain_user_variable_fits();
CREATE TRIGGER domain_fits AFTER INSERT OR UPDATE ON domain FOR EACH ROW EXECUTE FUNCTION domain_fits();

-- SIP profiles and gateways ------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION sip_names_differ() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

-- FreeSWITCH copies a user together with its gateways: see type secret about <!.
-- +goose StatementBegin
CREATE FUNCTION user_gateway_is_copied() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

-- Dialplan: who may use what -------------------------------------------------------

-- A number's context and extension belong to its own tenant or to no tenant, and
-- a number has every value that its extension's actions ask for.

-- Two transactions at once, one with an action that asks for a value and one with
-- a number that lacks it, do not see each other. So both lock the extension:
-- actions exclusively, numbers and contexts shared.
-- +goose StatementBegin
CREATE FUNCTION hold_extensions(names text[], alone boolean) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF alone THEN
        PERFORM FROM extension WHERE name = ANY (names) ORDER BY name FOR NO KEY UPDATE;
    ELSE
        PERFORM FROM extension WHERE name = ANY (names) ORDER BY name FOR SHARE;
    END IF;
END $$;

CREATE FUNCTION hold_extension() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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
-- These names begin with a_, so that the lock is taken before a trigger …_fits looks.
CREATE TRIGGER a_inserted_holds_extension AFTER INSERT ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION hold_extension();
CREATE TRIGGER a_updated_holds_extension AFTER UPDATE ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION hold_extension();
CREATE TRIGGER a_holds_extension AFTER INSERT OR UPDATE ON action FOR EACH ROW WHEN (NEW.data LIKE '%\%{%') EXECUTE FUNCTION hold_extension();
CREATE TRIGGER a_holds_extension AFTER INSERT OR UPDATE ON context_extension FOR EACH ROW EXECUTE FUNCTION hold_extension();
CREATE TRIGGER a_holds_extension AFTER INSERT OR UPDATE ON context FOR EACH ROW WHEN (NEW.not_found_extension IS NOT NULL) EXECUTE FUNCTION hold_extension();

-- For each statement, not for each row: numbers are loaded by the hundred thousand.
-- +goose StatementBegin
CREATE FUNCTION number_fits() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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
    FOR asked IN
        SELECT DISTINCT a.extension || '/' || m[1]
        FROM action a, regexp_matches(a.data, '%\{(address|forward_number|display_name)\}', 'g') m
        WHERE a.data LIKE '%\%{%' AND a.extension IN (SELECT extension FROM changed)
        ORDER BY 1
    LOOP
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
-- +goose StatementEnd
CREATE TRIGGER inserted_number_fits AFTER INSERT ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_fits();
CREATE TRIGGER updated_number_fits AFTER UPDATE ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_fits();

-- +goose StatementBegin
CREATE FUNCTION context_fits() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

CREATE FUNCTION extension_fits() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

CREATE FUNCTION context_extension_fits() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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

CREATE FUNCTION action_fits() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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
CREATE TRIGGER context_fits AFTER INSERT OR UPDATE ON context FOR EACH ROW EXECUTE FUNCTION context_fits();
CREATE TRIGGER extension_fits AFTER INSERT OR UPDATE ON extension FOR EACH ROW EXECUTE FUNCTION extension_fits();
CREATE TRIGGER context_extension_fits AFTER INSERT OR UPDATE ON context_extension FOR EACH ROW EXECUTE FUNCTION context_extension_fits();
CREATE TRIGGER condition_fits AFTER INSERT OR UPDATE ON condition FOR EACH ROW EXECUTE FUNCTION action_fits();
CREATE TRIGGER action_fits AFTER INSERT OR UPDATE ON action FOR EACH ROW EXECUTE FUNCTION action_fits();

-- FreeSWITCH ignores rows of condition_regex whose condition has no regex.
-- +goose StatementBegin
CREATE FUNCTION condition_regex_fits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    at condition;
BEGIN
    IF TG_TABLE_NAME = 'condition_regex' THEN
        SELECT c.* INTO at FROM condition c WHERE c.extension = NEW.extension AND c.position = NEW.condition FOR SHARE;
    ELSE
        SELECT c.* INTO at FROM condition c JOIN condition_regex x ON x.extension = c.extension AND x.condition = c.position
        WHERE c.extension = NEW.extension AND c.position = NEW.position LIMIT 1;
    END IF;
    IF FOUND AND at.regex IS NULL THEN
        PERFORM refuse(format('Condition %s of extension %s does not say how many of its expressions must match', at.position, at.extension),
            'Set regex of the condition to all, any or xor.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER condition_regex_fits AFTER INSERT OR UPDATE ON condition_regex FOR EACH ROW EXECUTE FUNCTION condition_regex_fits();
CREATE TRIGGER condition_regex_fits AFTER UPDATE OF regex ON condition FOR EACH ROW WHEN (NEW.regex IS NULL) EXECUTE FUNCTION condition_regex_fits();

-- Dialplan: values of a number in a body -------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION ask_body() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    all_of_it xml := wrapped(NEW.body);
    rules     text;
    a         record;
BEGIN
    NEW.asks := NULL;
    IF NEW.body IS NULL OR NOT xpath_exists('//text()[contains(., "%{")] | //@*[contains(., "%{")] | //*[contains(., "%{")]', all_of_it) THEN
        RETURN NEW;
    END IF;
    -- name() instead of a name in the path, because FreeSWITCH knows no namespaces.
    IF xpath_exists('//@*[contains(., "%{")][not(name() = "data" and (name(..) = "action" or name(..) = "anti-action"))]
        | //*[not(name() = "action" or name() = "anti-action")]/text()[contains(., "%{")]
        | //*[name() = "action" or name() = "anti-action"][contains(., "%{")]/*', all_of_it) THEN
        PERFORM refuse(format('In the body of extension %s a value of a number stands elsewhere than in data of an action', NEW.name),
            'There it is not filled in. Write it into data="…" of an <action> or <anti-action>, or use rows of condition and action.');
    END IF;
    -- The constraints of table action, each of which refuses by itself.
    SELECT string_agg(pg_get_expr(conbin, conrelid), ', ' ORDER BY conname) INTO rules
    FROM pg_constraint WHERE conrelid = 'action'::regclass AND contype = 'c';
    FOR a IN
        SELECT x.application, v.data
        FROM XMLTABLE('//*[name() = "action" or name() = "anti-action"]' PASSING all_of_it
            COLUMNS application text PATH '@application', attribute text PATH '@data', inside text PATH 'string(.)') x
        CROSS JOIN LATERAL (VALUES (x.attribute), (x.inside)) v (data)
        WHERE v.data LIKE '%\%{%'
    LOOP
        EXECUTE format('SELECT %s FROM jsonb_populate_record(NULL::action, $1)', rules)
            USING jsonb_build_object('extension', NEW.name, 'position', 1, 'application', coalesce(a.application, ''), 'data', a.data,
                'inline', false, 'anti', false, 'expand', false);
        NEW.asks := ARRAY(SELECT unnest(NEW.asks) UNION SELECT m[1] FROM regexp_matches(a.data, '%\{([a-z_]+)\}', 'g') m ORDER BY 1);
    END LOOP;
    RETURN NEW;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION ask_body IS 'Sets asks of an extension, and refuses a body in which a value of a number stands where it may not.';
CREATE TRIGGER ask_body BEFORE INSERT OR UPDATE OF body, asks ON extension FOR EACH ROW EXECUTE FUNCTION ask_body();
ALTER TABLE extension ENABLE ALWAYS TRIGGER ask_body;

-- A transaction that writes a number and one that writes a body wait for each
-- other, by a lock on the extension.
-- +goose StatementBegin
CREATE FUNCTION body_fits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    n record;
BEGIN
    IF EXISTS (SELECT FROM context_extension x WHERE x.extension = NEW.name)
        OR EXISTS (SELECT FROM context c WHERE c.not_found_extension = NEW.name) THEN
        PERFORM refuse(format('Extension %s stands in a context for numbers that nobody has, so nothing can be filled in', NEW.name),
            'Write the value itself.');
    END IF;
    SELECT x.number, a.asked INTO n
    FROM number x
    CROSS JOIN LATERAL unnest(NEW.asks) a (asked)
    WHERE x.extension = NEW.name AND to_jsonb(x) ->> a.asked IS NULL
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(format('The body of extension %s asks for what number %s does not have: %s', NEW.name, n.number, n.asked),
            'Fill in the numbers of the extension first.');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION number_fits_body() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    n record;
BEGIN
    PERFORM FROM extension e WHERE e.name IN (SELECT extension FROM changed) AND e.body IS NOT NULL ORDER BY e.name FOR SHARE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT x.number, x.extension, a.asked INTO n
    FROM changed x
    JOIN extension e ON e.name = x.extension
    CROSS JOIN LATERAL unnest(e.asks) a (asked)
    WHERE to_jsonb(x) ->> a.asked IS NULL
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(format('Extension %s asks for what %s does not have: %s', n.extension, n.number, n.asked),
            format('Set it in the same statement: %s.', n.asked));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION context_fits_body() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    used label := CASE TG_TABLE_NAME WHEN 'context' THEN to_jsonb(NEW) ->> 'not_found_extension' ELSE to_jsonb(NEW) ->> 'extension' END;
BEGIN
    PERFORM FROM extension e WHERE e.name = used AND e.body IS NOT NULL FOR SHARE;
    IF EXISTS (SELECT FROM extension e WHERE e.name = used AND e.asks IS NOT NULL) THEN
        PERFORM refuse(format('The body of extension %s is filled in from a number, and here it is for numbers that nobody has', used),
            'Let numbers pick it, or write the values into its body.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER body_fits AFTER INSERT OR UPDATE OF body ON extension FOR EACH ROW WHEN (NEW.asks IS NOT NULL) EXECUTE FUNCTION body_fits();
CREATE TRIGGER inserted_number_fits_body AFTER INSERT ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_fits_body();
CREATE TRIGGER updated_number_fits_body AFTER UPDATE ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_fits_body();
CREATE TRIGGER context_fits_body AFTER INSERT OR UPDATE OF extension ON context_extension FOR EACH ROW EXECUTE FUNCTION context_fits_body();
CREATE TRIGGER context_fits_body AFTER INSERT OR UPDATE OF not_found_extension ON context FOR EACH ROW
    WHEN (NEW.not_found_extension IS NOT NULL) EXECUTE FUNCTION context_fits_body();

-- Dialplan: one number, one owner ----------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION whole_number(number text, forms number_form[]) RETURNS text LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT CASE
        WHEN '00' = ANY (forms) AND number ~ '^00[1-9][0-9]{5,14}$' THEN '+' || substr(number, 3)
        WHEN 'bare' = ANY (forms) AND number ~ '^[1-9][0-9]{5,14}$' THEN '+' || number
        ELSE number
    END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION whole_number IS 'The number as +27…, if it is written in one of these forms of carriers.';

-- A transaction that adds numbers in the forms of carriers (27…, 0027…) and one
-- that adds +27… do not see each other's, so an advisory lock of the context lets
-- one of them wait until the other is committed.
-- +goose StatementBegin
CREATE FUNCTION number_has_one_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET enable_seqscan TO off SET search_path FROM CURRENT AS $$
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
        CROSS JOIN LATERAL ( -- by the index number_called, which holds the context: named besides, all its numbers might be read
            SELECT m.number, m.tenant FROM number m
            WHERE m.context || ' ' || ltrim(m.number, '+') = x.context || ' ' || w.digits AND m.tenant <> x.tenant
                AND whole_number(m.number, c.number_forms) = whole_number(x.number, c.number_forms)
            UNION ALL
            SELECT m.number, m.tenant FROM number m
            WHERE m.context || ' ' || ltrim(m.number, '+') = x.context || ' 00' || w.digits AND m.tenant <> x.tenant
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

CREATE FUNCTION context_numbers_have_one_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
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
CREATE TRIGGER inserted_number_has_one_owner AFTER INSERT ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_has_one_owner();
CREATE TRIGGER updated_number_has_one_owner AFTER UPDATE ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_has_one_owner();
CREATE TRIGGER context_numbers_have_one_owner AFTER UPDATE OF number_forms ON context FOR EACH ROW
    WHEN (NEW.tenant IS NULL AND NEW.number_forms IS DISTINCT FROM OLD.number_forms) EXECUTE FUNCTION context_numbers_have_one_owner();

-- Dialplan: the extension as one value -----------------------------------------------

-- Defaults and NULLs are left out, which keeps the value of a call short to read.
-- +goose StatementBegin
CREATE FUNCTION compile_extension() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.compiled := json_strip_nulls(json_build_object(
        'name', NEW.name,
        'continue', nullif(NEW.continue, false),
        'body', NEW.body::text,
        'expand', nullif(NEW.expand, false),
        'asks', NEW.asks,
        'conditions', (
            SELECT json_agg(c ORDER BY c.position)
            FROM (
                SELECT
                    p.position, k.parent, k.field, k.expression, nullif(k.expand, false) AS expand, k."break", k.regex, CASE WHEN NOT k.require_nested THEN true END AS nested_optional,
                    k.wday, k.mday, k.mon, k.time_of_day, k.date_time,
                    k.year, k.yday, k.week, k.mweek, k.hour, k.minute, k.minute_of_day, k.tz_offset, k.dst,
                    (
                        SELECT json_agg(x ORDER BY x.position)
                        FROM (
                            SELECT
                                position, field, expression, nullif(expand, false) AS expand,
                                wday, mday, mon, time_of_day, date_time,
                                year, yday, week, mweek, hour, minute, minute_of_day, tz_offset, dst
                            FROM condition_regex
                            WHERE extension = NEW.name AND condition = p.position
                        ) x
                    ) AS regexes,
                    (
                        SELECT json_agg(a ORDER BY a.position)
                        FROM (
                            SELECT position, application, data, nullif("inline", false) AS "inline", nullif(anti, false) AS anti, nullif(expand, false) AS expand
                            FROM action
                            WHERE extension = NEW.name AND coalesce(condition, 0) = p.position
                        ) a
                    ) AS actions
                FROM (SELECT 0 AS position UNION ALL SELECT position FROM condition WHERE extension = NEW.name) p
                LEFT JOIN condition k ON k.extension = NEW.name AND k.position = p.position
            ) c
        )
    ));
    RETURN NEW;
END $$;

CREATE FUNCTION compile_extensions() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    -- The trigger on extension compiles after it has locked the row, so the later of two transactions sees the rows of the earlier.
    UPDATE extension SET compiled = NULL WHERE name IN (SELECT extension FROM changed);
    RETURN NULL;
END $$;

CREATE FUNCTION compile_all_extensions() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE extension SET compiled = NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER compile_extension BEFORE INSERT OR UPDATE ON extension FOR EACH ROW EXECUTE FUNCTION compile_extension();
ALTER TABLE extension ENABLE ALWAYS TRIGGER compile_extension;

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['condition', 'condition_regex', 'action'] LOOP
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

-- Words --------------------------------------------------------------------------

-- The words in the sources of FreeSWITCH 1.11.3-dev (August 2026). FreeSWITCH
-- ignores an unknown parameter, takes an unknown field for empty, and ends the
-- call at an unknown application. Modules may add words, so another one is not
-- refused: a warning names the nearest known one.
-- +goose StatementBegin
CREATE FUNCTION word_list(kind text) RETURNS text LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT translate(CASE kind
        WHEN 'profile parameter' THEN '
3pcc-reinvite-bridged-on-ack accept-blind-auth accept-blind-reg aggressive-nat-detection alias all-reg-options-ping allow-update
apply-candidate-acl apply-inbound-acl apply-inbound-acl-x-token apply-nat-acl apply-proxy-acl apply-proxy-acl-x-token apply-register-acl
auth-all-packets auth-calls auth-calls-acl-only auth-messages auth-require-user auth-subscriptions auto-invite-100 auto-jitterbuffer-msec
auto-restart auto-rtp-bugs bind-attempt-interval bind-attempts bind-params bitpacking blind-auth-reply-403 caller-id-type challenge-realm
channel-xml-fetch-on-nightmare-transfer cid-in-1xx cng-pt codec-prefs confirm-blind-transfer contact-user context db-inner-post-trans-execute
db-inner-pre-trans-execute db-post-trans-execute db-pre-trans-execute db-spin-up-wait-ms dbname debug dialplan disable-auth-messages
disable-auth-subscriptions disable-hold disable-naptr disable-register disable-rtp-auto-adjust disable-srv disable-srv503 disable-transcoding
disable-transfer dtmf-duration dtmf-type enable-100rel enable-3pcc enable-chat enable-compact-headers enable-rfc-5626 enable-soa enable-timer
enforce-blind-auth-result ext-rtp-ip ext-sip-ip ext-sip-port extended-info-parsing fire-bye-response-events fire-message-events
fire-transfer-events force-publish-expires force-register-db-domain force-register-domain force-subscription-domain force-subscription-expires
forward-unsolicited-mwi-notify full-id-in-dialplan hold-music ignore-183nosdp in-dialog-chat inbound-bypass-media inbound-codec-negotiation
inbound-codec-prefs inbound-late-negotiation inbound-no-media inbound-proxy-media inbound-reg-force-matching-username
inbound-reg-in-new-thread inbound-use-callid-as-uuid keepalive-method liberal-dtmf local-network-acl log-auth-failures
make-every-transfer-a-nightmare manage-presence manage-shared-appearance manual-redirect manual-rtp-bugs manual-video-rtp-bugs
max-auth-validity max-calls max-proceeding max-recv-requests-per-second max-registrations-per-extension media-option minimum-session-expires
multiple-registrations mwi-use-reg-callid nat-options-ping ndlb-allow-bad-iananame ndlb-allow-crypto-in-avp ndlb-allow-nondup-sdp
ndlb-broken-auth-hash ndlb-expires-in-register-response ndlb-force-rport ndlb-proxy-never-patch-reinvites ndlb-received-in-nat-reg-contact
ndlb-sendrecv-in-session ndlb-support-asterisk-missing-srtp-auth nonce-ttl odbc-dsn outbound-codec-prefs outbound-proxy
outbound-use-uuid-as-callid p-asserted-id-parse parse-all-invite-headers parse-invite-tel-params pass-callee-id pass-rfc2833
ping-mean-interval ping-thread-frequency pnp-provision-url presence-disable-early presence-hold-state presence-hosts presence-privacy
presence-probe-on-register presence-proto-lookup profile-standby proxy-hold proxy-info proxy-info-content-types proxy-message
proxy-notify-events proxy-refer proxy-refer-replaces record-path record-template registration-thread-frequency require-secure-rtp
reuse-connections rfc-7989 rfc-7989-filter rfc-7989-force-old rfc2833-pt rfc8760-auth-algorithms rtcp-audio-interval-msec
rtcp-video-interval-msec rtp-autofix-timing rtp-digit-delay rtp-hold-timeout-sec rtp-ip rtp-notimer-during-bridge rtp-rewrite-timestamps
rtp-timeout-sec rtp-timer-name send-display-update send-message-query-on-register send-presence-on-register session-timeout shutdown-on-fail
sip-capture sip-domain sip-expires-late-margin sip-expires-max-deviation sip-force-expires sip-force-expires-max sip-force-expires-min sip-ip
sip-messages-respond-200-ok sip-options-respond-503-on-busy sip-port sip-subscribe-respond-200-ok sip-subscription-max-deviation sip-trace
sip-user-ping-max sip-user-ping-min socket-tcp-keepalive suppress-cng supress-cng t38-passthru tcp-always-nat tcp-keepalive tcp-ping2pong
tcp-pingpong tcp-unreg-on-socket-close timer-t1 timer-t1x64 timer-t2 timer-t4 tls tls-always-nat tls-bind-params tls-cert-dir tls-ciphers
tls-only tls-orq-connect-timeout tls-passphrase tls-sip-port tls-timeout tls-verify-date tls-verify-depth tls-verify-in-subjects
tls-verify-policy tls-version track-calls unregister-on-options-fail update-refresher use-port-for-acl-check user-agent-filter
user-agent-string username vad watchdog-enabled watchdog-event-timeout watchdog-step-timeout ws-binding wss-binding'
        WHEN 'condition field' THEN '
ani ani_numplan ani_ton aniii answered_time callee_id_name callee_id_number caller_id_name caller_id_number caller_numplan caller_ton
chan_name context created_time destination_number destination_number_numplan destination_number_ton dialplan hungup_time network_addr
orig_caller_id_name orig_caller_id_number privacy_hide_name privacy_hide_number profile_created_time profile_index progress_media_time
progress_time rdnis rdnis_numplan rdnis_ton screen_bit source transfer_source transferred_time username uuid'
        WHEN 'application' THEN '
acknowledge_call answer att_xfer avmd avmd_start avmd_stop basic bert_test bgsystem bind_digit_action bind_meta_app blind_transfer_ack
block_dtmf break bridge bridge_export broadcast callcenter callcenter_track capture capture_text capture_video check_acl chromakey cidlookup
clear_digit_action clear_speech_cache cluechoo cng_plc conference conference_set_auto_outcall curl curl_sendfile db debug_media decode_video
deduplicate_dtmf deflect delay_echo detect_audio detect_silence detect_speech digit_action_set_realm directory displace_session distributor
early_hangup easyroute eavesdrop echo enable_heartbeat enable_keepalive endless_playback enum erlang erlang_sendmsg esf_page_group eval event
execute_extension export fax_detect fifo fifo_track_call filter_codecs flush_dtmf fsk_display fsk_recv fsk_send fsk_simplify gentones group
hangup hash hiredis_raw hold httapi info intercept ivr java javascript jitterbuffer lcr limit limit_execute limit_hash limit_hash_execute log
loop_playback lua media_reset mkdir msrp_recv_file msrp_send_file multiset multiunset mutex native_eavesdrop nibblebill novideo osplookup
ospnext page park park_state perl phrase pickup play_and_detect_speech play_and_get_digits play_fsv play_video play_yuv playback pre_answer
preprocess presence privacy push python queue_dtmf read record record_fsv record_session record_session_mask record_session_pause
record_session_resume record_session_unmask recovery_refresh redirect remove_bugs rename respond reuse_caller_profile ring_ready rxfax say
sched_broadcast sched_cancel sched_hangup sched_heartbeat sched_transfer send_display send_dtmf send_info session_loglevel set set_audio_level
set_global set_media_stats set_mute set_name set_profile_var set_user set_zombie_exec sleep smpp_send snapshot socket sofia_sla
sofia_stir_shaken_vs soft_hold sound_test spandsp_detect_tdd spandsp_inject_tdd spandsp_send_tdd spandsp_start_dtmf spandsp_start_fax_detect
spandsp_start_tone_detect spandsp_stop_detect_tdd spandsp_stop_dtmf spandsp_stop_fax_detect spandsp_stop_inject_tdd spandsp_stop_tone_detect
speak start_dtmf start_dtmf_generate stop stop_displace_session stop_dtmf stop_dtmf_generate stop_record_session stop_tone_detect
stop_video_write_overlay stopfax strftime system t38_gateway three_way tone_detect transfer transfer_vars translate txfax unbind_meta_app
unblock_dtmf unhold unloop unset unshift userspy vad_test valet_park verbose_events verto_broadcast video_decode video_refresh video_replace
video_write_overlay vmd voicemail voicemail_ivr wait_for_answer wait_for_silence wait_for_video_ready'
    END, E'\n', ' ') || ' '
$$;
-- +goose StatementEnd
CREATE FUNCTION known_words(kind text) RETURNS text[] LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT string_to_array(btrim(word_list(kind)), ' ')
$$;
COMMENT ON FUNCTION word_list   IS 'The words of a kind that FreeSWITCH 1.11.3-dev knows, each between blanks: profile parameter, condition field, application.';
COMMENT ON FUNCTION known_words IS 'The same words as an array. Many rows are looked for in the list instead: to make the array takes longer.';

-- The Levenshtein distance.
-- +goose StatementBegin
CREATE FUNCTION distance(a text, b text) RETURNS integer LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
    before integer[] := ARRAY(SELECT generate_series(0, length(b)));
    now_   integer[];
BEGIN
    FOR i IN 1 .. length(a) LOOP
        now_ := ARRAY[i];
        FOR j IN 1 .. length(b) LOOP
            now_ := now_ || least(before[j + 1] + 1, now_[j] + 1, before[j] + CASE WHEN substr(a, i, 1) = substr(b, j, 1) THEN 0 ELSE 1 END);
        END LOOP;
        before := now_;
    END LOOP;
    RETURN before[length(b) + 1];
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION warn_of_unknown_word() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    word    CONSTANT text COLLATE "C" := to_jsonb(NEW) ->> TG_ARGV[1];
    nearest text COLLATE "C";
BEGIN
    IF word IS NULL OR word LIKE '%$%' OR strpos(word_list(TG_ARGV[0]), ' ' || lower(word) || ' ') > 0 THEN
        RETURN NULL;
    END IF;
    SELECT w INTO nearest FROM unnest(known_words(TG_ARGV[0]) COLLATE "C") w WHERE abs(length(w) - length(word)) <= 3 ORDER BY distance(lower(left(word, 64)), w), w LIMIT 1;
    IF distance(lower(left(word, 64)), nearest) > 1 + length(word) / 4 THEN
        nearest := NULL;
    END IF;
    RAISE WARNING 'FreeSWITCH 1.11 knows no % called %', TG_ARGV[0], word
        USING HINT = coalesce('Did you mean ' || nearest || '? ', '') || 'A module that is not its own may know it.';
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER warn_of_unknown_word AFTER INSERT OR UPDATE OF name ON sip_profile_param FOR EACH ROW EXECUTE FUNCTION warn_of_unknown_word('profile parameter', 'name');
CREATE TRIGGER warn_of_unknown_word AFTER INSERT OR UPDATE OF field ON condition FOR EACH ROW EXECUTE FUNCTION warn_of_unknown_word('condition field', 'field');
CREATE TRIGGER warn_of_unknown_word AFTER INSERT OR UPDATE OF field ON condition_regex FOR EACH ROW EXECUTE FUNCTION warn_of_unknown_word('condition field', 'field');
CREATE TRIGGER warn_of_unknown_word AFTER INSERT OR UPDATE OF application ON action FOR EACH ROW EXECUTE FUNCTION warn_of_unknown_word('application', 'application');
