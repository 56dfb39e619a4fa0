-- +goose Up

-- For rows that arrive by logical replication PostgreSQL fires no triggers of
-- statements. So each such row is noted by itself. These triggers fire in a
-- session that replays another server's edits, and nowhere else.

-- Arguments: what tell_servers says, then those of note_change, if any.
-- +goose StatementBegin
CREATE FUNCTION note_replicated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    most    CONSTANT integer := 20000; -- a transaction that changes more of a table is noted as one that changes all of it
    counter CONSTANT text := 'xmlcurld.replicated_' || TG_TABLE_NAME;
    counted integer;
    former  CONSTANT jsonb := to_jsonb(OLD); -- NULL for INSERT
    changed CONSTANT jsonb := to_jsonb(NEW); -- NULL for DELETE
    gone    boolean;
BEGIN
    IF former IS NOT DISTINCT FROM changed THEN
        RETURN NULL;
    END IF;
    PERFORM pg_notify('xmlcurld', TG_ARGV[0]);

    counted := coalesce(nullif(current_setting(counter, true), ''), '0')::integer + 1;
    PERFORM set_config(counter, counted::text, true); -- until the transaction ends
    IF TG_NARGS = 1 THEN
        IF counted = 1 THEN
            INSERT INTO change (relation) VALUES (TG_TABLE_NAME);
        END IF;
    ELSIF counted <= most THEN
        INSERT INTO change (relation, scope, key)
        SELECT DISTINCT TG_TABLE_NAME, coalesce(r.of ->> TG_ARGV[2], ''), r.of ->> TG_ARGV[1]
        FROM (VALUES (former), (changed)) r (of)
        WHERE r.of IS NOT NULL;
    ELSIF counted = most + 1 THEN
        INSERT INTO change (relation) VALUES (TG_TABLE_NAME);
    END IF;

    CASE TG_TABLE_NAME
    WHEN 'domain_user' THEN
        IF TG_OP <> 'INSERT' THEN
            gone := changed IS NULL OR NOT (changed ->> 'enabled')::boolean
                OR (former -> 'domain', former -> 'id', former -> 'password', former -> 'a1_hash')
                    IS DISTINCT FROM (changed -> 'domain', changed -> 'id', changed -> 'password', changed -> 'a1_hash');
            INSERT INTO user_change (domain, user_id, number_alias, unregister)
            VALUES (former ->> 'domain', former ->> 'id', former ->> 'number_alias', gone);
        END IF;
    WHEN 'domain_user_param', 'domain_user_variable' THEN
        INSERT INTO user_change (domain, user_id, unregister)
        SELECT DISTINCT r.of ->> 'domain', r.of ->> 'user_id', false
        FROM (VALUES (former), (changed)) r (of)
        WHERE r.of IS NOT NULL;
    WHEN 'domain' THEN
        IF TG_OP <> 'INSERT' THEN
            gone := changed IS NULL OR NOT (changed ->> 'enabled')::boolean OR former -> 'name' IS DISTINCT FROM changed -> 'name';
            INSERT INTO user_change (domain, unregister) VALUES (former ->> 'name', gone);
        END IF;
    WHEN 'domain_param', 'domain_variable' THEN
        INSERT INTO user_change (domain, unregister)
        SELECT DISTINCT r.of ->> 'domain', false
        FROM (VALUES (former), (changed)) r (of)
        WHERE r.of IS NOT NULL;
    WHEN 'tenant' THEN
        IF NOT coalesce((changed ->> 'enabled')::boolean, true) THEN
            INSERT INTO user_change (domain, unregister) SELECT d.name, true FROM domain d WHERE d.tenant = changed ->> 'name';
        END IF;
    ELSE
        NULL;
    END CASE;
    RETURN NULL;
END $$;

-- The journals, and what servers know of their switches, are each cluster's
-- own: rows of them that arrive by replication are left out. Their transactions
-- mean nothing here, and their keys would stop the replication. What a trigger
-- here writes meanwhile is one level deeper, and stays.
CREATE FUNCTION keep_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END $$;

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.proname IN ('note_replicated', 'keep_own') AND p.pronamespace = current_schema::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path TO %I, pg_temp', t.name, current_schema);
    END LOOP;
    -- The arguments of a trigger are kept as text, each with a zero byte behind it.
    FOR t IN SELECT tell.tgrelid::regclass AS relation,
            encode(substring(tell.tgargs FROM 1 FOR length(tell.tgargs) - 1), 'escape') AS kind,
            string_to_array(rtrim(replace(encode(note.tgargs, 'escape'), '\000', ' ')), ' ') AS columns
        FROM pg_trigger tell
        JOIN pg_class c ON c.oid = tell.tgrelid AND c.relnamespace = current_schema::regnamespace
        LEFT JOIN pg_trigger note ON note.tgrelid = tell.tgrelid AND note.tgname = 'note_insert'
        WHERE tell.tgname = 'tell_servers' LOOP
        EXECUTE format('CREATE TRIGGER replicated AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION note_replicated(%s)',
            t.relation, (SELECT string_agg(quote_literal(a), ', ' ORDER BY n) FROM unnest(t.kind || t.columns) WITH ORDINALITY x (a, n)));
        EXECUTE format('ALTER TABLE %s ENABLE REPLICA TRIGGER replicated', t.relation);
    END LOOP;
    FOR t IN SELECT unnest(ARRAY['change', 'user_change', 'node_state', 'node_fetch'])::regclass AS relation LOOP
        EXECUTE format('CREATE TRIGGER keep_own BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keep_own()', t.relation);
        EXECUTE format('ALTER TABLE %s ENABLE REPLICA TRIGGER keep_own', t.relation);
    END LOOP;
END $$;
-- +goose StatementEnd
