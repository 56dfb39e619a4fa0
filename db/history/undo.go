package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"xmlcurld/db/pg"
)

// ConflictError says that an edit cannot be taken back, since others stand on it.
type ConflictError struct {
	Edit  int64
	Rows  []string // that are not as the edit left them, or that would go with it
	Later []int64  // the edits that changed those rows since
}

func (e *ConflictError) Error() string {
	rows := e.Rows
	if len(rows) > rowsNamed {
		rows = append(slices.Clone(rows[:rowsNamed]), fmt.Sprintf("and %d more", len(rows)-rowsNamed))
	}
	var later []string
	for _, edit := range e.Later {
		later = append(later, fmt.Sprint(edit))
	}
	return fmt.Sprintf("edit %d cannot be undone: %s changed since, by edit %s; undo that first", e.Edit, strings.Join(rows, ", "), strings.Join(later, ", "))
}

// rowsNamed is how many rows an error names.
const rowsNamed = 5

// ErrNoEdit says that there is no such edit, or not any more.
var ErrNoEdit = errors.New("there is no such edit: see xmlcurld history")

// Undo returns the statements that take an edit back, in their order: first it takes it back in tx, sees what comes of that,
// and rolls that back. It fails with ErrNoEdit or *ConflictError.
func Undo(ctx context.Context, tx pgx.Tx, edit int64) ([]string, error) {
	tables, err := edited(ctx, tx, edit)
	if err != nil {
		return nil, err
	}
	if err := differing(ctx, tx, edit, tables, "new"); err != nil {
		return nil, err
	}
	var first error
	for _, statements := range [][]string{renameFirst(tables, edit), deleteFirst(tables, edit)} {
		refused, err := try(ctx, tx, edit, tables, statements)
		if err != nil {
			return nil, err
		}
		if refused == nil {
			return statements, nil
		}
		if first == nil {
			first = refused
		}
	}
	return nil, first
}

// edited returns the tables that an edit changed rows of.
func edited(ctx context.Context, tx pgx.Tx, edit int64) ([]table, error) {
	tables, err := recorded(ctx, tx)
	if err != nil {
		return nil, err
	}
	changed, err := pg.Rows(ctx, tx, pgx.RowTo[string], `SELECT DISTINCT relation FROM edit_row WHERE edit = $1`, edit)
	if err != nil {
		return nil, pg.Translate("undo", err)
	}
	if len(changed) == 0 {
		return nil, ErrNoEdit
	}
	return slices.DeleteFunc(tables, func(t table) bool { return !slices.Contains(changed, t.name) }), nil
}

// net is what became of each row of a table by an edit that may have changed it more than once.
func (t table) net(edit int64) string {
	return fmt.Sprintf(`(
	SELECT key, (array_agg(old ORDER BY id))[1] AS old, (array_agg(new ORDER BY id DESC))[1] AS new
	FROM edit_row
	WHERE edit = %d AND relation = %s
	GROUP BY key
) net`, edit, text(t.name))
}

// rows are those of net's old or new.
func (t table) rows(edit int64, of string) string {
	return fmt.Sprintf("%s\nCROSS JOIN LATERAL jsonb_populate_record(NULL::%s, net.%s) r", t.net(edit), t.sql(), of)
}

// renameBack takes a row that came for one that went, and has all else of it, for the same by another name.
func renameBack(t table, edit int64) string {
	if t.counted {
		return ""
	}
	key := "'{" + strings.Join(t.key, ",") + "}'::text[]"
	return fmt.Sprintf(`UPDATE %[1]s t
SET (%[2]s) = ROW (%[3]s)
FROM %[4]s
JOIN (
	SELECT net.new
	FROM %[5]s
	WHERE net.old IS NULL
) came ON written(came.new) - %[6]s = written(net.old) - %[6]s
CROSS JOIN LATERAL jsonb_populate_record(NULL::%[1]s, came.new) n
WHERE net.new IS NULL AND (%[7]s) = (%[8]s)`,
		t.sql(), names(t.key), list("r", t.key), t.rows(edit, "old"), t.net(edit), key, list("t", t.key), list("n", t.key))
}

func insertAgain(t table, edit int64) string {
	return fmt.Sprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE\nSELECT %s\nFROM %s\nWHERE net.old IS NOT NULL AND net.new IS NULL AND NOT EXISTS (SELECT FROM %[1]s t WHERE (%[5]s) = (%[6]s))",
		t.sql(), names(t.columns), list("r", t.columns), t.rows(edit, "old"), list("t", t.key), list("r", t.key))
}

func updateBack(t table, edit int64) string {
	var set []string
	for _, c := range t.columns {
		if !slices.Contains(t.key, c) {
			set = append(set, names([]string{c})+" = "+list("r", []string{c}))
		}
	}
	if len(set) == 0 {
		return ""
	}
	return fmt.Sprintf("UPDATE %s t\nSET %s\nFROM %s\nWHERE written(net.old) IS DISTINCT FROM written(net.new) AND net.old IS NOT NULL AND net.new IS NOT NULL AND (%s) = (%s)",
		t.sql(), strings.Join(set, ", "), t.rows(edit, "old"), list("t", t.key), list("r", t.key))
}

func deleteAgain(t table, edit int64) string {
	return fmt.Sprintf("DELETE FROM %s t\nUSING %s\nWHERE net.old IS NULL AND net.new IS NOT NULL AND (%s) = (%s)",
		t.sql(), t.rows(edit, "new"), list("t", t.key), list("r", t.key))
}

// renameFirst gives a row that was renamed its former name, which what refers to it takes by itself.
func renameFirst(tables []table, edit int64) []string {
	return slices.Concat(each(tables, edit, renameBack), each(tables, edit, insertAgain), each(tables, edit, updateBack), each(reversed(tables), edit, deleteAgain))
}

// deleteFirst removes a row that stands in the way of one by a name that FreeSWITCH does not tell from its.
func deleteFirst(tables []table, edit int64) []string {
	return slices.Concat(each(reversed(tables), edit, deleteAgain), each(tables, edit, updateBack), each(tables, edit, insertAgain))
}

func each(tables []table, edit int64, step func(table, int64) string) (statements []string) {
	for _, t := range tables {
		if sql := step(t, edit); sql != "" {
			statements = append(statements, sql)
		}
	}
	return statements
}

func reversed(tables []table) []table {
	tables = slices.Clone(tables)
	slices.Reverse(tables)
	return tables
}

// try executes statements that take an edit back, looks what comes of it, and rolls that back. It returns why they will not do.
func try(ctx context.Context, tx pgx.Tx, edit int64, tables []table, statements []string) (refused, err error) {
	scratch, err := tx.Begin(ctx)
	if err != nil {
		return nil, pg.Translate("undo", err)
	}
	defer func() { err = errors.Join(err, pg.Translate("undo", scratch.Rollback(ctx))) }()
	for _, sql := range statements {
		if _, err := scratch.Exec(ctx, sql); err != nil {
			if said := (*pgconn.PgError)(nil); errors.As(err, &said) {
				return fmt.Errorf("edit %d cannot be undone: %w", edit, err), nil
			}
			return nil, pg.Translate("undo", err)
		}
	}
	const besides = `
SELECT DISTINCT r.relation || ' ' || r.key
FROM edit_row r
JOIN edit e ON e.id = r.edit AND e.at = r.at
WHERE e.xid = pg_current_xact_id() AND e.at = now() AND written(r.old) IS DISTINCT FROM written(r.new)
	AND NOT EXISTS (SELECT FROM edit_row o WHERE o.edit = $1 AND o.relation = r.relation AND o.key = r.key)
ORDER BY 1`
	others, err := words(ctx, scratch, besides, edit)
	if err != nil || len(others) == 0 {
		return differing(ctx, scratch, edit, tables, "old"), err
	}
	return conflict(ctx, scratch, edit, others), nil
}

// differing fails with a ConflictError if a row that an edit changed is not as it was before that (old) or after (new).
func differing(ctx context.Context, tx pgx.Tx, edit int64, tables []table, of string) error {
	var rows []string
	for _, t := range tables {
		some, err := words(ctx, tx, fmt.Sprintf(`
SELECT %s || ' ' || net.key
FROM %s
LEFT JOIN %s t ON concat_ws(' ', %s) = net.key
WHERE written(to_jsonb(t)) IS DISTINCT FROM written(net.%s)
ORDER BY 1`, text(t.name), t.net(edit), t.sql(), list("t", t.key), of))
		if err != nil {
			return err
		}
		rows = append(rows, some...)
	}
	if len(rows) == 0 {
		return nil
	}
	return conflict(ctx, tx, edit, rows)
}

// conflict names the edits that changed rows, each a table and a key, since an edit.
func conflict(ctx context.Context, tx pgx.Tx, edit int64, rows []string) error {
	const query = `
SELECT DISTINCT r.edit
FROM unnest($2::text[]) x (row_)
JOIN edit_row r ON r.relation = split_part(x.row_, ' ', 1) AND r.key = substr(x.row_, strpos(x.row_, ' ') + 1)
JOIN edit e ON e.id = r.edit AND e.at = r.at
WHERE r.edit > $1 AND e.xid <> pg_current_xact_id() AND written(r.old) IS DISTINCT FROM written(r.new)
ORDER BY 1 DESC`
	later, err := pg.Rows(ctx, tx, pgx.RowTo[int64], query, edit, rows)
	if err != nil {
		return pg.Translate("undo", err)
	}
	return &ConflictError{edit, rows, later}
}

// words reads one text a row.
func words(ctx context.Context, tx pgx.Tx, query string, args ...any) ([]string, error) {
	all, err := pg.Rows(ctx, tx, pgx.RowTo[string], query, args...)
	return all, pg.Translate("undo", err)
}
