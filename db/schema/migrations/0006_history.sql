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
    new      jsonb
) PARTITION BY RANGE (at);
CREATE INDEX edit_row_edit ON edit_row (edit, id);
CREATE INDEX edit_row_key ON edit_row (relation, key, id);
COMMENT ON TABLE  edit_row          IS 'Written by triggers: each row that an edit changed. It holds secrets; the view history masks them.';
COMMENT ON COLUMN edit_row.id       IS 'Of two changes of one row, the later has the higher.';
COMMENT ON COLUMN edit_row.edit     IS 'The edit.';
COMMENT ON COLUMN edit_row.at       IS 'When the transaction began.';
COMMENT ON COLUMN edit_row.relation IS 'The table.';
COMMENT ON COLUMN edit_row.key      IS 'The values of the row''s primary key, separated by blanks. Of a number, the number comes first.';
COMMENT ON COLUMN edit_row.old      IS 'The row before. NULL: there was none.';
COMMENT ON COLUMN edit_row.new      IS 'The row after. NULL: it was deleted.';

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
                CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
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
-- else: it is another one in each row of the history, and nobody can have marks of
-- guesses made.
CREATE TABLE mask_key (key uuid NOT NULL DEFAULT gen_random_uuid());
INSERT INTO mask_key DEFAULT VALUES;
COMMENT ON TABLE  mask_key     IS 'Written by xmlcurld: what the view history masks secrets with.';
COMMENT ON COLUMN mask_key.key IS 'Random. Whoever knows it could try which secret has which mark.';

-- +goose StatementBegin
CREATE FUNCTION is_secret(name text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT name ~* '(pass(word|wd|phrase)?|secret|a1.hash|token|pin|dsn|credentials?|api.?key|private.?key)$'
$$;

CREATE FUNCTION mark_of(secret text, salt text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT 'secret:' || left(encode(sha256(convert_to(salt || secret, 'UTF8')), 'hex'), 4)
$$;

-- XML without the values of params that are secrets, and without passwords in URLs.
CREATE FUNCTION without_secrets(body text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT regexp_replace(regexp_replace(regexp_replace(body,
        '(name\s*=\s*["''][^"'']*(?:pass(?:word|wd|phrase)?|secret|a1.hash|token|pin|dsn|credentials?|key)["''][^>]*?value\s*=\s*["''])[^"'']*', '\1secret', 'gi'),
        '(value\s*=\s*["''])[^"'']*(["''][^>]*?name\s*=\s*["''][^"'']*(?:pass(?:word|wd|phrase)?|secret|a1.hash|token|pin|dsn|credentials?|key)["''])', '\1secret\2', 'gi'),
        '(://[^\s:/@"'']*:)[^\s@"'']*@', '\1secret@', 'g')
$$;

-- The columns that PostgreSQL makes of others.
CREATE FUNCTION made_columns() RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
    SELECT '{asks,compiled,password_xid,revision,revision_key}'::text[]
$$;

-- What people write of a row.
CREATE FUNCTION written(row_ jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT row_ - made_columns()
$$;

CREATE FUNCTION masked(row_ jsonb, salt text) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT jsonb_object_agg(c.key, CASE
        WHEN jsonb_typeof(c.value) <> 'string' THEN c.value
        WHEN is_secret(CASE WHEN c.key = 'value' THEN row_ ->> 'name' ELSE c.key END) OR c.key = 'password_hash' THEN to_jsonb(mark_of(c.value #>> '{}', salt))
        WHEN c.key = 'body' THEN to_jsonb(without_secrets(c.value #>> '{}'))
        ELSE c.value END)
    FROM jsonb_each(written(row_)) c
$$;

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
    tenant_of(r.relation, coalesce(r.new, r.old)) COLLATE "C" AS tenant, masked(r.old, k.salt) AS old, masked(r.new, k.salt) AS new, r.id
FROM edit_row r
JOIN edit e ON e.id = r.edit AND e.at = r.at
CROSS JOIN LATERAL (SELECT (SELECT key FROM mask_key ORDER BY key LIMIT 1)::text || r.id) k (salt)
WHERE written(r.old) IS DISTINCT FROM written(r.new);
COMMENT ON VIEW history IS 'Every committed change of a row that reaches FreeSWITCH: when, by whom, why, the row before and after, with marks in place of secrets. Who may not read the tables may be granted SELECT on this.';

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
