-- +goose Up

-- A registration that was made with a former password ends, however long ago
-- a server last saw the switch: what is noted in user_change is kept for a day.

ALTER TABLE domain_user ADD password_xid xid8;
ALTER TABLE domain_user ALTER password_xid SET DEFAULT pg_current_xact_id(); -- those that are there do not change by this
COMMENT ON COLUMN domain_user.password_xid IS 'Made by Postgres: the transaction since which the user has its names and its password. NULL: since before the column.';

-- +goose StatementBegin
CREATE FUNCTION date_password() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.password_xid := pg_current_xact_id();
    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER date_password BEFORE UPDATE ON domain_user FOR EACH ROW
    WHEN ((OLD.domain, OLD.id, OLD.number_alias, OLD.password, OLD.a1_hash)
        IS DISTINCT FROM (NEW.domain, NEW.id, NEW.number_alias, NEW.password, NEW.a1_hash))
    EXECUTE FUNCTION date_password();
