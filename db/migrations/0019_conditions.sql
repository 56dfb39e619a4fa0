-- +goose Up

-- All that FreeSWITCH's dialplan knows of conditions, as rows, so that a
-- template with them can take a tenant's values; and extensions that every
-- call of a context gets.

-- Time conditions -------------------------------------------------------------

-- FreeSWITCH reads as much of a value as it understands and says nothing about
-- the rest, so that a value with a slip matches never, or at another time.
-- +goose StatementBegin
CREATE FUNCTION time_reads(attribute text, value text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    -- A number may have blanks before it, where strtol skips them, and none behind it, where it stops.
    list CONSTANT text := '^ *[0-9]{1,4}(- *[0-9]{1,4})?(, *[0-9]{1,4}(- *[0-9]{1,4})?)*$';
    clock CONSTANT text := ' *(([01]?[0-9]|2[0-3])(:[0-5]?[0-9]){1,2}|24:00(:00)?) *';
    moment CONSTANT text := '([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( *[0-9]{1,2}(:[0-9]{1,2}){0,2})?|[0-9]{14}) *';
    lowest integer;
    highest integer;
    example text;
    fine boolean;
BEGIN
    IF value IS NULL THEN
        RETURN true;
    END IF;
    CASE attribute
        WHEN 'wday' THEN
            fine := value ~* '^([1-7]|sun|mon|tue|wed|thu|fri|sat)(-([1-7]|sun|mon|tue|wed|thu|fri|sat))?(,([1-7]|sun|mon|tue|wed|thu|fri|sat)(-([1-7]|sun|mon|tue|wed|thu|fri|sat))?)*$';
            example := 'days of the week without blanks, 1 = Sunday or three letters, as 2-6, mon-fri or mon,wed';
        WHEN 'time_of_day' THEN
            fine := value ~ format('^%1$s-%1$s(,%1$s-%1$s)*$', clock);
            example := 'ranges from 00:00 to 24:00 with minutes, as 09:00-17:00 or 08:00-12:00,13:00-17:00';
        WHEN 'date_time' THEN
            fine := value ~ format('^%1$s~%1$s(,%1$s~%1$s)*$', moment) AND date_times_read(value);
            example := 'a beginning and a later end with ~ between them, as 2026-12-24 12:00~2027-01-02 23:59';
        WHEN 'tz_offset' THEN
            fine := value ~ '^(-?([0-9]|1[0-2])|\+?([0-9]|1[0-4]))$';
            example := 'one offset from UTC in whole hours from -12 to 14, as 2 or -5';
        ELSE
            SELECT l, h, e INTO STRICT lowest, highest, example FROM (VALUES
                ('year', 1970, 9999, '2026 or 2026-2028'),
                ('yday', 1, 366, '1-90 or 359,360'),
                ('mon', 1, 12, '1-3 or 6,12'),
                ('mday', 1, 31, '1-15 or 1,15'),
                ('week', 1, 53, '1-26 or 52'),
                ('mweek', 1, 6, '1 or 2-3'),
                ('hour', 0, 23, '9-16 or 18-8, which is overnight'),
                ('minute', 0, 59, '0-29 or 0,30'),
                ('minute_of_day', 1, 1440, '541-1020, where 1 is the minute after midnight')
            ) v (a, l, h, e) WHERE a = attribute;
            fine := value ~ list AND NOT EXISTS (
                SELECT FROM regexp_matches(value, '[0-9]+', 'g') m WHERE m[1]::integer NOT BETWEEN lowest AND highest);
            example := format('numbers from %s to %s, as %s', lowest, highest, example);
    END CASE;
    IF NOT fine THEN
        PERFORM refuse('This time condition cannot be read',
            format('FreeSWITCH does not read %L as %s, or reads another time. Write %s.', value, attribute, example));
    END IF;
    RETURN true;
END $$;

CREATE FUNCTION date_times_read(value text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    span text;
    ends timestamp[];
BEGIN
    FOREACH span IN ARRAY string_to_array(value, ',') LOOP
        SELECT array_agg(make_timestamp(m[1]::integer, m[2]::integer, m[3]::integer,
            coalesce(nullif(m[4], ''), '0')::integer, coalesce(nullif(m[5], ''), '0')::integer, coalesce(nullif(m[6], ''), '0')::integer) ORDER BY n)
        INTO ends
        FROM unnest(string_to_array(span, '~')) WITH ORDINALITY u (moment, n)
        CROSS JOIN LATERAL regexp_match(moment, CASE
            WHEN moment ~ '^[0-9]{14}' THEN '^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})'
            ELSE '^([0-9]+)-([0-9]+)-([0-9]+) *([0-9]*):?([0-9]*):?([0-9]*)'
        END) m;
        IF NOT coalesce(ends[1] < ends[2], false) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
    RETURN false;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION time_reads IS 'Refuses a value of a time condition that FreeSWITCH cannot read, or reads as something else.';
COMMENT ON FUNCTION date_times_read IS 'Whether each range of date-time= has two moments that exist, the earlier one first.';

ALTER TABLE condition
    ADD parent         smallint,
    ADD regex          text,
    ADD require_nested boolean NOT NULL DEFAULT true,
    ADD year           text,
    ADD yday           text,
    ADD week           text,
    ADD mweek          text,
    ADD hour           text,
    ADD minute         text,
    ADD minute_of_day  text,
    ADD tz_offset      text,
    ADD dst            boolean,
    DROP CONSTRAINT condition_time,
    ADD FOREIGN KEY (extension, parent) REFERENCES condition ON UPDATE CASCADE ON DELETE CASCADE,
    ADD CONSTRAINT condition_parent CHECK (coalesce(parent < position, true) OR refuse(
        format('Condition %s cannot stand in condition %s', position, parent), 'A condition stands in one with a smaller position. Renumber them.')),
    ADD CONSTRAINT condition_regex CHECK (coalesce(regex IN ('all', 'any', 'xor'), true) OR refuse(
        format('%L is no way to count expressions', regex), 'Write all, any or xor, which is exactly one; and the expressions into table condition_regex.')),
    ADD CONSTRAINT condition_regex_instead_of_field CHECK (regex IS NULL OR num_nonnulls(field, expression) = 0 OR refuse(
        'A condition with regex has its fields and expressions in table condition_regex', 'Set field and expression to NULL, or regex.')),
    ADD CONSTRAINT condition_dst CHECK (coalesce(dst, true) OR refuse(
        'FreeSWITCH never matches dst = false', 'Write dst = true, and anti-actions for the rest of the year.')),
    ADD CONSTRAINT condition_new_times CHECK (time_reads('year', year) AND time_reads('yday', yday) AND time_reads('week', week)
        AND time_reads('mweek', mweek) AND time_reads('hour', hour) AND time_reads('minute', minute)
        AND time_reads('minute_of_day', minute_of_day) AND time_reads('tz_offset', tz_offset)),
    -- Rows from before stay as they are, and FreeSWITCH reads them as it did.
    ADD CONSTRAINT condition_times CHECK (time_reads('wday', wday) AND time_reads('mday', mday) AND time_reads('mon', mon)
        AND time_reads('time_of_day', time_of_day) AND time_reads('date_time', date_time)) NOT VALID;
CREATE INDEX condition_parent ON condition (extension, parent);
COMMENT ON COLUMN condition.parent         IS 'The condition (its position) that this one stands in. It is evaluated when that one is true.';
COMMENT ON COLUMN condition.regex          IS 'condition regex=: all, any or xor (exactly one) of the rows in condition_regex must match. It takes the place of field and expression.';
COMMENT ON COLUMN condition.require_nested IS 'condition require-nested=: false means that the conditions in this one need not be true for the next one to be evaluated.';
COMMENT ON COLUMN condition.wday           IS 'condition wday=: days of the week, 1 = Sunday, as 2-6 or mon-fri. Beside field and expression, a match of either one is enough for FreeSWITCH; the same holds for all columns of time.';
COMMENT ON COLUMN condition.mday           IS 'condition mday=: days of the month, as 1-15. In each list of numbers a range that goes down means the rest: 20-10 is all but 11 to 19.';
COMMENT ON COLUMN condition.mon            IS 'condition mon=: months, as 1-3.';
COMMENT ON COLUMN condition.year           IS 'condition year=, as 2026-2028.';
COMMENT ON COLUMN condition.yday           IS 'condition yday=: days of the year from 1 to 366.';
COMMENT ON COLUMN condition.week           IS 'condition week=: weeks of the year, counted in sevens from 1 January.';
COMMENT ON COLUMN condition.mweek          IS 'condition mweek=: weeks of the month from 1 to 6, each beginning on a Sunday.';
COMMENT ON COLUMN condition.hour           IS 'condition hour=, as 9-16, which ends at 16:59.';
COMMENT ON COLUMN condition.minute         IS 'condition minute=: minutes of the hour, as 0-29.';
COMMENT ON COLUMN condition.minute_of_day  IS 'condition minute-of-day=: minutes of the day from 1 to 1440, as 541-1020, which is 09:00 to 16:59.';
COMMENT ON COLUMN condition.tz_offset      IS 'condition tz-offset=: true where the call''s time zone is so many hours from UTC, as 2 or -5.';
COMMENT ON COLUMN condition.dst            IS 'condition dst=: true while the switch''s own time zone has daylight saving time.';

CREATE TABLE condition_regex (
    extension     label         NOT NULL,
    condition     smallint      NOT NULL,
    position      smallint      NOT NULL,
    field         setting_value,
    expression    setting_value,
    expand        boolean       NOT NULL DEFAULT false,
    wday          text,
    mday          text,
    mon           text,
    time_of_day   text,
    date_time     text,
    year          text,
    yday          text,
    week          text,
    mweek         text,
    hour          text,
    minute        text,
    minute_of_day text,
    tz_offset     text,
    dst           boolean,
    PRIMARY KEY (extension, condition, position),
    FOREIGN KEY (extension, condition) REFERENCES condition ON UPDATE CASCADE ON DELETE CASCADE,
    CONSTRAINT condition_regex_field_and_expression CHECK (num_nonnulls(field, expression) <> 1 OR refuse(
        'An expression of a condition needs its field, and a field its expression', 'Set both, or neither and columns of time.')),
    CONSTRAINT condition_regex_field_or_time CHECK (field IS NULL
        OR num_nonnulls(wday, mday, mon, time_of_day, date_time, year, yday, week, mweek, hour, minute, minute_of_day, tz_offset, dst) = 0 OR refuse(
        'Beside a field FreeSWITCH does not look at the time here', 'Make two rows of it, one with field and expression, one with the time.')),
    CONSTRAINT condition_regex_says_something CHECK (
        num_nonnulls(field, wday, mday, mon, time_of_day, date_time, year, yday, week, mweek, hour, minute, minute_of_day, tz_offset, dst) > 0 OR refuse(
        'This row of condition_regex holds nothing to match', 'Set field and expression, or columns of time.')),
    CONSTRAINT condition_regex_dst CHECK (coalesce(dst, true) OR refuse(
        'FreeSWITCH never matches dst = false', 'Write dst = true, and anti-actions for the rest of the year.')),
    CONSTRAINT condition_regex_times CHECK (time_reads('wday', wday) AND time_reads('mday', mday) AND time_reads('mon', mon)
        AND time_reads('time_of_day', time_of_day) AND time_reads('date_time', date_time)
        AND time_reads('year', year) AND time_reads('yday', yday) AND time_reads('week', week)
        AND time_reads('mweek', mweek) AND time_reads('hour', hour) AND time_reads('minute', minute)
        AND time_reads('minute_of_day', minute_of_day) AND time_reads('tz_offset', tz_offset))
);
COMMENT ON TABLE  condition_regex               IS 'What a condition with regex counts: expressions and times, of which all, any or exactly one must match.';
COMMENT ON COLUMN condition_regex.position      IS 'They are tried in this order.';
COMMENT ON COLUMN condition_regex.field         IS 'regex field=, as field of condition.';
COMMENT ON COLUMN condition_regex.expression    IS 'regex expression=: a regular expression. FreeSWITCH expands ${…} in it.';
COMMENT ON COLUMN condition_regex.expand        IS 'true: $${name} in field and expression is replaced by the switch''s global variable. For the tables'' owner and members of role xmlcurld_operator only.';
COMMENT ON COLUMN condition_regex.wday          IS 'regex wday=, as wday of condition.';
COMMENT ON COLUMN condition_regex.mday          IS 'regex mday=, as mday of condition.';
COMMENT ON COLUMN condition_regex.mon           IS 'regex mon=, as mon of condition.';
COMMENT ON COLUMN condition_regex.time_of_day   IS 'regex time-of-day=, as time_of_day of condition.';
COMMENT ON COLUMN condition_regex.date_time     IS 'regex date-time=, as date_time of condition.';
COMMENT ON COLUMN condition_regex.year          IS 'regex year=, as year of condition.';
COMMENT ON COLUMN condition_regex.yday          IS 'regex yday=, as yday of condition.';
COMMENT ON COLUMN condition_regex.week          IS 'regex week=, as week of condition.';
COMMENT ON COLUMN condition_regex.mweek         IS 'regex mweek=, as mweek of condition.';
COMMENT ON COLUMN condition_regex.hour          IS 'regex hour=, as hour of condition.';
COMMENT ON COLUMN condition_regex.minute        IS 'regex minute=, as minute of condition.';
COMMENT ON COLUMN condition_regex.minute_of_day IS 'regex minute-of-day=, as minute_of_day of condition.';
COMMENT ON COLUMN condition_regex.tz_offset     IS 'regex tz-offset=, as tz_offset of condition.';
COMMENT ON COLUMN condition_regex.dst           IS 'regex dst=, as dst of condition.';

CREATE TRIGGER operator_expands BEFORE INSERT OR UPDATE ON condition_regex FOR EACH ROW WHEN (NEW.expand) EXECUTE FUNCTION operator_expands();
CREATE TRIGGER tell_servers AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON condition_regex FOR EACH STATEMENT EXECUTE FUNCTION tell_servers('dialplan');
CREATE TRIGGER compile_inserted AFTER INSERT ON condition_regex REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION compile_extensions();
CREATE TRIGGER compile_updated AFTER UPDATE ON condition_regex REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION compile_extensions();
CREATE TRIGGER compile_moved AFTER UPDATE ON condition_regex REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION compile_extensions();
CREATE TRIGGER compile_deleted AFTER DELETE ON condition_regex REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION compile_extensions();
CREATE TRIGGER compile_truncated AFTER TRUNCATE ON condition_regex FOR EACH STATEMENT EXECUTE FUNCTION compile_all_extensions();
ALTER TABLE condition_regex ENABLE ALWAYS TRIGGER compile_inserted;
ALTER TABLE condition_regex ENABLE ALWAYS TRIGGER compile_updated;
ALTER TABLE condition_regex ENABLE ALWAYS TRIGGER compile_moved;
ALTER TABLE condition_regex ENABLE ALWAYS TRIGGER compile_deleted;
ALTER TABLE condition_regex ENABLE ALWAYS TRIGGER compile_truncated;

-- FreeSWITCH looks at expressions only where regex says how to count them.
-- +goose StatementBegin
CREATE FUNCTION condition_regex_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at condition;
BEGIN
    IF TG_TABLE_NAME = 'condition_regex' THEN
        SELECT c.* INTO at FROM condition c WHERE c.extension = NEW.extension AND c.position = NEW.condition FOR SHARE;
    ELSE
        SELECT c.* INTO at FROM condition c JOIN condition_regex x ON x.extension = c.extension AND x.condition = c.position
        WHERE c.extension = NEW.extension AND c.position = NEW.position LIMIT 1;
    END IF;
    IF FOUND AND at.regex IS NULL THEN
        PERFORM refuse(format('Condition %s of extension %s does not say how many of its expressions must match', at.position, at.extension),
            'Set regex of the condition to all, any or xor.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER condition_regex_fits AFTER INSERT OR UPDATE ON condition_regex FOR EACH ROW EXECUTE FUNCTION condition_regex_fits();
CREATE TRIGGER condition_regex_fits AFTER UPDATE OF regex ON condition FOR EACH ROW WHEN (NEW.regex IS NULL) EXECUTE FUNCTION condition_regex_fits();

-- Extensions for every call of a context ----------------------------------------

ALTER TABLE context_extension ADD after_number boolean NOT NULL DEFAULT false;
COMMENT ON TABLE  context_extension              IS 'Extensions of a context that match by their own conditions. They are asked, in order, for a number that is not in table number. For one that is, those that have continue stand before the number''s own extension, and those with after_number behind it.';
COMMENT ON COLUMN context_extension.after_number IS 'true: for a number of table number it stands behind the number''s own extension, and is asked where that one has continue or does not match to the end.';

ALTER TABLE context ADD every_call boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN context.every_call IS 'Written by triggers: whether context_extension holds something for calls to numbers of table number, so that other calls need not look.';

-- +goose StatementBegin
CREATE FUNCTION find_every_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Once it holds the row: of two transactions the later one sees the earlier one's.
    NEW.every_call := EXISTS (
        SELECT FROM context_extension x
        JOIN extension e ON e.name = x.extension
        WHERE x.context = NEW.name AND x.enabled AND (x.after_number OR e.continue));
    RETURN NEW;
END $$;

CREATE FUNCTION every_call_of_contexts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- An extension's continue does not change meanwhile.
    PERFORM FROM extension e WHERE e.name IN (SELECT extension FROM changed) ORDER BY e.name FOR SHARE;
    UPDATE context SET every_call = false WHERE name IN (SELECT context FROM changed);
    RETURN NULL;
END $$;

CREATE FUNCTION every_call_of_extension() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE context SET every_call = false WHERE name IN (SELECT x.context FROM context_extension x WHERE x.extension = NEW.name);
    RETURN NULL;
END $$;

CREATE FUNCTION every_call_of_none() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE context SET every_call = false WHERE every_call;
    RETURN NULL;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION find_every_call IS 'Sets every_call of a context.';

CREATE TRIGGER find_every_call BEFORE INSERT OR UPDATE ON context FOR EACH ROW EXECUTE FUNCTION find_every_call();
CREATE TRIGGER every_call_inserted AFTER INSERT ON context_extension REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION every_call_of_contexts();
CREATE TRIGGER every_call_updated AFTER UPDATE ON context_extension REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION every_call_of_contexts();
CREATE TRIGGER every_call_moved AFTER UPDATE ON context_extension REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION every_call_of_contexts();
CREATE TRIGGER every_call_deleted AFTER DELETE ON context_extension REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION every_call_of_contexts();
CREATE TRIGGER every_call_truncated AFTER TRUNCATE ON context_extension FOR EACH STATEMENT EXECUTE FUNCTION every_call_of_none();
CREATE TRIGGER every_call_changed AFTER UPDATE ON extension FOR EACH ROW WHEN (OLD.continue <> NEW.continue) EXECUTE FUNCTION every_call_of_extension();
ALTER TABLE context ENABLE ALWAYS TRIGGER find_every_call;
ALTER TABLE context_extension ENABLE ALWAYS TRIGGER every_call_inserted;
ALTER TABLE context_extension ENABLE ALWAYS TRIGGER every_call_updated;
ALTER TABLE context_extension ENABLE ALWAYS TRIGGER every_call_moved;
ALTER TABLE context_extension ENABLE ALWAYS TRIGGER every_call_deleted;
ALTER TABLE context_extension ENABLE ALWAYS TRIGGER every_call_truncated;
ALTER TABLE extension ENABLE ALWAYS TRIGGER every_call_changed;

-- +goose StatementBegin
CREATE FUNCTION around_number(room text, own text) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT array_agg(x.compiled ORDER BY x.place, x.position, x.extension)
        FROM (
            SELECT o.compiled::text, CASE WHEN x.after_number THEN 2 ELSE 0 END AS place, x.position, x.extension
            FROM context_extension x
            JOIN context c ON c.name = x.context
            JOIN extension o ON o.name = x.extension
            WHERE x.context = room
                AND x.enabled
                AND (x.after_number OR o.continue)
                AND o.name <> own
                AND coalesce(o.tenant = coalesce(c.tenant, ''), true)
            UNION ALL
            SELECT '', 1, 0, ''
        ) x
    );
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION around_number IS 'The compiled extensions that every call of a context gets, in order; the empty one stands for the number''s own, which is not among them.';

-- Values of a number in a body -----------------------------------------------------

ALTER TABLE extension ADD asks text[];
COMMENT ON COLUMN extension.asks IS 'Written by triggers: the values of a number that are filled in to the body. NULL = none; then nothing is filled in.';
COMMENT ON COLUMN extension.body IS 'Instead of rows in condition and action: the conditions as XML, as in a file. In data of its actions %{number}, %{tenant}, %{address}, %{forward_number} and %{display_name} are filled in from the number that was called, under the rules of table action.';

-- +goose StatementBegin
CREATE FUNCTION ask_body() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    all_of_it xml := wrapped(NEW.body);
    rules     text;
    a         record;
BEGIN
    NEW.asks := NULL;
    IF NEW.body IS NULL OR NOT xpath_exists('//text()[contains(., "%{")] | //@*[contains(., "%{")] | //*[contains(., "%{")]', all_of_it) THEN
        RETURN NEW;
    END IF;
    -- name() and not the name in the path: FreeSWITCH knows no namespaces.
    IF xpath_exists('//@*[contains(., "%{")][not(name() = "data" and (name(..) = "action" or name(..) = "anti-action"))]
        | //*[not(name() = "action" or name() = "anti-action")]/text()[contains(., "%{")]
        | //*[name() = "action" or name() = "anti-action"][contains(., "%{")]/*', all_of_it) THEN
        PERFORM refuse(format('In the body of extension %s a value of a number stands elsewhere than in data of an action', NEW.name),
            'There it is not filled in. Write it into data="…" of an <action> or <anti-action>, or use rows of condition and action.');
    END IF;
    -- The very rules of table action, each of which refuses by itself.
    SELECT string_agg(pg_get_expr(conbin, conrelid), ', ' ORDER BY conname) INTO rules
    FROM pg_constraint WHERE conrelid = 'action'::regclass AND contype = 'c';
    FOR a IN
        SELECT x.application, v.data
        FROM XMLTABLE('//*[name() = "action" or name() = "anti-action"]' PASSING all_of_it
            COLUMNS application text PATH '@application', attribute text PATH '@data', inside text PATH 'string(.)') x
        CROSS JOIN LATERAL (VALUES (x.attribute), (x.inside)) v (data)
        WHERE v.data LIKE '%\%{%'
    LOOP
        EXECUTE format('SELECT %s FROM jsonb_populate_record(NULL::action, $1)', rules)
            USING jsonb_build_object('extension', NEW.name, 'position', 1, 'application', coalesce(a.application, ''), 'data', a.data,
                'inline', false, 'anti', false, 'expand', false);
        NEW.asks := ARRAY(SELECT unnest(NEW.asks) UNION SELECT m[1] FROM regexp_matches(a.data, '%\{([a-z_]+)\}', 'g') m ORDER BY 1);
    END LOOP;
    RETURN NEW;
END $$;

-- A number's statement and a body's do not pass each other: each waits for the other's row.
CREATE FUNCTION body_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n record;
BEGIN
    IF EXISTS (SELECT FROM context_extension x WHERE x.extension = NEW.name)
        OR EXISTS (SELECT FROM context c WHERE c.not_found_extension = NEW.name) THEN
        PERFORM refuse(format('Extension %s stands in a context for numbers that nobody has, so nothing can be filled in', NEW.name),
            'Write the value itself.');
    END IF;
    SELECT x.number, a.asked INTO n
    FROM number x
    CROSS JOIN LATERAL unnest(NEW.asks) a (asked)
    WHERE x.extension = NEW.name AND to_jsonb(x) ->> a.asked IS NULL
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(format('The body of extension %s asks for what number %s does not have: %s', NEW.name, n.number, n.asked),
            'Fill in the numbers of the extension first.');
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION number_fits_body() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n record;
BEGIN
    PERFORM FROM extension e WHERE e.name IN (SELECT extension FROM changed) AND e.body IS NOT NULL ORDER BY e.name FOR SHARE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT x.number, x.extension, a.asked INTO n
    FROM changed x
    JOIN extension e ON e.name = x.extension
    CROSS JOIN LATERAL unnest(e.asks) a (asked)
    WHERE to_jsonb(x) ->> a.asked IS NULL
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(format('Extension %s asks for what %s does not have: %s', n.extension, n.number, n.asked),
            format('Set it in the same statement: %s.', n.asked));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION context_fits_body() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    used label := CASE TG_TABLE_NAME WHEN 'context' THEN to_jsonb(NEW) ->> 'not_found_extension' ELSE to_jsonb(NEW) ->> 'extension' END;
BEGIN
    PERFORM FROM extension e WHERE e.name = used AND e.body IS NOT NULL FOR SHARE;
    IF EXISTS (SELECT FROM extension e WHERE e.name = used AND e.asks IS NOT NULL) THEN
        PERFORM refuse(format('The body of extension %s is filled in from a number, and here it is for numbers that nobody has', used),
            'Let numbers pick it, or write the values into its body.');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION ask_body IS 'Sets asks of an extension, and refuses a body in which a value of a number stands where it may not.';

CREATE TRIGGER ask_body BEFORE INSERT OR UPDATE OF body, asks ON extension FOR EACH ROW EXECUTE FUNCTION ask_body();
ALTER TABLE extension ENABLE ALWAYS TRIGGER ask_body;
CREATE TRIGGER body_fits AFTER INSERT OR UPDATE OF body ON extension FOR EACH ROW WHEN (NEW.asks IS NOT NULL) EXECUTE FUNCTION body_fits();
CREATE TRIGGER inserted_number_fits_body AFTER INSERT ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_fits_body();
CREATE TRIGGER updated_number_fits_body AFTER UPDATE ON number REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION number_fits_body();
CREATE TRIGGER context_fits_body AFTER INSERT OR UPDATE OF extension ON context_extension FOR EACH ROW EXECUTE FUNCTION context_fits_body();
CREATE TRIGGER context_fits_body AFTER INSERT OR UPDATE OF not_found_extension ON context FOR EACH ROW
    WHEN (NEW.not_found_extension IS NOT NULL) EXECUTE FUNCTION context_fits_body();

-- The extension as one value ------------------------------------------------------

-- What says nothing is left out, so that more columns make no call's answer longer to read.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION compile_extension() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.compiled := json_strip_nulls(json_build_object(
        'name', NEW.name,
        'continue', nullif(NEW.continue, false),
        'body', NEW.body::text,
        'expand', nullif(NEW.expand, false),
        'asks', NEW.asks,
        'conditions', (
            SELECT json_agg(c ORDER BY c.position)
            FROM (
                SELECT
                    p.position, k.parent, k.field, k.expression, nullif(k.expand, false) AS expand, k."break", k.regex, CASE WHEN NOT k.require_nested THEN true END AS nested_optional,
                    k.wday, k.mday, k.mon, k.time_of_day, k.date_time,
                    k.year, k.yday, k.week, k.mweek, k.hour, k.minute, k.minute_of_day, k.tz_offset, k.dst,
                    (
                        SELECT json_agg(x ORDER BY x.position)
                        FROM (
                            SELECT
                                position, field, expression, nullif(expand, false) AS expand,
                                wday, mday, mon, time_of_day, date_time,
                                year, yday, week, mweek, hour, minute, minute_of_day, tz_offset, dst
                            FROM condition_regex
                            WHERE extension = NEW.name AND condition = p.position
                        ) x
                    ) AS regexes,
                    (
                        SELECT json_agg(a ORDER BY a.position)
                        FROM (
                            SELECT position, application, data, nullif("inline", false) AS "inline", nullif(anti, false) AS anti, nullif(expand, false) AS expand
                            FROM action
                            WHERE extension = NEW.name AND coalesce(condition, 0) = p.position
                        ) a
                    ) AS actions
                FROM (SELECT 0 AS position UNION ALL SELECT position FROM condition WHERE extension = NEW.name) p
                LEFT JOIN condition k ON k.extension = NEW.name AND k.position = p.position
            ) c
        )
    ));
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    f     record;
    wrong record;
BEGIN
    FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema::regnamespace
            AND p.proname IN ('time_reads', 'date_times_read', 'condition_regex_fits', 'compile_extension',
                'find_every_call', 'every_call_of_contexts', 'every_call_of_extension', 'every_call_of_none',
                'around_number', 'ask_body', 'body_fits', 'number_fits_body', 'context_fits_body') LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path TO %I, pg_temp', f.name, current_schema);
    END LOOP;
    -- Who may edit a row needs no right to those that are looked at or locked with it.
    FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema::regnamespace
            AND p.proname IN ('condition_regex_fits', 'find_every_call', 'every_call_of_contexts', 'every_call_of_extension', 'every_call_of_none',
                'body_fits', 'number_fits_body', 'context_fits_body') LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER', f.name);
    END LOOP;
    FOR wrong IN SELECT * FROM condition LOOP
        BEGIN
            PERFORM time_reads('wday', wrong.wday) AND time_reads('mday', wrong.mday) AND time_reads('mon', wrong.mon)
                AND time_reads('time_of_day', wrong.time_of_day) AND time_reads('date_time', wrong.date_time);
        EXCEPTION WHEN check_violation THEN
            RAISE WARNING 'Condition % of extension %: this time condition cannot be read. It stays as it is; write its row anew.', wrong.position, wrong.extension;
        END;
    END LOOP;
    FOR wrong IN SELECT * FROM extension WHERE body IS NOT NULL LOOP
        BEGIN
            UPDATE extension SET body = body WHERE name = wrong.name;
        EXCEPTION WHEN check_violation THEN
            RAISE WARNING 'Extension %: % Nothing is filled in to its body, as before; write the body anew.', wrong.name, SQLERRM || '.';
        END;
    END LOOP;
END $$;
-- +goose StatementEnd

UPDATE extension SET compiled = NULL;
UPDATE context SET every_call = false;
