-- +goose Up

-- A backup that is restored brings back the sequence as well, and a revision
-- that was given once was given again: a switch with another gateway of the
-- same number counted as in sync. A random one never comes twice.

-- +goose StatementBegin
CREATE FUNCTION new_revision() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT ('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint * 16 + ('x' || right(gen_random_uuid()::text, 1))::bit(4)::integer
$$;

CREATE OR REPLACE FUNCTION revise_gateway() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision := new_revision();
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION revise_gateways() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gateway SET revision = new_revision() WHERE name IN (SELECT gateway FROM changed);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION revise_all_gateways() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE gateway SET revision = new_revision();
    RETURN NULL;
END $$;

DO $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema::regnamespace AND p.proname IN ('new_revision', 'revise_gateway', 'revise_gateways', 'revise_all_gateways') LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path TO %I, pg_temp', f.name, current_schema);
    END LOOP;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION new_revision IS 'A random number of 36 bits, which tells a gateway as it is from what it was before.';

ALTER TABLE gateway ALTER revision SET DEFAULT new_revision();
DROP SEQUENCE gateway_revision;
COMMENT ON COLUMN gateway.revision IS 'Another one with every change of the gateway, its parameters or its variables, and never one that was there before; variable xmlcurld_revision of the gateway.';
