-- +goose Up

-- What changed, for whoever keeps a copy: a server answers from its copy when
-- Postgres does not answer.

CREATE TABLE change (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid      xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at       timestamptz NOT NULL DEFAULT now(),
    relation text        NOT NULL,
    scope    text        NOT NULL DEFAULT '',
    key      text
);
CREATE INDEX change_xid ON change (xid);
COMMENT ON TABLE  change          IS 'Written by triggers, read by xmlcurld: rows that its copy has to read again. Kept for a day.';
COMMENT ON COLUMN change.xid      IS 'The transaction: a reader takes what its last snapshot did not show, so that one which was held open is not missed.';
COMMENT ON COLUMN change.at       IS 'When the transaction began.';
COMMENT ON COLUMN change.relation IS 'The table.';
COMMENT ON COLUMN change.scope    IS 'The context of a number, the domain of a user or of a setting; of other tables empty.';
COMMENT ON COLUMN change.key      IS 'What the row is known by within its scope. NULL = any row of the table.';

-- Whoever may edit a row may have it noted: a tenant's role needs no right to
-- this table, nor to user_change.
-- +goose StatementBegin
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most    CONSTANT integer := 20000; -- a statement that changes more is noted as one that changes all
    changed CONSTANT text := CASE TG_OP
        WHEN 'INSERT' THEN 'TABLE changed'
        WHEN 'DELETE' THEN 'TABLE former'
        ELSE 'TABLE former UNION ALL TABLE changed'
    END;
    rows    bigint := 0;
BEGIN
    IF TG_OP = 'TRUNCATE' OR TG_NARGS = 0 THEN
        INSERT INTO change (relation) VALUES (TG_TABLE_NAME);
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT count(*) FROM (SELECT FROM (%s) x LIMIT %s) x', changed, most + 1) INTO rows;
    IF rows > most THEN
        INSERT INTO change (relation) VALUES (TG_TABLE_NAME);
    ELSIF rows > 0 THEN
        EXECUTE format('INSERT INTO change (relation, scope, key) SELECT DISTINCT %L, %s, %s::text FROM (%s) x',
            TG_TABLE_NAME, CASE WHEN TG_NARGS > 1 THEN quote_ident(TG_ARGV[1]) ELSE quote_literal('') END, quote_ident(TG_ARGV[0]), changed);
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('number', '''number'', ''context'''), ('extension', '''name'''), ('tenant', '''name'''),
        ('domain', '''name'''), ('domain_param', '''domain'''), ('domain_variable', '''domain'''),
        ('domain_user', '''id'', ''domain'''), ('domain_user_param', '''user_id'', ''domain'''), ('domain_user_variable', '''user_id'', ''domain''')
    ) v (name, arguments) LOOP
        EXECUTE format('CREATE TRIGGER note_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_change(%2$s)', t.name, t.arguments);
        EXECUTE format('CREATE TRIGGER note_update AFTER UPDATE ON %1$I REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_change(%2$s)', t.name, t.arguments);
        EXECUTE format('CREATE TRIGGER note_delete AFTER DELETE ON %1$I REFERENCING OLD TABLE AS former FOR EACH STATEMENT EXECUTE FUNCTION note_change(%2$s)', t.name, t.arguments);
        EXECUTE format('CREATE TRIGGER note_truncate AFTER TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION note_change()', t.name);
    END LOOP;
    FOR t IN SELECT unnest(ARRAY[
        'node', 'node_credential', 'module', 'switch_param', 'switch_variable', 'event_socket_param', 'acl_list', 'acl_entry',
        'sofia_param', 'sip_profile', 'sip_profile_param', 'sip_profile_domain', 'sip_profile_alias',
        'gateway', 'gateway_param', 'gateway_variable', 'context', 'context_extension',
        'domain_group', 'domain_group_user', 'document'
    ]) AS name LOOP
        EXECUTE format('CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION note_change()', t.name);
    END LOOP;
    FOR t IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.proname IN ('note_change', 'note_user_update', 'note_user_delete', 'note_user_setting', 'note_domain_setting',
            'note_domain_update', 'note_domain_delete', 'note_tenant_update', 'note_all_users')
            AND p.pronamespace = current_schema::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path TO %I, pg_temp', t.name, current_schema);
    END LOOP;
END $$;
-- +goose StatementEnd
