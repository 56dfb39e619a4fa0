// Package history reads who changed which rows, takes edits back, and shows the tables as they were. Triggers write what it
// reads: see migration 0006.
package history

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// Change is one row that an edit changed, with marks in place of secrets.
type Change struct {
	Edit        int64           `json:"edit"`
	At          time.Time       `json:"at"` // when it was committed
	Role        string          `json:"role"`
	Application string          `json:"application"`
	Address     *string         `json:"address"` // of the program; nil: it ran on the database's machine
	Reason      *string         `json:"reason"`
	Tenant      *string         `json:"tenant"`
	Table       string          `json:"table"`
	Key         string          `json:"key"`
	Operation   string          `json:"operation"` // insert, update or delete
	Old         json.RawMessage `json:"old"`       // null: there was none
	New         json.RawMessage `json:"new"`       // null: it was deleted
}

// Filter says which changes to read. What is empty does not matter.
type Filter struct {
	Edit   int64
	Table  string
	Key    string // of the row, or what it begins with, up to a blank
	Tenant string
	Node   string
	Who    string // role or application
	Since  time.Time
	Limit  int // so many of the newest
}

// List returns changes, the newest first.
func List(ctx context.Context, q pg.Querier, f Filter) ([]Change, error) {
	const query = `
SELECT edit, at, role, application, host(address), reason, tenant, relation, key, operation, old, new
FROM history
WHERE ($1 = 0 OR edit = $1)
	AND ($2 = '' OR relation = $2)
	AND ($3 = '' OR key = $3 OR key >= $3 || ' ' AND key < $3 || '!')
	AND ($4 = '' OR tenant = $4)
	AND ($5 = '' OR relation = 'node' AND key = $5 OR old_node = $5 OR new_node = $5 OR $5 = '*' AND (old ->> 'node' = '*' OR new ->> 'node' = '*'))
	AND ($6 = '' OR role = $6 OR role LIKE $6 || ' as %' OR role LIKE '% as ' || $6 OR application = $6)
	AND at >= $7
ORDER BY edit DESC, id DESC
LIMIT $8`
	// The arguments, of which most are empty, are put into the text: otherwise the connections of pg would have it planned for
	// any, and read all of the history.
	changes, err := pg.Rows(ctx, q, pgx.RowToStructByPos[Change], query, pgx.QueryExecModeSimpleProtocol, f.Edit, f.Table, f.Key, f.Tenant, f.Node, f.Who, f.Since, f.Limit)
	return changes, pg.Translate("history", err)
}
