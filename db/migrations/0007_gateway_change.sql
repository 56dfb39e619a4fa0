-- +goose Up

-- Gateways are noted one by one: a copy that holds thousands of them for many
-- nodes reads again those that changed, once for all nodes.

-- +goose StatementBegin
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES ('gateway', '''name'''), ('gateway_param', '''gateway'''), ('gateway_variable', '''gateway''')) v (name, arguments) LOOP
        EXECUTE format('DROP TRIGGER note_change ON %I', t.name);
        EXECUTE format('CREATE TRIGGER note_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_change(%2$s)', t.name, t.arguments);
        EXECUTE format('CREATE TRIGGER note_update AFTER UPDATE ON %1$I REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_change(%2$s)', t.name, t.arguments);
        EXECUTE format('CREATE TRIGGER note_delete AFTER DELETE ON %1$I REFERENCING OLD TABLE AS former FOR EACH STATEMENT EXECUTE FUNCTION note_change(%2$s)', t.name, t.arguments);
        EXECUTE format('CREATE TRIGGER note_truncate AFTER TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION note_change()', t.name);
    END LOOP;
END $$;
-- +goose StatementEnd
