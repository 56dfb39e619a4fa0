-- +goose Up

-- Whom the event socket lets in: lists of acl_list, those that FreeSWITCH makes
-- itself, and networks, which all have to let a peer in.

-- +goose StatementBegin
CREATE FUNCTION built_in_list(name text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT name IN ('rfc6598.auto', 'rfc1918.auto', 'wan.auto', 'wan_v6.auto', 'wan_v4.auto', 'any_v6.auto', 'any_v4.auto', 'nat.auto', 'loopback.auto', 'localnet.auto')
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION built_in_list IS 'Whether FreeSWITCH makes an access list of that name itself.';

CREATE DOMAIN access_lists AS text CHECK (coalesce(VALUE ~ '^([A-Za-z0-9_][A-Za-z0-9._-]{0,62}|[0-9A-Fa-f.:]+/[0-9]{1,3}(,[0-9A-Fa-f.:]+/[0-9]{1,3}){0,31})( ([A-Za-z0-9_][A-Za-z0-9._-]{0,62}|[0-9A-Fa-f.:]+/[0-9]{1,3}(,[0-9A-Fa-f.:]+/[0-9]{1,3}){0,31}))*$', true) OR refuse(
    format('%L names no access lists', VALUE),
    'Write a list, such as localnet.auto, or networks with their bits, such as 10.0.0.0/8,192.168.0.0/16. Several, separated by blanks, all have to let a peer in.'));
COMMENT ON DOMAIN access_lists IS 'Names of access lists, or networks separated by commas; several of them separated by blanks.';

ALTER TABLE node DROP CONSTRAINT node_event_socket_acl_fkey;
ALTER TABLE node ALTER event_socket_acl TYPE access_lists;
COMMENT ON COLUMN node.event_socket_acl IS 'apply-inbound-acl of event_socket.conf: the lists that have to let a peer in, separated by blanks. Lists of acl_list, of FreeSWITCH itself (localnet.auto, rfc1918.auto, any_v4.auto, …), or IPv4 networks (10.0.0.0/8). NULL = loopback only.';

ALTER TABLE sip_profile_param ADD CONSTRAINT sip_profile_param_network_is_ipv4 CHECK (name !~ '^apply-.*acl' OR value !~ '^[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*/[0-9]' OR refuse(
    format('An IPv6 network in %s would let IPv4 addresses in', name), 'Put it into a list of acl_list, and name the list here.')) NOT VALID;

-- +goose StatementBegin
CREATE FUNCTION event_socket_lists_are_there() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
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
    -- Of a network in place of a list FreeSWITCH compares the bits of an address whatever its family.
    IF EXISTS (SELECT FROM unnest(string_to_array(NEW.event_socket_acl, ' ')) l, unnest(string_to_array(l, ',')) n WHERE l ~ '/' AND family(n::inet) = 6) THEN
        PERFORM refuse('An IPv6 network would let IPv4 addresses into the event socket', 'Put it into a list of acl_list, and name the list here.');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION event_socket_list_is_renamed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
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

DO $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema::regnamespace AND p.proname IN ('built_in_list', 'event_socket_lists_are_there', 'event_socket_list_is_renamed') LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path TO %I, pg_temp', f.name, current_schema);
    END LOOP;
END $$;
-- +goose StatementEnd
CREATE TRIGGER event_socket_lists_are_there AFTER INSERT OR UPDATE OF event_socket_acl ON node FOR EACH ROW
    WHEN (NEW.event_socket_acl IS NOT NULL) EXECUTE FUNCTION event_socket_lists_are_there();
CREATE TRIGGER event_socket_list_is_renamed AFTER DELETE OR UPDATE OF name ON acl_list FOR EACH ROW EXECUTE FUNCTION event_socket_list_is_renamed();
