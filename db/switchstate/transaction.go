package switchstate

import (
	"context"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// transaction is one that several goroutines ask, one at a time.
type transaction struct {
	mu     sync.Mutex
	tx     pgx.Tx
	seen   *table.Seen // what it sees, once somebody has asked
	failed error       // why it cannot be asked any more
}

// use calls f with the transaction. Who gives up meanwhile gets no answer sooner: the driver would end the connection, and with it
// the transaction.
func (t *transaction) use(ctx context.Context, f func(context.Context, pgx.Tx) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.failed == nil {
		t.failed = f(context.WithoutCancel(ctx), t.tx)
	}
	return t.failed
}

// Err returns why the transaction could not be asked, or nil.
func (r *Rows) Err() error {
	r.edit.mu.Lock()
	defer r.edit.mu.Unlock()
	return r.edit.failed
}

// Read implements table.Source. Rows are read once for all nodes.
func (t *transaction) Read(ctx context.Context, q table.Question, answer func(table.Rows) error) (fresh pg.Freshness, err error) {
	err = t.use(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if t.seen == nil {
			nodes, err := pg.Rows(ctx, tx, pgx.RowTo[string], `SELECT name FROM node`)
			if err != nil {
				return pg.Translate("nodes", err)
			}
			t.seen = table.SeenBy(tx, nodes)
		}
		fresh, err = t.seen.Read(ctx, q, answer)
		return err
	})
	return fresh, err
}

// editedQuery: the triggers that note what changed say what kind of notice the servers will get.
const editedQuery = `
SELECT DISTINCT split_part(encode(t.tgargs, 'escape'), '\000', 1) AS kind
FROM (SELECT DISTINCT relation FROM change WHERE xid = pg_current_xact_id_if_assigned()) c
JOIN pg_class r ON r.relname = c.relation
	AND r.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'change'::regclass)
JOIN pg_trigger t ON t.tgrelid = r.oid
	AND t.tgname = 'tell_servers'
ORDER BY kind`

// editedGatewaysQuery asks for the gateways that have another revision. NULL: any may have.
const editedGatewaysQuery = `
SELECT DISTINCT key
FROM change
WHERE xid = pg_current_xact_id_if_assigned()
	AND relation IN ('gateway', 'gateway_param', 'gateway_variable')`

// EditedGateways returns the names of those gateways of which the transaction has changed a row, unless any may be one of them.
func (r *Rows) EditedGateways(ctx context.Context) (names map[string]bool, known bool, err error) {
	names = make(map[string]bool)
	err = r.edit.use(ctx, func(ctx context.Context, tx pgx.Tx) error {
		keys, err := pg.Rows(ctx, tx, pgx.RowTo[*string], editedGatewaysQuery)
		if known = !slices.Contains(keys, nil); known {
			for _, key := range keys {
				names[*key] = true
			}
		}
		return err
	})
	return names, known, pg.Translate("edited gateways", err)
}

// Edited returns the kinds of the notices that the transaction will give once it is committed, and that are about a switch.
func (r *Rows) Edited(ctx context.Context) (kinds []string, err error) {
	err = r.edit.use(ctx, func(ctx context.Context, tx pgx.Tx) error {
		kinds, err = pg.Rows(ctx, tx, pgx.RowTo[string], editedQuery)
		return err
	})
	return kinds, pg.Translate("kinds of edit", err)
}
