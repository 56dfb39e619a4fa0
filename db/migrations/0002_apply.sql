-- +goose Up

-- An edit reaches every switch by itself: what tells the servers that
-- something changed, and what they know of each switch.

-- Where a switch is reached ---------------------------------------------------

ALTER TABLE node ADD event_socket_address socket_address;
COMMENT ON COLUMN node.event_socket_address IS 'Where this server reaches the switch''s event socket, host:port. NULL = event_socket_ip and event_socket_port, where the switch listens.';

-- Revisions -------------------------------------------------------------------

-- A gateway carries its revision as a variable, and the switch gives it back: so it is known which one it runs.
CREATE SEQUENCE gateway_revision;
ALTER TABLE gateway ADD revision bigint NOT NULL DEFAULT nextval('gateway_revision');
COMMENT ON COLUMN gateway.revision IS 'Goes up with every change of the gateway, its parameters or its variables; variable xmlcurld_revision of the gateway.';

-- +goose StatementBegin
CREATE FUNCTION revise_gateway() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision := nextval('gateway_revision');
    RETURN NEW;
END $$;

CREATE FUNCTION revise_gateways() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gateway SET revision = nextval('gateway_revision') WHERE name IN (SELECT gateway FROM changed);
    RETURN NULL;
END $$;

CREATE FUNCTION revise_all_gateways() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gateway SET revision = nextval('gateway_revision');
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER revise_gateway BEFORE UPDATE ON gateway FOR EACH ROW
    WHEN ((OLD.name, OLD.username, OLD.password, OLD.proxy, OLD.realm, OLD.register, OLD.caller_id_in_from, OLD.profile)
        IS DISTINCT FROM (NEW.name, NEW.username, NEW.password, NEW.proxy, NEW.realm, NEW.register, NEW.caller_id_in_from, NEW.profile))
    EXECUTE FUNCTION revise_gateway();

-- Names that FreeSWITCH would take for something else ---------------------------

ALTER TABLE acl_list ADD CONSTRAINT acl_list_is_not_the_servers CHECK (name !~* '^xmlcurld' OR refuse(
    format('%s is a name that the server needs', name), 'It puts a list xmlcurld.… into acl.conf. Choose another name.'));
ALTER TABLE gateway_variable ADD CONSTRAINT gateway_variable_is_not_the_servers CHECK (name !~* '^xmlcurld' OR refuse(
    format('%s is a name that the server needs', name), 'It gives each gateway a variable xmlcurld_revision. Choose another name.'));
ALTER TABLE gateway ADD CONSTRAINT gateway_is_no_command CHECK (lower(name) <> 'all' AND name !~* 'mod_event_socket' OR refuse(
    format('%s is not the name of a gateway', name), 'FreeSWITCH would read it as something else in a command. Choose a name such as twilio.'));
ALTER TABLE sip_profile ADD CONSTRAINT sip_profile_is_no_command CHECK (lower(name) NOT IN ('all', '_all_') AND name !~* 'mod_event_socket' OR refuse(
    format('%s is not the name of a profile', name), 'FreeSWITCH would read it as something else in a command. Choose a name such as external.'));

-- Users -----------------------------------------------------------------------

-- A switch may hold a user in its cache, and a registration it made: both have to go when the user changes.
CREATE TABLE user_change (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid          xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at           timestamptz NOT NULL DEFAULT now(),
    domain       host_name,
    user_id      user_name,
    number_alias user_name,
    unregister   boolean     NOT NULL
);
CREATE INDEX user_change_xid ON user_change (xid);
COMMENT ON TABLE  user_change              IS 'Written by triggers, read by xmlcurld: users whom switches have to forget. Kept for a day.';
COMMENT ON COLUMN user_change.xid          IS 'The transaction: a reader takes what its last snapshot did not show, so that one which was held open is not missed.';
COMMENT ON COLUMN user_change.at           IS 'When the transaction began.';
COMMENT ON COLUMN user_change.domain       IS 'NULL = all users of all domains.';
COMMENT ON COLUMN user_change.user_id      IS 'NULL = all users of the domain.';
COMMENT ON COLUMN user_change.number_alias IS 'The user''s other name, under which it may be cached as well.';
COMMENT ON COLUMN user_change.unregister   IS 'true: its registration goes too, because it is off, gone, or has another password.';

-- +goose StatementBegin
CREATE FUNCTION note_user_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_change (domain, user_id, number_alias, unregister)
    SELECT o.domain, o.id, o.number_alias,
        n.id IS NULL OR NOT n.enabled OR (o.password, o.a1_hash) IS DISTINCT FROM (n.password, n.a1_hash)
    FROM former o
    LEFT JOIN changed n ON n.domain = o.domain AND n.id = o.id
    WHERE o IS DISTINCT FROM n;
    RETURN NULL;
END $$;

CREATE FUNCTION note_user_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_change (domain, user_id, number_alias, unregister)
    SELECT domain, id, number_alias, true FROM former;
    RETURN NULL;
END $$;

CREATE FUNCTION note_user_setting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_change (domain, user_id, unregister) SELECT DISTINCT domain, user_id, false FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION note_domain_setting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_change (domain, unregister) SELECT DISTINCT domain, false FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION note_domain_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_change (domain, unregister)
    SELECT o.name, n.name IS NULL OR NOT n.enabled
    FROM former o
    LEFT JOIN changed n ON n.name = o.name
    WHERE o IS DISTINCT FROM n;
    RETURN NULL;
END $$;

CREATE FUNCTION note_domain_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_change (domain, unregister) SELECT name, true FROM former;
    RETURN NULL;
END $$;

CREATE FUNCTION note_tenant_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_change (domain, unregister)
    SELECT d.name, true
    FROM changed n
    JOIN domain d ON d.tenant = n.name
    WHERE NOT n.enabled;
    RETURN NULL;
END $$;

CREATE FUNCTION note_all_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_change (unregister) VALUES (TG_ARGV[0]::boolean);
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER note_user_update AFTER UPDATE ON domain_user REFERENCING OLD TABLE AS former NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_user_update();
CREATE TRIGGER note_user_delete AFTER DELETE ON domain_user REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION note_user_delete();
CREATE TRIGGER note_user_truncate AFTER TRUNCATE ON domain_user
    FOR EACH STATEMENT EXECUTE FUNCTION note_all_users('true');
CREATE TRIGGER note_domain_update AFTER UPDATE ON domain REFERENCING OLD TABLE AS former NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_domain_update();
CREATE TRIGGER note_domain_delete AFTER DELETE ON domain REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION note_domain_delete();
CREATE TRIGGER note_domain_truncate AFTER TRUNCATE ON domain
    FOR EACH STATEMENT EXECUTE FUNCTION note_all_users('true');
CREATE TRIGGER note_tenant_update AFTER UPDATE ON tenant REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_tenant_update();

-- What the servers know of each switch ----------------------------------------

CREATE TABLE node_fetch (
    node     label       NOT NULL REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    document text        NOT NULL,
    part     text        NOT NULL DEFAULT '',
    revision text        NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (node, document, part)
);
COMMENT ON TABLE  node_fetch          IS 'Written by xmlcurld: the documents that each switch fetched last. What cannot be read back from a switch is judged by this.';
COMMENT ON COLUMN node_fetch.document IS 'The file''s name, for example sofia.conf.';
COMMENT ON COLUMN node_fetch.part     IS 'What of the document takes effect together, for example external/settings.';
COMMENT ON COLUMN node_fetch.revision IS 'What it was, or a hash of it. Empty: the document was not found.';
COMMENT ON COLUMN node_fetch.at       IS 'When the switch fetched it.';

CREATE TABLE node_state (
    node                  label       PRIMARY KEY REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    server                text        NOT NULL,
    reachable             boolean     NOT NULL,
    pending               text[]      NOT NULL,
    pending_since         timestamptz,
    restart_required      text[]      NOT NULL,
    last_error            text        NOT NULL,
    event_socket_address  text,
    event_socket_password secret,
    modules               text[]      NOT NULL DEFAULT '{}',
    users_seen            pg_snapshot,
    users_seen_at         timestamptz,
    looked_at             timestamptz,
    checked_at            timestamptz NOT NULL
);
COMMENT ON TABLE  node_state                       IS 'Written by xmlcurld, shown by xmlcurld nodes: whether each switch is in step with the rows.';
COMMENT ON COLUMN node_state.server                IS 'The server that takes care of the switch.';
COMMENT ON COLUMN node_state.reachable             IS 'Whether the switch''s event socket answers.';
COMMENT ON COLUMN node_state.pending               IS 'What the switch does not run yet. Empty = in step, but for restart_required.';
COMMENT ON COLUMN node_state.pending_since         IS 'Since when something has been pending without a break.';
COMMENT ON COLUMN node_state.restart_required      IS 'What the switch takes only when it, or the profile named, is started anew.';
COMMENT ON COLUMN node_state.last_error            IS 'What went wrong at the last look. Empty: nothing.';
COMMENT ON COLUMN node_state.event_socket_address  IS 'Where the switch answered last: it may still be there after the row has another address.';
COMMENT ON COLUMN node_state.event_socket_password IS 'The password that the switch took last: it may still want that one after the row has another.';
COMMENT ON COLUMN node_state.modules               IS 'The modules that the rows had, so that those which the rows have no more can be unloaded.';
COMMENT ON COLUMN node_state.users_seen            IS 'The snapshot up to which user_change was applied.';
COMMENT ON COLUMN node_state.users_seen_at         IS 'When it was.';
COMMENT ON COLUMN node_state.looked_at             IS 'The database''s time at which the last look at everything began: it saw what was committed before.';
COMMENT ON COLUMN node_state.checked_at            IS 'When a server last told what it found. Long ago = no server takes care of the switch.';

-- Notices ---------------------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION tell_servers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('xmlcurld', TG_ARGV[0]); -- one of a kind, however many a transaction makes
    RETURN NULL;
END $$;

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('tenant', 'tenant'),
        ('node', 'node'),
        ('module', 'module'),
        ('switch_param', 'switch'), ('switch_variable', 'switch'), ('event_socket_param', 'switch'),
        ('acl_list', 'acl'), ('acl_entry', 'acl'),
        ('sofia_param', 'profile'), ('sip_profile', 'profile'), ('sip_profile_param', 'profile'), ('sip_profile_domain', 'profile'), ('sip_profile_alias', 'profile'),
        ('gateway', 'gateway'), ('gateway_param', 'gateway'), ('gateway_variable', 'gateway'),
        ('domain', 'user'), ('domain_param', 'user'), ('domain_variable', 'user'),
        ('domain_user', 'user'), ('domain_user_param', 'user'), ('domain_user_variable', 'user'),
        ('document', 'document'),
        ('number', 'dialplan'), ('context', 'dialplan'), ('context_extension', 'dialplan'), ('extension', 'dialplan'),
        ('condition', 'dialplan'), ('action', 'dialplan'), ('domain_group', 'dialplan'), ('domain_group_user', 'dialplan')
    ) v (name, kind) LOOP
        EXECUTE format('CREATE TRIGGER tell_servers AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION tell_servers(%L)', t.name, t.kind);
    END LOOP;
    FOR t IN SELECT * FROM (VALUES
        ('gateway_param', 'revise_gateways', 'revise_all_gateways'),
        ('gateway_variable', 'revise_gateways', 'revise_all_gateways'),
        ('domain_param', 'note_domain_setting', 'note_all_users'),
        ('domain_variable', 'note_domain_setting', 'note_all_users'),
        ('domain_user_param', 'note_user_setting', 'note_all_users'),
        ('domain_user_variable', 'note_user_setting', 'note_all_users')
    ) v (name, function, truncate_function) LOOP
        EXECUTE format('CREATE TRIGGER %2$s_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION %2$s()', t.name, t.function);
        EXECUTE format('CREATE TRIGGER %2$s_update AFTER UPDATE ON %1$I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION %2$s()', t.name, t.function);
        EXECUTE format('CREATE TRIGGER %2$s_delete AFTER DELETE ON %1$I REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION %2$s()', t.name, t.function);
        EXECUTE format('CREATE TRIGGER %2$s_truncate AFTER TRUNCATE ON %1$I FOR EACH STATEMENT EXECUTE FUNCTION %3$s(%4$L)', t.name, t.function, t.truncate_function,
            CASE t.truncate_function WHEN 'note_all_users' THEN 'false' END);
    END LOOP;
END $$;
-- +goose StatementEnd
