-- +goose Up

-- What the schema's functions call by name is the schema's, whatever the
-- session looks through first: a search_path of its own, or a temporary table
-- that bears the name of one here, neither breaks an edit nor gets past a
-- refusal.

-- +goose StatementBegin
DO $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema::regnamespace
            AND p.proname IN ('refuse', 'wrapped', 'readable', 'named_in_ascii', 'keep_common_node',
                'domain_user_names_differ', 'domain_user_variable_fits', 'compile_extension', 'compile_extensions',
                'compile_all_extensions', 'number_fits', 'context_fits', 'extension_fits', 'context_extension_fits',
                'domain_fits', 'action_fits', 'revise_gateway', 'revise_gateways', 'revise_all_gateways', 'tell_servers', 'date_password') LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path TO %I, pg_temp', f.name, current_schema);
    END LOOP;
END $$;
-- +goose StatementEnd
