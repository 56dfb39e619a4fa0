-- +goose Up

-- A session plans what a function asks once, and keeps to it while the table
-- grows. Of fifty thousand users of a domain in one INSERT each was compared
-- with all before it, which took minutes. Now each is looked for by the two
-- names that it must not have, in the index of each, however few there are.

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION domain_user_names_differ() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan TO off AS $$
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

-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION domain_user_names_differ() SET search_path TO %I, pg_temp', current_schema);
END $$;
-- +goose StatementEnd
