-- +goose Up

-- What is noted of an edit is noted as well in a session that says it replays
-- another server's (session_replication_role = replica), as tools for loading
-- and replicating do. What refuses an edit stays out of their way.
-- +goose StatementBegin
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT c.oid::regclass AS relation, g.tgname AS name
        FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
        WHERE c.relnamespace = current_schema::regnamespace AND NOT g.tgisinternal AND g.tgenabled = 'O'
            AND g.tgname ~ '^(note_|tell_servers|revise_|compile_|date_password)' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.relation, t.name);
    END LOOP;
END $$;
-- +goose StatementEnd
