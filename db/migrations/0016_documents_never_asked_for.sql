-- +goose Up

-- FreeSWITCH reads these before mod_xml_curl is there to ask, and not again: a
-- row of theirs would never be in force.

ALTER TABLE document ADD CONSTRAINT document_is_asked_for CHECK (section <> 'configuration'
    OR lower(name COLLATE "C") NOT IN ('switch.conf', 'modules.conf', 'pre_load_modules.conf', 'msrp.conf', 'speex.conf', 'console.conf', 'logfile.conf', 'xml_curl.conf') OR refuse(
    format('FreeSWITCH reads %s before it asks this server', name),
    CASE lower(name COLLATE "C")
        WHEN 'switch.conf' THEN 'Use node, switch_param and switch_variable. What FreeSWITCH needs before its first question, such as core-db-dsn, belongs in the bootstrap''s own switch.conf.'
        WHEN 'modules.conf' THEN 'Use table module.'
        WHEN 'pre_load_modules.conf' THEN 'Use table module. A module that has to be there earlier belongs in the bootstrap''s own pre_load_modules.conf.'
        ELSE 'Write it into the bootstrap''s own files, in autoload_configs.'
    END)) NOT VALID;

-- +goose StatementBegin
DO $$
DECLARE
    names text;
BEGIN
    SELECT string_agg(DISTINCT name, ', ') INTO names FROM document
    WHERE section = 'configuration'
        AND lower(name COLLATE "C") IN ('switch.conf', 'modules.conf', 'pre_load_modules.conf', 'msrp.conf', 'speex.conf', 'console.conf', 'logfile.conf', 'xml_curl.conf');
    IF names IS NOT NULL THEN
        RAISE WARNING 'FreeSWITCH reads % before it asks this server: these rows of table document are never in force', names
            USING HINT = 'Move their settings to the tables or to the bootstrap''s own files, and delete them.';
    END IF;
END $$;
-- +goose StatementEnd
