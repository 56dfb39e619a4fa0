package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"xmlcurld/db/table"
)

// mayAsk reports whether switches can be asked: that takes their passwords.
func mayAsk(all []table.Unread) bool {
	return !slices.ContainsFunc(all, func(u table.Unread) bool {
		return u.Table == "node" && slices.Contains(u.Columns, "event_socket_password")
	})
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
