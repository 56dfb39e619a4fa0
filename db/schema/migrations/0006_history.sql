-- +goose Up

-- Who changed what, and when: every committed change to a row that reaches
-- FreeSWITCH, with the row before and after. The triggers fire ALWAYS, as those
-- of the journal do.

SELECT set_config('search_path', format('%I, pg_temp', current_schema), true);

-- Edits and their rows --------------------------------------------------------------

CREATE TABLE edit (
    id           bigint           GENERATED ALWAYS AS IDENTITY,
    at           timestamptz      NOT NULL DEFAULT now(),
    xid          xid8             NOT NULL DEFAULT pg_current_xact_id(),
    committed_at timestamptz      NOT NULL DEFAULT clock_timestamp(),
    role         text COLLATE "C" NOT NULL,
    application  text COLLATE "C" NOT NULL DEFAULT current_setting('application_name'),
    address      inet             DEFAULT inet_client_addr(),
    reason       text COLLATE "C"
) PARTITION BY RANGE (at);
-- Not as constraints: pg_restore --clean cannot drop those of a partition.
CREATE UNIQUE INDEX edit_id ON edit (id, at);
CREATE UNIQUE INDEX edit_xid ON edit (xid, at);
CREATE INDEX edit_committed_at ON edit (committed_at);
COMMENT ON TABLE  edit              IS 'Written by triggers: each transaction that changed rows that reach FreeSWITCH. What it changed is in edit_row. Kept by month, as long as history_retention says.';
COMMENT ON COLUMN edit.id           IS 'The edit''s number, as xmlcurld history shows it and xmlcurld undo takes it.';
COMMENT ON COLUMN edit.at           IS 'When the transaction began.';
COMMENT ON COLUMN edit.xid          IS 'The transaction.';
COMMENT ON COLUMN edit.committed_at IS 'When the transaction was about to commit.';
COMMENT ON COLUMN edit.role         IS 'Who made it: the role that logged in, and the one that it took on with SET ROLE.';
COMMENT ON COLUMN edit.application  IS 'The program: its application_name.';
COMMENT ON COLUMN edit.address      IS 'Where the program ran. Empty: on the database''s own machine.';
COMMENT ON COLUMN edit.reason       IS 'Why, if it was said: SET xmlcurld.reason = ''…'', or --reason.';

CREATE TABLE edit_row (
    id       bigint           GENERATED ALWAYS AS IDENTITY,
    edit     bigint           NOT NULL,
    at       timestamptz      NOT NULL DEFAULT now(),
    relation text COLLATE "C" NOT NULL,
    key      text COLLATE "C" NOT NULL,
    old      jsonb,
    new      jsonb,
    old_node text COLLATE "C" GENERATED ALWAYS AS (nullif(old ->> 'node', '*')) STORED,
    new_node text COLLATE "C" GENERATED ALWAYS AS (nullif(new ->> 'node', '*')) STORED
) PARTITION BY RANGE (at);
CREATE INDEX edit_row_edit ON edit_row (edit, id);
CREATE INDEX edit_row_key ON edit_row (relation, key, id);
-- Few rows are of one node: others cost nothing here.
CREATE INDEX edit_row_old_node ON edit_row (old_node) WHERE old_node IS NOT NULL;
CREATE INDEX edit_row_new_node ON edit_row (new_node) WHERE new_node IS NOT NULL;
COMMENT ON TABLE  edit_row          IS 'Written by triggers: each row that an edit changed. It holds secrets; the view history masks them.';
COMMENT ON COLUMN edit_row.id       IS 'Of two changes of one row, the later has the higher.';
COMMENT ON COLUMN edit_row.edit     IS 'The edit.';
COMMENT ON COLUMN edit_row.at       IS 'When the transaction began.';
COMMENT ON COLUMN edit_row.relation IS 'The table.';
COMMENT ON COLUMN edit_row.key      IS 'The values of the row''s primary key, separated by blanks. Of a number, the number comes first.';
COMMENT ON COLUMN edit_row.old      IS 'The row before. NULL: there was none.';
COMMENT ON COLUMN edit_row.new      IS 'The row after. NULL: it was deleted.';
COMMENT ON COLUMN edit_row.old_node IS 'The node that the row was for. NULL: for all, or for none.';
COMMENT ON COLUMN edit_row.new_node IS 'The node that the row is for since. NULL: for all, or for none.';

-- Partitions -------------------------------------------------------------------------

-- A partition holds a month of UTC. It is made as a table of
-- its own and attached then, which keeps nobody from writing. Where all tables are
-- published, PostgreSQL updates none that has no replica identity.
-- +goose StatementBegin
CREATE FUNCTION history_month(moment timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT to_char(date_trunc('month', moment AT TIME ZONE 'UTC'), 'YYYY_MM')
$$;

CREATE FUNCTION make_history_months(first timestamptz, last timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    month timestamp;
    parent text;
    name_  text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('xmlcurld: history', 0));
    FOR month IN SELECT generate_series(date_trunc('month', first AT TIME ZONE 'UTC'), last AT TIME ZONE 'UTC', '1 month') LOOP
        FOREACH parent IN ARRAY '{edit,edit_row}'::text[] LOOP
            name_ := parent || '_' || history_month(month AT TIME ZONE 'UTC');
            CONTINUE WHEN to_regclass(name_) IS NOT NULL;
            EXECUTE format('
                CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED);
                ALTER TABLE %1$I REPLICA IDENTITY FULL;
                ALTER TABLE %2$I ATTACH PARTITION %1$I FOR VALUES FROM (%3$L) TO (%4$L)',
                name_, parent, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
        END LOOP;
    END LOOP;
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION make_history_months FROM PUBLIC;
COMMENT ON FUNCTION make_history_months IS 'Makes the partitions of edit and edit_row for the months between two moments. The servers call it ahead of time.';

-- Recording --------------------------------------------------------------------------

-- The number of this transaction's edit. A reason may be given at any statement.
-- +goose StatementBegin
CREATE FUNCTION this_edit() RETURNS bigint LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    given CONSTANT text := nullif(current_setting('xmlcurld.reason', true), '');
    taken CONSTANT text := nullif(current_setting('role'), 'none');
    this  bigint;
    said  text;
BEGIN
    SELECT id, reason INTO this, said FROM edit WHERE xid = pg_current_xact_id() AND at = now();
    IF NOT FOUND THEN
        IF to_regclass('edit_row_' || history_month(now())) IS NULL THEN
            PERFORM make_history_months(now(), now());
        END IF;
        INSERT INTO edit (role, reason) VALUES (session_user || coalesce(' as ' || nullif(taken, session_user), ''), given) RETURNING id INTO this;
    ELSIF given <> '' AND said IS DISTINCT FROM given THEN
        UPDATE edit SET reason = given WHERE id = this AND at = now();
    END IF;
    RETURN this;
END $$;

-- The arguments are the columns of the primary key.
CREATE FUNCTION record_edit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    key  CONSTANT text := (SELECT string_agg(format('x.%I', c), ', ' ORDER BY n) FROM unnest(TG_ARGV) WITH ORDINALITY a (c, n));
    rows CONSTANT text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT NULL::jsonb AS old, to_jsonb(x) AS new, ' || key || ' FROM changed x'
        WHEN 'DELETE' THEN 'SELECT to_jsonb(x) AS old, NULL::jsonb AS new, ' || key || ' FROM former x'
        WHEN 'TRUNCATE' THEN format('SELECT to_jsonb(x) AS old, NULL::jsonb AS new, %s FROM %I x', key, TG_TABLE_NAME)
        ELSE format('SELECT to_jsonb(o) AS old, to_jsonb(n) AS new, %s FROM former o FULL JOIN changed n USING (%s)',
            replace(key, 'x.', ''), replace(key, 'x.', '')) END;
    any_ boolean;
BEGIN
    IF TG_OP <> 'TRUNCATE' AND current_query() IS NULL AND current_setting('session_replication_role') = 'replica' THEN
        RETURN NULL; -- record_replicated has seen each row
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', CASE TG_OP WHEN 'DELETE' THEN 'former' WHEN 'TRUNCATE' THEN TG_TABLE_NAME ELSE 'changed' END) INTO any_;
    IF any_ THEN
        EXECUTE format('
            INSERT INTO edit_row (edit, relation, key, old, new)
            SELECT $1, %L, concat_ws('' '', %s), old, new
            FROM (%s OFFSET 0) x
            WHERE old IS DISTINCT FROM new', TG_TABLE_NAME, key, rows) USING this_edit();
    END IF;
    RETURN NULL;
END $$;

-- Logical replication fires statement triggers for the rows that a table begins
-- with, and none for those that follow. It has no query, by which it is known.
CREATE FUNCTION record_replicated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    former  CONSTANT jsonb := to_jsonb(OLD); -- NULL for INSERT
    changed CONSTANT jsonb := to_jsonb(NEW); -- NULL for DELETE
BEGIN
    INSERT INTO edit_row (edit, relation, key, old, new)
    SELECT this_edit(), TG_TABLE_NAME, key, CASE WHEN row_ = 'old' OR same THEN former END, CASE WHEN row_ = 'new' OR same THEN changed END
    FROM (
        SELECT row_, string_agg(of ->> c, ' ' ORDER BY n) AS key, count(*) OVER (PARTITION BY string_agg(of ->> c, ' ' ORDER BY n)) > 1 AS same
        FROM (VALUES ('old', former), ('new', changed)) r (row_, of)
        CROSS JOIN unnest(TG_ARGV) WITH ORDINALITY a (c, n)
        WHERE of IS NOT NULL
        GROUP BY row_
    ) x
    WHERE former IS DISTINCT FROM changed AND (row_ = 'old' OR NOT same);
    RETURN NULL;
END $$;

-- Deferred, it fires when the transaction commits.
CREATE FUNCTION date_edit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE edit SET committed_at = clock_timestamp() WHERE id = NEW.id AND at = NEW.at;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE CONSTRAINT TRIGGER date_edit AFTER INSERT ON edit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION date_edit();
ALTER TABLE edit ENABLE ALWAYS TRIGGER date_edit;
-- Each cluster keeps its own history, as it keeps its own journal.
CREATE TRIGGER keep_own BEFORE INSERT OR UPDATE OR DELETE ON edit FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keep_own();
CREATE TRIGGER keep_own BEFORE INSERT OR UPDATE OR DELETE ON edit_row FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keep_own();
ALTER TABLE edit ENABLE REPLICA TRIGGER keep_own;
ALTER TABLE edit_row ENABLE REPLICA TRIGGER keep_own;
SELECT make_history_months(now(), now() + interval '2 months');

-- +goose StatementBegin
DO $$
DECLARE
    t   record;
    key text;
BEGIN
    FOR t IN
        SELECT c.relname AS name, array_agg(a.attname ORDER BY c.relname = 'number' AND a.attname = 'context', k.n) AS key
        FROM pg_trigger g
        JOIN pg_class c ON c.oid = g.tgrelid AND c.relnamespace = current_schema::regnamespace
        JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        CROSS JOIN unnest(i.indkey) WITH ORDINALITY k (num, n)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num
        WHERE g.tgname = 'tell_servers'
        GROUP BY c.relname
    LOOP
        key := (SELECT string_agg(quote_literal(c), ', ' ORDER BY n) FROM unnest(t.key) WITH ORDINALITY x (c, n));
        EXECUTE format('
            CREATE TRIGGER record_insert AFTER INSERT ON %1$I REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION record_edit(%2$s);
            CREATE TRIGGER record_update AFTER UPDATE ON %1$I REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION record_edit(%2$s);
            CREATE TRIGGER record_delete AFTER DELETE ON %1$I REFERENCING OLD TABLE AS former FOR EACH STATEMENT EXECUTE FUNCTION record_edit(%2$s);
            CREATE TRIGGER record_truncate BEFORE TRUNCATE ON %1$I FOR EACH STATEMENT EXECUTE FUNCTION record_edit(%2$s);
            CREATE TRIGGER record_replicated AFTER INSERT OR UPDATE OR DELETE ON %1$I FOR EACH ROW WHEN (current_query() IS NULL) EXECUTE FUNCTION record_replicated(%2$s);
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER record_insert;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER record_update;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER record_delete;
            ALTER TABLE %1$I ENABLE ALWAYS TRIGGER record_truncate;
            ALTER TABLE %1$I ENABLE REPLICA TRIGGER record_replicated', t.name, key);
    END LOOP;
END $$;
-- +goose StatementEnd

-- Reading ----------------------------------------------------------------------------

-- A secret is shown as a mark, which tells whether an edit changed it, and nothing
-- else: it is another one in each row of the history and in each column, and nobody
-- can have marks of guesses made.
CREATE TABLE mask_key (key uuid NOT NULL DEFAULT gen_random_uuid());
INSERT INTO mask_key DEFAULT VALUES;
COMMENT ON TABLE  mask_key     IS 'Written by xmlcurld: what the view history masks secrets with.';
COMMENT ON COLUMN mask_key.key IS 'Random. Whoever knows it could try which secret has which mark.';

-- What is a secret is known by names, as internal/mask in Go knows it for answers: a
-- test of internal/plan compares the two. What is written in an unusual way is masked
-- whole. PostgreSQL keeps the plans of PL/pgSQL, and makes those of SQL for each call.
-- +goose StatementBegin
CREATE FUNCTION is_secret(name text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN CASE WHEN name COLLATE "C" ~* 'pass|pwd|secret|token|cred|auth|hash|cookie|key|conn|pin|dsn|ha1|pw|\$\$\{' THEN (
        SELECT bool_or(n <> ALL ('{pass-rfc2833,pass-callee-id,allow-empty-password,allow-empty-password-auth,password-from,event-socket-password-from}')
            AND regexp_replace(replace(n, 'bypassw', 'passw'), 'bypass|passthru|passthrough|pass-through|passive', '', 'g')
                ~ ('pass|pwd|secret|token|credential|authorization|auth-response|a1-?hash|cookie|api-?key|access-?key'
                    || '|(auth|private|license|shared|signing|encryption|crypto)-key|conn-str|connection-string|(^|[-{])(ha1|(pin|creds?|dsn|pw)[0-9]*)[-}]*$'))
        FROM (VALUES (name), (regexp_replace(name, '\$\$\{[A-Za-z0-9_.-]*\}', '', 'g'))) v (of)
        CROSS JOIN LATERAL translate(lower(of COLLATE "C"), '_.: ', '----') n
    ) ELSE false END;
END $$;

CREATE FUNCTION mark_of(secret text, salt text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
BEGIN
    RETURN 'secret:' || left(encode(sha256(convert_to(salt || E'\x1f' || secret, 'UTF8')), 'hex'), 8);
END $$;

-- A quick look, which finds too much rather than too little.
CREATE FUNCTION may_hold_secret(value text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
BEGIN
    RETURN value COLLATE "C" ~* 'pass|pwd|secret|token|cred|authori|auth.response|a1.?hash|cookie|key|conn|pin|dsn|ha1|pw|://|sips?:|[?&;](sig|auth)|conference|&#';
END $$;

CREATE FUNCTION mentions_secret(value text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
BEGIN
    RETURN EXISTS (SELECT FROM regexp_split_to_table(value, '[^A-Za-z0-9_.-]+') word WHERE is_secret(word));
END $$;

-- A text without what stands behind the name of a secret and = or a colon, and
-- without the credentials in URLs and the PINs of conferences.
CREATE FUNCTION without_secrets(value text, salt text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
DECLARE
    named   integer; -- where the name, and = or a colon, end
    before  text COLLATE "C" := value;
    secret  text COLLATE "C" := '';
    behind  text COLLATE "C" := '';
    closing text COLLATE "C"; -- what ends the brackets around it
    pattern text COLLATE "C";
    found   text[] COLLATE "C";
BEGIN
    IF NOT may_hold_secret(value) THEN
        RETURN value;
    ELSIF value ~ '<|&lt;' AND mentions_secret(value) THEN
        RETURN mark_of(value, salt);
    END IF;
    SELECT min(reach) INTO named
    FROM (
        SELECT (sum(length(part) + 1) OVER (ORDER BY n))::integer AS reach, part
        FROM regexp_split_to_table(value, '[=:]') WITH ORDINALITY s (part, n)
    ) x
    WHERE reach <= length(value)
        AND (is_secret(substring(part COLLATE "C" FROM '([A-Za-z0-9_.-]+)["'']?\s*$')) OR part COLLATE "C" ~* '[?&;](key|sig|signature|auth)["'']?\s*$');
    IF named IS NOT NULL THEN
        before := left(value, named);
        secret := substr(value, named + 1);
        closing := translate(substring(before FROM '.*([{[(])[^]})]*$'), '{[(', '}])');
        IF split_part(secret, closing, 1) <> secret AND split_part(secret, closing, 1) !~ '[][{}()''"]' THEN
            secret := split_part(secret, closing, 1);
            behind := without_secrets(substr(value, named + 1 + length(secret)), salt);
        END IF;
    END IF;
    FOREACH pattern IN ARRAY ARRAY[
        '(://)([^\s/?#]*)(@)', '(://)([^\s/?#@:]*:[^\s@/?#]*[^\s@/?#0-9][^\s@]*)(@)', '(\ysips?:[^\s@:/]*:)([^\s@/]*)(@)',
        '(\yconference[:(]\s*[^\s+,)'']*\+)([^+,)'']*)()']
    LOOP
        FOR found IN SELECT m FROM regexp_matches(before, pattern, 'gi') m WHERE m[2] <> '' LOOP
            before := replace(before, found[1] || found[2] || found[3], found[1] || mark_of(found[2], salt) || found[3]);
        END LOOP;
    END LOOP;
    RETURN before || CASE WHEN secret ~ '^\s*$' THEN secret ELSE substring(secret FROM '^\s*') || mark_of(btrim(secret, E' \t\r\n'), salt) END || behind;
END $$;

-- The data of an application: behind the first + that of conference holds a PIN.
CREATE FUNCTION data_without_secrets(application text, data text, salt text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN (SELECT CASE WHEN lower(btrim(application COLLATE "C")) = 'conference' AND pin <> ''
            THEN without_secrets(split_part(data, '+', 1), salt) || '+' || mark_of(pin, salt) || substr(behind, length(pin) + 1)
            ELSE without_secrets(data, salt) END
        FROM (SELECT substr(data, length(split_part(data, '+', 1)) + 2)) b (behind)
        CROSS JOIN LATERAL (SELECT CASE WHEN behind LIKE 'flags{%' THEN '' ELSE split_part(behind, '+flags{', 1) END) p (pin));
END $$;

-- A tag of XML. What says a secret's name, as the name of a param, is shown.
CREATE FUNCTION tag_without_secrets(tag text, salt text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
DECLARE
    named       CONSTANT text := (SELECT string_agg(m[2], ' ') FROM regexp_matches(tag, '\s(name|key|id|field|variable|var)\s*=\s*["'']([^"'']*)', 'gi') m WHERE is_secret(m[2]));
    application CONSTANT text := (regexp_match(tag, '\sapplication\s*=\s*["'']([^"'']*)', 'i'))[1];
    place       CONSTANT text := concat_ws(E'\x1f', salt, named, application);
    part        text[] COLLATE "C";
    attribute   text COLLATE "C";
    inside      text COLLATE "C";
    masked_tag  text COLLATE "C" := '';
BEGIN
    FOR part IN SELECT regexp_matches(tag, '([^"'']*)("[^"]*"|''[^'']*''|$)', 'g') LOOP
        attribute := lower(substring(part[1] FROM '([A-Za-z0-9_.-]+)\s*=\s*$'));
        inside := substr(part[2], 2, greatest(0, length(part[2]) - 2));
        masked_tag := masked_tag || part[1] || left(part[2], 1) || CASE
            WHEN inside = '' OR inside ~ '^\$\$\{[A-Za-z0-9_.-]+\}$' THEN inside
            WHEN is_secret(attribute) OR named <> '' AND attribute IN ('value', 'val', 'data', 'expression', 'default', 'param', 'content', 'text') THEN mark_of(inside, place || attribute)
            WHEN attribute = 'data' THEN data_without_secrets(application, inside, place || attribute)
            ELSE without_secrets(inside, place || attribute) END || left(part[2], 1);
    END LOOP;
    RETURN masked_tag;
END $$;

CREATE FUNCTION xml_without_secrets(body text, salt text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
DECLARE
    piece      text COLLATE "C";
    named      boolean := false; -- whether the text that follows is a secret for the name of its element
    masked_xml text COLLATE "C" := '';
BEGIN
    IF NOT may_hold_secret(body) THEN
        RETURN body;
    END IF;
    -- Names that are written with references, comments and CDATA, and elements that are secrets, are too much for this.
    IF body COLLATE "C" ~* '&#(x[4-7][0-9a-f];|6[5-9];|[789][0-9];|1[012][0-9];)' OR body ~ '<[!?]' AND mentions_secret(body)
        OR EXISTS (SELECT FROM regexp_matches(body, '<([^\s/>!?]+)', 'g') m WHERE is_secret(m[1])) THEN
        RETURN mark_of(body, salt);
    END IF;
    FOR piece IN SELECT m[1] FROM regexp_matches(body, '(<(?:[^<>"'']|"[^"]*"|''[^'']*'')*>|[^<]+|<)', 'g') m LOOP
        IF piece NOT LIKE '<%' THEN
            IF named AND piece ~ '\S' THEN
                RETURN mark_of(body, salt);
            END IF;
            masked_xml := masked_xml || without_secrets(piece, salt);
            CONTINUE;
        END IF;
        named := named AND piece NOT LIKE '</%' OR piece NOT LIKE '%/>' AND EXISTS (
            SELECT FROM regexp_matches(piece, '\s(?:name|key|id|field|variable|var)\s*=\s*["'']([^"'']*)', 'gi') m WHERE is_secret(m[1]));
        masked_xml := masked_xml || tag_without_secrets(piece, salt);
    END LOOP;
    RETURN masked_xml;
END $$;

-- The columns that PostgreSQL makes of others.
CREATE FUNCTION made_columns() RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT '{asks,compiled,password_xid,revision,revision_key}'::text[]
$$;

-- What people write of a row.
CREATE FUNCTION written(row_ jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
BEGIN
    RETURN row_ - made_columns();
END $$;

CREATE FUNCTION masked(row_ jsonb, salt text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
BEGIN
    RETURN CASE WHEN NOT may_hold_secret(row_::text) THEN written(row_)
        ELSE (SELECT jsonb_object_agg(c.key, CASE
            WHEN jsonb_typeof(c.value) <> 'string' OR value_ = '' THEN c.value
            WHEN is_secret(c.key) OR c.key IN ('value', 'expression') AND is_secret(coalesce(row_ ->> 'name', row_ ->> 'field')) THEN to_jsonb(mark_of(value_, place))
            WHEN c.key = 'body' THEN to_jsonb(xml_without_secrets(value_, place))
            WHEN c.key = 'data' THEN to_jsonb(data_without_secrets(row_ ->> 'application', value_, place))
            ELSE to_jsonb(without_secrets(value_, place)) END)
        FROM jsonb_each(written(row_)) c
        CROSS JOIN LATERAL (SELECT c.value #>> '{}', salt || E'\x1f' || c.key) v (value_, place)) END;
END $$;

-- Whose a row is: by its own column, or by what it is a part of, which may be gone.
CREATE FUNCTION tenant_of(relation text, row_ jsonb) RETURNS text
LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    whole CONSTANT text := CASE
        WHEN relation IN ('gateway_param', 'gateway_variable') THEN 'gateway'
        WHEN relation IN ('condition', 'condition_regex', 'action') THEN 'extension'
        WHEN relation = 'context_extension' THEN 'context'
        WHEN relation ~ '^domain_' THEN 'domain' END;
    name_ CONSTANT text := row_ ->> whole;
    owner text;
BEGIN
    IF relation = 'tenant' THEN
        RETURN row_ ->> 'name';
    ELSIF whole IS NULL THEN
        RETURN row_ ->> 'tenant';
    END IF;
    EXECUTE format('SELECT tenant FROM %I WHERE name = $1', whole) INTO owner USING name_;
    RETURN coalesce(owner, (SELECT old ->> 'tenant' FROM edit_row r WHERE r.relation = whole AND r.key = name_ AND r.new IS NULL ORDER BY id DESC LIMIT 1));
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION masked IS 'A row with marks in place of its secrets.';

CREATE VIEW history AS
SELECT
    r.edit, e.committed_at AS at, e.role, e.application, e.address, e.reason, r.relation, r.key,
    CASE WHEN r.old IS NULL THEN 'insert' WHEN r.new IS NULL THEN 'delete' ELSE 'update' END COLLATE "C" AS operation,
    tenant_of(r.relation, coalesce(r.new, r.old)) COLLATE "C" AS tenant, masked(r.old, k.salt) AS old, masked(r.new, k.salt) AS new, r.id, r.old_node, r.new_node
FROM edit_row r
JOIN edit e ON e.id = r.edit AND e.at = r.at
CROSS JOIN LATERAL (SELECT (SELECT key FROM mask_key ORDER BY key LIMIT 1)::text || r.id) k (salt)
WHERE written(r.old) IS DISTINCT FROM written(r.new);
COMMENT ON VIEW history IS 'Every committed change of a row that reaches FreeSWITCH: when, by whom, why, the row before and after, with marks in place of secrets. Who may not read the tables may be granted SELECT on this.';

-- What xmlcurld plan reads -----------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION this_edit_number() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT coalesce(max(id), 0) FROM edit WHERE xid = pg_current_xact_id_if_assigned() AND at = now()
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION this_edit_number IS 'The number of the edit that this transaction makes. 0: it has changed nothing.';

-- Two plans that know the same salt, xmlcurld.plan, can be compared by fingerprints.
-- Nobody can make that of a guess, and it is another one for each row. A row that
-- was inserted is known by another identity each time.
CREATE VIEW edit_in_progress AS
SELECT
    edit, relation, key,
    CASE WHEN old IS NOT DISTINCT FROM new THEN 'none' WHEN old IS NULL THEN 'insert' WHEN new IS NULL THEN 'delete' ELSE 'update' END COLLATE "C" AS operation,
    coalesce(new ->> 'tenant', old ->> 'tenant', '') COLLATE "C" AS tenant, masked(old, place) AS old, masked(new, place) AS new,
    CASE WHEN inserted THEN masked(counted, place) END AS inserted,
    sha256(convert_to(concat_ws(E'\x1f', salt, relation, coalesce(old::text, ''), coalesce(counted::text, '')), 'UTF8')) AS fingerprint
FROM (
    SELECT
        edit, relation, key, old, new, old IS NULL AND columns IS NOT NULL AS inserted, salt,
        concat_ws(E'\x1f', salt, relation, CASE WHEN old IS NOT NULL OR columns IS NULL THEN key END) AS place,
        CASE WHEN old IS NULL THEN new - coalesce(columns, '{}') ELSE new END AS counted
    FROM (
        SELECT
            edit, r.relation, key, written((array_agg(old ORDER BY id))[1]) AS old, written((array_agg(new ORDER BY id DESC))[1]) AS new
        FROM edit_row r
        WHERE at = now()
        GROUP BY edit, r.relation, key
    ) f
    LEFT JOIN (
        SELECT relname::text AS relation, array_agg(attname::text) AS columns
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attidentity <> ''
        WHERE pg_table_is_visible(c.oid)
        GROUP BY relname
    ) given USING (relation)
    CROSS JOIN (SELECT (SELECT key FROM mask_key ORDER BY key LIMIT 1)::text || coalesce(current_setting('xmlcurld.plan', true), '')) k (salt)
) x;
COMMENT ON VIEW edit_in_progress IS 'What this transaction has changed so far: each row once, as it was before and as it is now, with marks in place of secrets, and without what PostgreSQL makes itself.';

-- +goose StatementBegin
CREATE FUNCTION grant_planning(role_ name) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT c.relname AS name, string_agg(DISTINCT quote_ident(a.attname), ', ') AS columns
        FROM pg_trigger g
        JOIN pg_class c ON c.oid = g.tgrelid AND c.relnamespace = current_schema::regnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE (g.tgname = 'record_insert' OR c.relname = 'node_state') AND NOT is_secret(a.attname) AND a.attname <> 'revision_key'
        GROUP BY c.relname
    LOOP
        EXECUTE format('GRANT SELECT (%s) ON %I TO %I', t.columns, t.name, role_);
    END LOOP;
    EXECUTE format('GRANT SELECT ON history, edit_in_progress, goose_db_version TO %I', role_);
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION grant_planning IS 'Lets a role read what xmlcurld plan needs to read of an edit: of the tables all columns but those that are secrets.';

-- What was known of the switches -------------------------------------------------------

CREATE TABLE node_state_history (
    node             label              NOT NULL,
    at               timestamptz        NOT NULL DEFAULT clock_timestamp(),
    server           text COLLATE "C"   NOT NULL,
    reachable        boolean            NOT NULL,
    pending          text[] COLLATE "C" NOT NULL,
    pending_since    timestamptz,
    restart_required text[] COLLATE "C" NOT NULL,
    last_error       text COLLATE "C"   NOT NULL
);
CREATE INDEX node_state_history_at ON node_state_history (node, at);
COMMENT ON TABLE  node_state_history                  IS 'Written by triggers: what node_state said of each switch, whenever that changed. Kept as long as history_retention says.';
COMMENT ON COLUMN node_state_history.node             IS 'The node.';
COMMENT ON COLUMN node_state_history.at               IS 'Since when it was so.';
COMMENT ON COLUMN node_state_history.server           IS 'The server that took care of the switch.';
COMMENT ON COLUMN node_state_history.reachable        IS 'Whether the switch''s event socket answered.';
COMMENT ON COLUMN node_state_history.pending          IS 'What the switch did not run yet.';
COMMENT ON COLUMN node_state_history.pending_since    IS 'Since when something had been pending without a break.';
COMMENT ON COLUMN node_state_history.restart_required IS 'What the switch was to take only after a restart.';
COMMENT ON COLUMN node_state_history.last_error       IS 'What went wrong at the last look.';

-- +goose StatementBegin
CREATE FUNCTION record_node_state() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO node_state_history (node, server, reachable, pending, pending_since, restart_required, last_error)
    VALUES (NEW.node, NEW.server, NEW.reachable, NEW.pending, NEW.pending_since, NEW.restart_required, NEW.last_error);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER record_first AFTER INSERT ON node_state FOR EACH ROW EXECUTE FUNCTION record_node_state();
CREATE TRIGGER record_next AFTER UPDATE ON node_state FOR EACH ROW
    WHEN ((OLD.server, OLD.reachable, OLD.pending, OLD.pending_since, OLD.restart_required, OLD.last_error)
        IS DISTINCT FROM (NEW.server, NEW.reachable, NEW.pending, NEW.pending_since, NEW.restart_required, NEW.last_error))
    EXECUTE FUNCTION record_node_state();
CREATE TRIGGER keep_own BEFORE INSERT OR UPDATE OR DELETE ON node_state_history FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keep_own();
ALTER TABLE node_state_history ENABLE REPLICA TRIGGER keep_own;
