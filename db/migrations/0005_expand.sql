-- +goose Up

-- $${name} is FreeSWITCH's pre-processor at work: the value of the switch's
-- global variable comes in unescaped. Nothing that is stored makes it work
-- but expand, so who may set that is not left to whoever may write the row.

-- +goose StatementBegin
CREATE FUNCTION operator_expands() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp -- a caller's own functions must not answer
AS $$
BEGIN
    IF NOT pg_has_role((SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE')
        AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'xmlcurld_operator' AND pg_has_role(oid, 'USAGE')) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = format('%s may not write a row of %s that has expand set', current_user, TG_TABLE_NAME),
            HINT = 'Leave expand false, or have the tables'' owner write it, or a role that was granted xmlcurld_operator.';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION operator_expands IS 'Refuses a row with expand to all but the tables'' owner and members of the role xmlcurld_operator, if there is one.';

CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON switch_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON switch_variable FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON event_socket_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON domain_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON domain_variable FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON domain_user_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON domain_user_variable FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON sofia_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON sip_profile_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON gateway_param FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON gateway_variable FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON extension FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON condition FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON action FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON document FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();

COMMENT ON COLUMN extension.expand IS 'true: $${name} in the body is replaced by the switch''s global variable. For the tables'' owner and members of role xmlcurld_operator only.';
COMMENT ON COLUMN document.expand  IS 'true: $${name} in the body is replaced by the switch''s global variable. For the tables'' owner and members of role xmlcurld_operator only.';
