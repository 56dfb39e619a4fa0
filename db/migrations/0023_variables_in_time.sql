-- +goose Up

-- FreeSWITCH's pre-processor sets a variable before the modules are loaded, and
-- takes its value as it stands in a line between quotes.

COMMENT ON TABLE  switch_variable       IS 'Global variables of the switch: the vars.xml of a static setup. FreeSWITCH has them before it loads the modules, and takes a change at its next start.';
COMMENT ON COLUMN switch_variable.value IS 'The value. One that holds a line end, " < > or &, or more than 2000 bytes, is there only when the modules are loaded: too late for $${name} in their documents at a start.';

-- +goose StatementBegin
CREATE FUNCTION variable_comes_late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'FreeSWITCH has variable % only when its modules are loaded: what they read at a start sees it empty', NEW.name
        USING HINT = 'For it to be there in time the value may hold no line end, no " < > or &, no blank at either end, and at most 2000 bytes.';
    RETURN NULL;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION variable_comes_late() SET search_path TO %I, pg_temp', current_schema);
END $$;
-- +goose StatementEnd
CREATE TRIGGER variable_comes_late AFTER INSERT OR UPDATE ON switch_variable FOR EACH ROW
    WHEN (NEW.value ~ '[\x01-\x1f\x7f"<>&]|^ | $|^$' OR NEW.value LIKE '%$${%' AND NOT NEW.expand OR octet_length(NEW.value) > 2000)
    EXECUTE FUNCTION variable_comes_late();
