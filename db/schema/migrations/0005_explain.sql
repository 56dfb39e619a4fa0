-- +goose Up

-- PostgreSQL refuses a duplicate key, a reference to a row that does not exist
-- and a missing value with the name of a constraint. These triggers fire first,
-- and say in words what is wrong and what to do. The constraints stay: only they
-- hold between two transactions at once.

SELECT set_config('search_path', format('%I, pg_temp', current_schema), true);

-- Words ------------------------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION noun(relation name) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT CASE relation
        WHEN 'acl_list' THEN 'access list'
        WHEN 'acl_entry' THEN 'entry of the access list'
        WHEN 'sip_profile' THEN 'SIP profile'
        WHEN 'sip_profile_domain' THEN 'domain of the SIP profile'
        WHEN 'sip_profile_alias' THEN 'alias of a SIP profile'
        WHEN 'domain_user' THEN 'user'
        WHEN 'domain_group' THEN 'group'
        WHEN 'domain_group_user' THEN 'user of the group'
        WHEN 'context_extension' THEN 'extension of the context'
        WHEN 'node_credential' THEN 'credential'
        WHEN 'switch_param' THEN 'parameter of the switch'
        WHEN 'switch_variable' THEN 'variable of the switch'
        WHEN 'event_socket_param' THEN 'parameter of the event socket'
        WHEN 'sofia_param' THEN 'parameter of all SIP profiles'
        WHEN 'sip_profile_param' THEN 'parameter of the SIP profile'
        ELSE replace(replace(regexp_replace(relation, '^(domain_user|domain|gateway)_(param|variable)$', '\2 of the \1'), 'param', 'parameter'), 'domain_user', 'user')
    END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION noun IS 'What a row of the table is called in a refusal.';

-- The values of several columns as (a, b) = (1, 2), and of one column as it stands.
-- +goose StatementBegin
CREATE FUNCTION shown(columns name[], row_ jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT CASE WHEN cardinality(columns) = 1 THEN max(row_ ->> c)
        ELSE format('(%s) = (%s)', string_agg(c, ', ' ORDER BY n), string_agg(coalesce(row_ ->> c, 'NULL'), ', ' ORDER BY n)) END
    FROM unnest(columns) WITH ORDINALITY AS x (c, n)
$$;
-- +goose StatementEnd

-- Missing values ---------------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION explain_null() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    missing name;
BEGIN
    SELECT c INTO missing FROM unnest(TG_ARGV) c WHERE to_jsonb(NEW) -> c = 'null' LIMIT 1;
    PERFORM refuse(format('A row of %s needs a value for %s', TG_TABLE_NAME, missing),
        format('%s: %s', missing, coalesce((
            SELECT regexp_replace(col_description(TG_RELID, attnum), '^Tenant: ', '') FROM pg_catalog.pg_attribute WHERE attrelid = TG_RELID AND attname = missing
        ), 'give it one.')));
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- Keys and references ------------------------------------------------------------

-- INSERT … ON CONFLICT says itself what to do with an existing key, but a trigger
-- cannot see that clause. So the text of the query is searched for it.
-- +goose StatementBegin
CREATE FUNCTION inserts_plainly(relation name) RETURNS boolean
LANGUAGE sql STABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT q !~* '\mon\s+conflict\M' AND (q ~* ('^(\s|--[^\n]*(\n|$)|/\*.*?\*/)*insert\s+into\s+(("[^"]+"|[^\s".(]+)\s*\.\s*)?"?' || relation || '"?[\s(]') OR q ~* '^\s*copy\s')
    FROM (SELECT current_query() COLLATE "C") x (q)
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION explain_constraints(relation regclass) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $func$
DECLARE
    table_  CONSTANT name := (SELECT relname FROM pg_class WHERE oid = relation);
    -- The plan is kept, and a table that was empty when it was made may get a million rows. So it goes by index.
    place   CONSTANT text := format('SECURITY DEFINER SET enable_seqscan TO off SET search_path TO %I, pg_temp', current_schema);
    key     record;
    nulls   text[];
    found   text;
    body    text := '';
    columns name[];
    -- The primary key, by which an updated row is told from others.
    identity CONSTANT name[] := (SELECT array_agg(a.attname) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = relation AND i.indisprimary);
    parents text;
BEGIN
    -- Columns that are NOT NULL.
    SELECT array_agg(attname::text ORDER BY attnum) INTO nulls
    FROM pg_attribute
    WHERE attrelid = relation AND attnotnull AND attnum > 0 AND NOT attisdropped AND attidentity = '' AND attname <> 'compiled';
    EXECUTE format('CREATE OR REPLACE TRIGGER explain_null BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION explain_null(%s)', relation,
        (SELECT string_agg(format('NEW.%I IS NULL', c), ' OR ') FROM unnest(nulls) c), (SELECT string_agg(quote_literal(c), ', ') FROM unnest(nulls) c));

    -- Keys. Under NULLS NOT DISTINCT each combination of missing values needs a query of its own, to go by index.
    FOR key IN
        SELECT i.indexrelid, i.indisprimary, i.indnullsnotdistinct, i.indnkeyatts,
            ARRAY(SELECT a.attname FROM pg_attribute a JOIN unnest(i.indkey) WITH ORDINALITY k (num, n) ON k.num = a.attnum WHERE a.attrelid = relation ORDER BY k.n) AS plain,
            ARRAY(SELECT a.attname FROM pg_attribute a JOIN pg_depend d ON d.refobjsubid = a.attnum
                WHERE a.attrelid = relation AND d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = relation ORDER BY a.attnum) AS used,
            ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, true) FROM generate_series(1, i.indnkeyatts) n) AS parts,
            ARRAY(SELECT a.attname FROM pg_attribute a JOIN unnest(i.indkey) k ON k = a.attnum WHERE a.attrelid = relation AND NOT a.attnotnull) AS optional,
            coalesce(pg_get_expr(i.indpred, relation), 'true') AS predicate
        FROM pg_index i
        WHERE i.indrelid = relation AND i.indisunique
            AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attidentity <> '' AND a.attnum = i.indkey[0])
        ORDER BY i.indisprimary DESC, i.indexrelid
    LOOP
        columns := CASE WHEN cardinality(key.plain) = key.indnkeyatts THEN key.plain ELSE key.used END;
        FOR missing IN 0 .. CASE WHEN key.indnullsnotdistinct THEN (1 << cardinality(key.optional)) - 1 ELSE 0 END LOOP
            SELECT string_agg(
                CASE
                    WHEN array_position(key.optional, part::name) IS NULL OR NOT key.indnullsnotdistinct THEN format('%1$s = (SELECT %1$s FROM (SELECT NEW.*) n)', part)
                    WHEN missing >> (array_position(key.optional, part::name) - 1) & 1 = 1 THEN format('%I IS NULL', part)
                    ELSE format('%1$I = NEW.%1$I', part)
                END, ' AND ')
            INTO found FROM unnest(key.parts) part;
            found := regexp_replace(found, '(\w+) = \(SELECT \1 FROM \(SELECT NEW\.\*\) n\)', '\1 = NEW.\1', 'g');
            body := body || format($piece$
    IF %s AND (TG_OP = 'INSERT' OR (%s) IS DISTINCT FROM (%s)) THEN
        IF EXISTS (SELECT FROM %s WHERE %s AND %s AND NOT (TG_OP = 'UPDATE' AND (%s) = (%s))) AND (TG_OP = 'UPDATE' OR inserts_plainly(TG_TABLE_NAME)) THEN
            PERFORM refuse(format('The %%s %%s is there already', noun(TG_TABLE_NAME), shown(%L, to_jsonb(NEW))), %s);
        END IF;
    END IF;$piece$,
                coalesce((SELECT string_agg(format('NEW.%I IS %s NULL', o, CASE WHEN missing >> (n::integer - 1) & 1 = 1 THEN '' ELSE 'NOT' END), ' AND ')
                    FROM unnest(key.optional) WITH ORDINALITY x (o, n)), 'true'),
                (SELECT string_agg(format('OLD.%I', c), ', ') FROM unnest(columns) c), (SELECT string_agg(format('NEW.%I', c), ', ') FROM unnest(columns) c),
                relation, found, key.predicate,
                (SELECT string_agg(quote_ident(c), ', ') FROM unnest(identity) c), (SELECT string_agg(format('OLD.%I', c), ', ') FROM unnest(identity) c), columns,
                CASE WHEN key.indisprimary OR cardinality(key.plain) = key.indnkeyatts AND key.indnullsnotdistinct
                    THEN quote_literal(format('Change it with UPDATE %s, or add ON CONFLICT to the INSERT.', table_))
                    ELSE quote_literal(CASE WHEN cardinality(key.plain) = key.indnkeyatts THEN 'Choose another.' ELSE 'FreeSWITCH does not tell upper from lower case. Choose another name.' END) END);
        END LOOP;
    END LOOP;
    IF body <> '' THEN
        EXECUTE format('CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql %s AS %L', 'explain_key_of_' || table_, place, format('BEGIN%s
    RETURN NEW;
END', body));
        EXECUTE format('CREATE OR REPLACE TRIGGER explain_key BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %I()', relation, 'explain_key_of_' || table_);
    END IF;

    -- References. The name of the trigger sorts before those of PostgreSQL's own triggers, RI_….
    SELECT string_agg(format($piece$
    IF %s AND NOT EXISTS (SELECT FROM %s WHERE %s) THEN
        PERFORM refuse(format('There is no %s %%s', shown(%L, to_jsonb(NEW))), %L);
    END IF;$piece$,
            (SELECT string_agg(format('NEW.%I IS NOT NULL', attname), ' AND ') FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = ANY (c.conkey)),
            c.confrelid::regclass,
            (SELECT string_agg(format('%I = NEW.%I', p.attname, a.attname), ' AND ') FROM unnest(c.conkey, c.confkey) k (child, parent)
                JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.child JOIN pg_attribute p ON p.attrelid = c.confrelid AND p.attnum = k.parent),
            noun(p.relname),
            (SELECT array_agg(attname ORDER BY array_position(c.conkey, attnum)) FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = ANY (c.conkey)),
            format('Insert it into table %s first, or write one that is there.%s', p.relname, CASE p.relname WHEN 'node' THEN ' * means all nodes.' ELSE '' END)
        ), '' ORDER BY c.conname)
    INTO parents
    FROM pg_constraint c JOIN pg_class p ON p.oid = c.confrelid
    WHERE c.conrelid = relation AND c.contype = 'f';
    IF parents IS NOT NULL THEN
        EXECUTE format('CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql %s AS %L', 'explain_reference_of_' || table_, place, format('BEGIN%s
    RETURN NULL;
END', parents));
        EXECUTE format('CREATE OR REPLACE TRIGGER "0_explain_reference" AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %I()', relation, 'explain_reference_of_' || table_);
    END IF;

    -- References to this table without ON DELETE CASCADE.
    SELECT string_agg(format($piece$
    SELECT shown(%L, to_jsonb(x)), count(*) OVER () - 1 INTO other, more FROM %s x WHERE %s LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(format('The %s %%s cannot be deleted: the %s %%s%%s needs it', shown(%L, to_jsonb(OLD)), other, CASE WHEN more > 0 THEN format(' and %%s more', more) ELSE '' END),
            format('Write another %s into column %s of table %s first.'));
    END IF;$piece$,
            (SELECT array_agg(a.attname ORDER BY array_position(i.indkey::smallint[], a.attnum)) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = c.conrelid AND i.indisprimary),
            c.conrelid::regclass,
            (SELECT string_agg(format('x.%I = OLD.%I', a.attname, p.attname), ' AND ') FROM unnest(c.conkey, c.confkey) k (child, parent)
                JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.child JOIN pg_attribute p ON p.attrelid = c.confrelid AND p.attnum = k.parent),
            noun(table_), noun(o.relname),
            (SELECT array_agg(attname) FROM pg_attribute WHERE attrelid = c.confrelid AND attnum = ANY (c.confkey)),
            noun(table_), (SELECT string_agg(attname, ', ') FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = ANY (c.conkey)), o.relname
        ), '' ORDER BY c.conname)
    INTO parents
    FROM pg_constraint c JOIN pg_class o ON o.oid = c.conrelid
    WHERE c.confrelid = relation AND c.contype = 'f' AND c.confdeltype = 'a';
    IF parents IS NOT NULL THEN
        EXECUTE format('CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql %s AS %L', 'explain_needed_' || table_, place, format('DECLARE
    other text;
    more  bigint;
BEGIN%s
    RETURN NULL;
END', parents));
        EXECUTE format('CREATE OR REPLACE TRIGGER "0_explain_needed" AFTER DELETE ON %s FOR EACH ROW EXECUTE FUNCTION %I()', relation, 'explain_needed_' || table_);
    END IF;
END $func$;
-- +goose StatementEnd
COMMENT ON FUNCTION explain_constraints IS 'Makes the triggers by which a table''s NOT NULL, keys and references are refused in words. A migration that makes or changes a table calls it for that table.';

-- All tables ---------------------------------------------------------------------

-- +goose StatementBegin
DO $$
DECLARE
    t regclass;
BEGIN
    FOR t IN SELECT oid FROM pg_class WHERE relnamespace = current_schema::regnamespace AND relkind = 'r'
        AND relname NOT IN ('change', 'node_fetch', 'node_state') AND relname !~ '^goose' LOOP
        PERFORM explain_constraints(t);
    END LOOP;
END $$;
-- +goose StatementEnd
