-- +goose Up

-- An expression that FreeSWITCH cannot compile counts as false at each call,
-- with a line in its log. What is wrong with most can be seen without PCRE.

-- +goose StatementBegin
CREATE FUNCTION expression_fault(expression text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    c     CONSTANT text[] := string_to_array(expression, NULL);
    n     CONSTANT integer := cardinality(c);
    i     integer := 1;
    open_ integer := 0;
    item  boolean := false; -- whether something stands here that can be repeated
    range_ text[];
BEGIN
    IF expression LIKE '%${%' THEN
        RETURN NULL; -- FreeSWITCH expands it first
    END IF;
    WHILE i <= n LOOP
        CASE
            WHEN c[i] = '\' THEN
                IF i = n THEN
                    RETURN 'it ends in a \';
                ELSIF c[i + 1] = 'Q' THEN
                    i := coalesce(nullif(position('\E' IN substr(expression, i)), 0) + i, n) - 1;
                END IF;
                item := true;
                i := i + 1;
            WHEN c[i] = '[' THEN
                i := i + 1;
                IF c[i] = '^' THEN i := i + 1; END IF;
                IF c[i] = ']' THEN i := i + 1; END IF;
                WHILE i <= n AND c[i] <> ']' LOOP
                    IF c[i] = '\' THEN
                        i := i + 1;
                    ELSIF c[i] = '[' AND c[i + 1] = ':' AND position(':]' IN substr(expression, i)) > 0 THEN
                        i := i + position(':]' IN substr(expression, i));
                    END IF;
                    i := i + 1;
                END LOOP;
                IF i > n THEN
                    RETURN 'a [ is not closed';
                END IF;
                item := true;
            WHEN c[i] = '(' THEN
                open_ := open_ + 1;
                item := false;
                IF c[i + 1] = '?' THEN
                    i := i + 2; -- (?: and its like
                ELSIF c[i + 1] = '*' THEN
                    i := i + 1; -- (*ANYCRLF) and its like
                END IF;
            WHEN c[i] = ')' THEN
                open_ := open_ - 1;
                item := true;
                IF open_ < 0 THEN
                    RETURN 'a ) closes nothing';
                END IF;
            WHEN c[i] IN ('*', '+', '?') OR c[i] = '{' AND substr(expression, i) ~ '^\{[0-9]+(,[0-9]*)?\}' THEN
                IF NOT item THEN
                    RETURN format('there is nothing before %s to repeat', c[i]);
                END IF;
                IF c[i] = '{' THEN
                    range_ := regexp_match(substr(expression, i), '^\{([0-9]+),?([0-9]*)\}');
                    IF length(range_[1]) > 5 OR length(range_[2]) > 5 OR range_[1]::integer > 65535 OR coalesce(nullif(range_[2], '')::integer NOT BETWEEN range_[1]::integer AND 65535, false) THEN
                        RETURN 'the numbers in {…} are out of order or too large';
                    END IF;
                    i := i + position('}' IN substr(expression, i)) - 1;
                END IF;
                IF c[i + 1] IN ('?', '+') THEN
                    i := i + 1; -- as few, or as many, as there are
                END IF;
                item := false;
            WHEN c[i] IN ('|', '^') THEN
                item := false;
            ELSE
                item := true;
        END CASE;
        i := i + 1;
    END LOOP;
    RETURN CASE WHEN open_ > 0 THEN 'a ( is not closed' END;
END $$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION expression_fault(text) SET search_path TO %I, pg_temp', current_schema);
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION expression_fault IS 'What keeps PCRE from compiling the expression, as far as its brackets and repetitions tell; NULL when nothing does, or when FreeSWITCH expands it first.';

ALTER TABLE condition ADD CONSTRAINT condition_expression_reads CHECK (expression_fault(expression) IS NULL OR refuse(
    format('FreeSWITCH cannot read the expression %s: %s', expression, expression_fault(expression)),
    'Write a regular expression as Perl has them, for example ^\+27(\d+)$. A sign that stands for itself has a \ before it.')) NOT VALID;
ALTER TABLE condition_regex ADD CONSTRAINT condition_regex_expression_reads CHECK (expression_fault(expression) IS NULL OR refuse(
    format('FreeSWITCH cannot read the expression %s: %s', expression, expression_fault(expression)),
    'Write a regular expression as Perl has them, for example ^\+27(\d+)$. A sign that stands for itself has a \ before it.')) NOT VALID;
