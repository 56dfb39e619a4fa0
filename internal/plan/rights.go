package plan

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

// Unread are columns of a table that who plans may not read.
type Unread struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

// unreadQuery finds them, with a view of the table that holds the word withheld in their place: without any password there would be
// no answer about a user.
const unreadQuery = `
SELECT
	c.relname::text,
	array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE NOT may_read),
	format('CREATE TEMP VIEW %1$I AS SELECT %3$s FROM %2$I.%1$I WHERE %4$L', c.relname, n.nspname,
		string_agg(CASE WHEN may_read THEN format('%I', a.attname) ELSE format('%s::%s AS %I', nothing, base, a.attname) END, ', ' ORDER BY a.attnum),
		bool_or(may_read))
FROM pg_trigger g
JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
CROSS JOIN LATERAL (SELECT
	has_column_privilege(c.oid, a.attnum, 'SELECT'),
	CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END::regtype
) x (may_read, base)
CROSS JOIN LATERAL (SELECT
	CASE WHEN base = 'text'::regtype THEN '''withheld''' WHEN a.attnotnull AND base = 'uuid'::regtype THEN quote_literal(repeat('0', 32)) ELSE 'NULL' END
) y (nothing)
WHERE g.tgname = 'record_insert' AND pg_table_is_visible(c.oid) AND NOT has_table_privilege(c.oid, 'SELECT')
GROUP BY c.relname, n.nspname
HAVING NOT bool_and(may_read)
ORDER BY 1`

// withhold has tx see tables without the columns that may not be read: from now on their names mean views of its own. tx is to be
// rolled back.
func withhold(ctx context.Context, tx pgx.Tx) ([]Unread, error) {
	type withheld struct {
		Unread
		view string
	}
	all, err := pg.Rows(ctx, tx, func(r pgx.CollectableRow) (w withheld, err error) {
		return w, r.Scan(&w.Table, &w.Columns, &w.view)
	}, unreadQuery)
	if err != nil {
		return nil, err
	}
	unread := []Unread{}
	for _, w := range all {
		if _, err := tx.Exec(ctx, w.view); err != nil {
			return nil, err
		}
		unread = append(unread, w.Unread)
	}
	return unread, nil
}

// mayAsk reports whether switches can be asked: that takes their passwords.
func mayAsk(all []Unread) bool {
	return !slices.ContainsFunc(all, func(u Unread) bool { return u.Table == "node" && slices.Contains(u.Columns, "event_socket_password") })
}

// Partly says what the plan cannot show, and why. Empty: it shows everything.
func (p *Plan) Partly() string {
	if len(p.Unread) == 0 {
		return ""
	}
	var columns, tables []string
	for _, u := range p.Unread {
		columns = append(columns, fmt.Sprintf("%s (%s)", u.Table, strings.Join(u.Columns, ", ")))
		tables = append(tables, u.Table)
	}
	text := p.role + " may not read " + strings.Join(columns, ", ") + ": documents have a mark in place of each, also where there is none, and do not show its change"
	if !mayAsk(p.Unread) {
		text += ", and no switch is asked"
	}
	return fmt.Sprintf("%s. To see them: GRANT SELECT ON %s TO %s", text, strings.Join(tables, ", "), pgx.Identifier{p.role}.Sanitize())
}

// needsRight adds to an error of a missing right what a role needs to plan.
func needsRight(err error, role string) error {
	const insufficientPrivilege = "42501"
	denied, edit := new(pgconn.PgError), new(StatementError)
	if errors.As(err, &edit) || !errors.As(err, &denied) || denied.Code != insufficientPrivilege {
		return err
	}
	return fmt.Errorf("%w\nHINT:  Let the tables' owner grant what a plan reads: SELECT grant_planning('%s')", err, role)
}
