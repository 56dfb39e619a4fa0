package table

import (
	"context"
	"errors"

	"xmlcurld/db/pg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Ask asks whatever a test wants, as every question is asked.
func Ask(ctx context.Context, s *Store, query string) error {
	_, _, err := pg.Collect[struct {
		Name, Value string
		Expand      bool
	}](ctx, s.pg, "ask", query)
	return err
}

// CallReads returns how many rows Postgres reads to answer about a number that is called (node, context, number), and about a user, on a connection
// of those for calls.
func (s *Store) CallReads(ctx context.Context, called [3]string, domain, user string) (rows int, err error) {
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
			for k, args := range map[*Kind][3]string{
				ForRoute: called,
				ForUser:  {called[0], domain, user},
			} {
				rows, err := pg.Rows(ctx, tx, pgx.RowToStructByPos[row], k.query, columns(k, [][3]string{args})...)
				if err != nil {
					return err
				}
				if len(rows) < 4 {
					return errors.New("nobody has the number, or the name")
				}
			}
			after, err := count()
			rows = after - before
			return err
		})
	})
	return rows, err
}
