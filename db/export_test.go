package db

import (
	"context"
	"errors"

	"xmlcurld/db/pg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ListsKept is how long lists that were read may be the answer.
const ListsKept = listsKept

// Ask asks whatever a test wants, as every question is asked.
func Ask(ctx context.Context, s *Store, query string) error {
	_, _, err := pg.Collect[Setting](ctx, s.from, "ask", query)
	return err
}

// CallReads returns how many rows Postgres reads to answer about a number that is called, and about a user, on a connection
// of those for calls.
func (s *Store) CallReads(ctx context.Context, call Call, domain, user string) (rows int, err error) {
	err = s.pg.Best().AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			count := func() (read int, err error) {
				err = tx.QueryRow(ctx, `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables`).Scan(&read)
				return read, err
			}
			before, err := count()
			if err != nil {
				return err
			}
			within := &Store{pg: s.pg, from: s.pg.In(tx)}
			routes, err := within.askRoutes(ctx, []Call{call})
			if err != nil {
				return err
			}
			users, err := within.AskUsers(ctx, []UserName{{call.Node, domain, user}})
			if err != nil {
				return err
			}
			if routes[0].Value.Called == nil || len(users[0].Value) == 0 {
				return errors.New("nobody has the number, or the name")
			}
			after, err := count()
			rows = after - before
			return err
		})
	})
	return rows, err
}
