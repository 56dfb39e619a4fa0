-- +goose Up

-- What tells the servers that something changed, and what they know of each
-- switch. The triggers here are enabled ALWAYS: they note an edit as well in a
-- session with session_replication_role = replica, as tools for loading and
-- replicating use it. The triggers that refuse an edit do not fire there.

SELECT set_config('search_path', format('%I, pg_temp', current_schema), true);

-- Gateway revisions ------------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION revise_gateway() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.revision := new_revision();
    RETURN NEW;
END $$;

CREATE FUNCTION revise_gateways() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE gateway SET revision = new_revision() WHERE name IN (SELECT gateway FROM changed);
    RETURN NULL;
END $$;

CREATE FUNCTION revise_all_gateways() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE gateway SET revision = new_revision();
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER revise_gateway BEFORE UPDATE ON gateway FOR EACH ROW
    WHEN ((OLD.name, OLD.username, OLD.password, OLD.password_from, OLD.proxy, OLD.realm, OLD.register, OLD.caller_id_in_from, OLD.profile)
        IS DISTINCT FROM (NEW.name, NEW.username, NEW.password, NEW.password_from, NEW.proxy, NEW.realm, NEW.register, NEW.caller_id_in_from, NEW.profile))
    EXECUTE FUNCTION revise_gateway();
ALTER TABLE gateway ENABLE ALWAYS TRIGGER revise_gateway;

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY '{gateway_param,gateway_variable}'::text[] LOOP
        EXECUTE format('
            CREATE TRIGGER revise_gateways_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION revise_gateways();
            CREATE TRIGGER revise_gateways_update AFTER UPDATE ON %1$I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION revise_gateways();
            CREATE TRIGGER revise_gateways_delete AFTER DELETE ON %1$I REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION revise_gateways();
            CREATE TRIGGER revise_gateways_truncate AFTER TRUNCATE ON %1$I FOR EACH STATEMENT EXECUTE FUNCTION revise_all_gateways();
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER revise_gateways_insert;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER revise_gateways_update;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER revise_gateways_delete;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER revise_gateways_truncate', t);
    END LOOP;
END $$;
-- +goose StatementEnd

-- Passwords of users ---------------------------------------------------------------

-- Changes are kept for a day. By password_xid a server finds the users whose
-- registrations have to end, however long it was away.
-- +goose StatementBegin
CREATE FUNCTION date_password() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.password_xid := pg_current_xact_id();
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER date_password BEFORE UPDATE ON domain_user FOR EACH ROW
    WHEN ((OLD.domain, OLD.id, OLD.password, OLD.a1_hash) IS DISTINCT FROM (NEW.domain, NEW.id, NEW.password, NEW.a1_hash))
    EXECUTE FUNCTION date_password();
ALTER TABLE domain_user ENABLE ALWAYS TRIGGER date_password;
-- A user that is replicated brings a transaction of another server's.
CREATE TRIGGER date_replicated BEFORE INSERT ON domain_user FOR EACH ROW EXECUTE FUNCTION date_password();
ALTER TABLE domain_user ENABLE REPLICA TRIGGER date_replicated;

-- What the servers know of each switch ----------------------------------------------

CREATE TABLE node_fetch (
    node     label            NOT NULL REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    document text COLLATE "C" NOT NULL,
    part     text COLLATE "C" NOT NULL DEFAULT '',
    revision text COLLATE "C" NOT NULL,
    at       timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (node, document, part)
);
COMMENT ON TABLE  node_fetch          IS 'Written by xmlcurld: the documents that each switch fetched last, and those that it runs with. They stand for what cannot be read back from a switch.';
COMMENT ON COLUMN node_fetch.document IS 'The file''s name, for example sofia.conf.';
COMMENT ON COLUMN node_fetch.part     IS 'The part of the document that takes effect by itself, for example external/settings. Of a document stored as XML: empty = its last fetch, taken = what its module was loaded with, one = the last question about one thing in it, such as one queue.';
COMMENT ON COLUMN node_fetch.revision IS 'The revision of the part, or a hash of it. Empty: the document was not found.';
COMMENT ON COLUMN node_fetch.at       IS 'When the switch fetched it.';

CREATE TABLE node_state (
    node                  label              PRIMARY KEY REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE,
    server                text COLLATE "C"   NOT NULL,
    reachable             boolean            NOT NULL,
    pending               text[] COLLATE "C" NOT NULL,
    pending_since         timestamptz,
    restart_required      text[] COLLATE "C" NOT NULL,
    last_error            text COLLATE "C"   NOT NULL,
    event_socket_address  text COLLATE "C",
    event_socket_password secret,
    modules               text[] COLLATE "C" NOT NULL DEFAULT '{}',
    limits                text[] COLLATE "C" NOT NULL DEFAULT '{}',
    users_seen            pg_snapshot,
    users_seen_at         timestamptz,
    looked_at             timestamptz,
    checked_at            timestamptz        NOT NULL
);
COMMENT ON TABLE  node_state                       IS 'Written by xmlcurld, shown by xmlcurld nodes: whether each switch is in sync with the rows.';
COMMENT ON COLUMN node_state.server                IS 'The server that takes care of the switch.';
COMMENT ON COLUMN node_state.reachable             IS 'Whether the switch''s event socket answers.';
COMMENT ON COLUMN node_state.pending               IS 'What the switch does not run yet. Empty = in sync, but for restart_required.';
COMMENT ON COLUMN node_state.pending_since         IS 'Since when something has been pending without a break.';
COMMENT ON COLUMN node_state.restart_required      IS 'What the switch takes only after a restart of itself, or of the profile named.';
COMMENT ON COLUMN node_state.last_error            IS 'What went wrong at the last look. Empty: nothing.';
COMMENT ON COLUMN node_state.event_socket_address  IS 'Where the switch answered last. It may still listen there after the row has another address.';
COMMENT ON COLUMN node_state.event_socket_password IS 'The password that the switch accepted last. It may still want that one after the row has another.';
COMMENT ON COLUMN node_state.modules               IS 'The modules that the rows had, by which the server finds modules to unload.';
COMMENT ON COLUMN node_state.limits                IS 'The limits that the rows set, by which the server finds limits to take back.';
COMMENT ON COLUMN node_state.users_seen            IS 'The snapshot up to which changes of users were applied.';
COMMENT ON COLUMN node_state.users_seen_at         IS 'When that snapshot was taken.';
COMMENT ON COLUMN node_state.looked_at             IS 'Edits committed before this time, by the database''s clock, have been looked at.';
COMMENT ON COLUMN node_state.checked_at            IS 'When a server last reported on the switch. Long ago = no server takes care of it.';

-- Changes ----------------------------------------------------------------------------

-- A server keeps local rows of what it answers from, and follows the database by
-- these changes. By them it also finds the users whom a switch may hold in its
-- cache, and whose registration may have to end.
CREATE TABLE change (
    id       bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid      xid8             NOT NULL DEFAULT pg_current_xact_id(),
    at       timestamptz      NOT NULL DEFAULT now(),
    relation text COLLATE "C" NOT NULL,
    scope    text COLLATE "C" NOT NULL DEFAULT '',
    key      text COLLATE "C",
    existed  boolean          NOT NULL DEFAULT true
);
CREATE INDEX change_xid ON change (xid);
COMMENT ON TABLE  change          IS 'Written by triggers, read by xmlcurld: what its local rows have to follow, and which users switches have to forget. Kept for a day.';
COMMENT ON COLUMN change.xid      IS 'The transaction. A reader takes the rows that its last snapshot did not show, so it does not miss a transaction that stayed open.';
COMMENT ON COLUMN change.at       IS 'When the transaction began.';
COMMENT ON COLUMN change.relation IS 'The table.';
COMMENT ON COLUMN change.scope    IS 'The context of a number, the domain of a user or of a user''s setting; of other tables empty.';
COMMENT ON COLUMN change.key      IS 'What the row is known by within its scope, or was before. A user is known by its id and by its number_alias. NULL = any row of the table.';
COMMENT ON COLUMN change.existed  IS 'false: nothing was known by this key before, so no switch can hold it.';

-- These functions run as their owner, so a role that may edit rows needs no right
-- to change. The arguments are the columns that become key, scope and a second
-- key; without any, each edit is noted as one of all rows.
-- +goose StatementBegin
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    most   CONSTANT integer := 20000; -- a statement that changes more is noted as one that changes all
    edited CONSTANT text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT false AS existed, * FROM changed'
        WHEN 'DELETE' THEN 'SELECT true AS existed, * FROM former'
        ELSE 'SELECT true AS existed, * FROM former UNION ALL SELECT false, * FROM changed'
    END;
    rows   bigint := most + 1;
BEGIN
    IF TG_NARGS > 0 THEN
        EXECUTE format('SELECT count(*) FROM (SELECT FROM (%s) x LIMIT %s) x', edited, most + 1) INTO rows;
    END IF;
    IF rows > most THEN
        INSERT INTO change (relation, existed) VALUES (TG_TABLE_NAME, TG_OP <> 'INSERT');
    ELSIF rows > 0 THEN
        EXECUTE format('
            INSERT INTO change (relation, scope, key, existed)
            SELECT %L, scope, key, bool_or(existed)
            FROM (SELECT existed, %s AS scope, unnest(ARRAY[%s]::text[]) AS key FROM (%s) x) x
            WHERE key IS NOT NULL
            GROUP BY scope, key',
            TG_TABLE_NAME, coalesce(quote_ident(TG_ARGV[1]), quote_literal('')), concat_ws(', ', quote_ident(TG_ARGV[0]), quote_ident(TG_ARGV[2])), edited);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION tell_servers() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_notify('xmlcurld', TG_ARGV[0]); -- PostgreSQL sends equal notices of a transaction once
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- Logical replication fires no statement triggers, so this row trigger notes each
-- row. It is enabled REPLICA: it fires only where another server's edits are
-- replayed. Its arguments are that of tell_servers, then those of note_change.
-- +goose StatementBegin
CREATE FUNCTION note_replicated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    most    CONSTANT integer := CASE TG_NARGS WHEN 1 THEN 0 ELSE 20000 END; -- a transaction that changes more of a table is noted as one that changes all of it
    counter CONSTANT text := 'xmlcurld.replicated_' || TG_TABLE_NAME;
    counted integer;
    former  CONSTANT jsonb := to_jsonb(OLD); -- NULL for INSERT
    changed CONSTANT jsonb := to_jsonb(NEW); -- NULL for DELETE
BEGIN
    IF former IS NOT DISTINCT FROM changed THEN
        RETURN NULL;
    END IF;
    PERFORM pg_notify('xmlcurld', TG_ARGV[0]);

    counted := coalesce(nullif(current_setting(counter, true), ''), '0')::integer + 1;
    PERFORM set_config(counter, counted::text, true); -- until the transaction ends
    IF counted <= most THEN
        INSERT INTO change (relation, scope, key, existed)
        SELECT TG_TABLE_NAME, coalesce(r.of ->> TG_ARGV[2], ''), k.key, bool_or(r.existed)
        FROM (VALUES (former, true), (changed, false)) r (of, existed)
        CROSS JOIN LATERAL (VALUES (r.of ->> TG_ARGV[1]), (r.of ->> TG_ARGV[3])) k (key)
        WHERE k.key IS NOT NULL
        GROUP BY 2, 3;
    ELSIF counted = most + 1 THEN
        INSERT INTO change (relation) VALUES (TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- For each table the kind of notice, and the arguments of note_change. Conditions
-- and actions have no changes of their own (NULL): they are compiled into their
-- extension, whose change is noted. Nor have groups: an answer needs their members
-- only.
-- +goose StatementBegin
DO $$
DECLARE
    t         record;
    arguments text; -- of note_change
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('tenant', 'tenant', ARRAY['name']),
        ('node', 'node', '{}'),
        ('node_credential', 'credential', '{}'),
        ('module', 'module', '{}'),
        ('switch_param', 'switch', '{}'),
        ('switch_variable', 'switch', '{}'),
        ('event_socket_param', 'switch', '{}'),
        ('extension', 'dialplan', '{name}'),
        ('condition', 'dialplan', NULL),
        ('condition_regex', 'dialplan', NULL),
        ('action', 'dialplan', NULL),
        ('context', 'dialplan', '{}'),
        ('context_extension', 'dialplan', '{}'),
        ('number', 'dialplan', '{number,context}'),
        ('domain', 'user', '{name}'),
        ('domain_param', 'user', '{domain}'),
        ('domain_variable', 'user', '{domain}'),
        ('domain_user', 'user', '{id,domain,number_alias}'),
        ('domain_user_param', 'user', '{user_id,domain}'),
        ('domain_user_variable', 'user', '{user_id,domain}'),
        ('domain_group', 'dialplan', NULL),
        ('domain_group_user', 'dialplan', '{domain}'),
        ('acl_list', 'acl', '{}'),
        ('acl_entry', 'acl', '{id}'),
        ('sofia_param', 'profile', '{}'),
        ('sip_profile', 'profile', '{}'),
        ('sip_profile_param', 'profile', '{}'),
        ('sip_profile_domain', 'profile', '{}'),
        ('sip_profile_alias', 'profile', '{}'),
        ('gateway', 'gateway', '{name}'),
        ('gateway_param', 'gateway', '{gateway}'),
        ('gateway_variable', 'gateway', '{gateway}'),
        ('document', 'document', '{}')
    ) v (name, kind, known_by) LOOP
        EXECUTE format('
            CREATE TRIGGER tell_servers AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %1$I FOR EACH STATEMENT EXECUTE FUNCTION tell_servers(%2$L);
            CREATE TRIGGER replicated AFTER INSERT OR UPDATE OR DELETE ON %1$I FOR EACH ROW EXECUTE FUNCTION note_replicated(%3$s);
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER tell_servers;
            ALTER TABLE %1$I ENABLE REPLICA TRIGGER replicated',
            t.name, t.kind, (SELECT string_agg(quote_literal(a), ', ' ORDER BY n) FROM unnest(t.kind || t.known_by) WITH ORDINALITY x (a, n)));
        arguments := (SELECT string_agg(quote_literal(a), ', ' ORDER BY n) FROM unnest(t.known_by) WITH ORDINALITY x (a, n));
        IF t.known_by = '{}' THEN
            EXECUTE format('
                CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %1$I FOR EACH STATEMENT EXECUTE FUNCTION note_change();
                ALTER TABLE %1$I ENABLE ALWAYS TRIGGER note_change', t.name);
        ELSIF t.known_by IS NOT NULL THEN
            EXECUTE format('
                CREATE TRIGGER note_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_change(%2$s);
                CREATE TRIGGER note_update AFTER UPDATE ON %1$I REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_change(%2$s);
                CREATE TRIGGER note_delete AFTER DELETE ON %1$I REFERENCING OLD TABLE AS former FOR EACH STATEMENT EXECUTE FUNCTION note_change(%2$s);
                CREATE TRIGGER note_truncate AFTER TRUNCATE ON %1$I FOR EACH STATEMENT EXECUTE FUNCTION note_change();
                ALTER TABLE %1$I ENABLE ALWAYS TRIGGER note_insert;
                ALTER TABLE %1$I ENABLE ALWAYS TRIGGER note_update;
                ALTER TABLE %1$I ENABLE ALWAYS TRIGGER note_delete;
                ALTER TABLE %1$I ENABLE ALWAYS TRIGGER note_truncate', t.name, arguments);
        END IF;
    END LOOP;
END $$;
-- +goose StatementEnd

-- Each cluster keeps its own journals and its own knowledge of the switches, so
-- rows of these tables that arrive by replication are left out. Their transaction
-- numbers mean nothing here, and their keys would collide. Rows that a trigger
-- writes here meanwhile have a trigger depth above 0, and stay.
-- +goose StatementBegin
CREATE FUNCTION keep_own() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER keep_own BEFORE INSERT OR UPDATE OR DELETE ON change FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keep_own();
CREATE TRIGGER keep_own BEFORE INSERT OR UPDATE OR DELETE ON node_state FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keep_own();
CREATE TRIGGER keep_own BEFORE INSERT OR UPDATE OR DELETE ON node_fetch FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keep_own();
ALTER TABLE change ENABLE REPLICA TRIGGER keep_own;
ALTER TABLE node_state ENABLE REPLICA TRIGGER keep_own;
ALTER TABLE node_fetch ENABLE REPLICA TRIGGER keep_own;
