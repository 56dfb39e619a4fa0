package db

import (
	"context"
	"errors"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.etcd.io/bbolt"
)

// ListsKept is how long lists that were read may be the answer.
const ListsKept = listsKept

// Ask asks whatever a test wants, as every question is asked.
func Ask(ctx context.Context, s *Store, query string) error {
	_, err := collect[Setting](ctx, s, "ask", query)
	return err
}

// CallReads returns how many rows Postgres reads to answer about a number that is called, and about a user, on a connection
// of those for calls.
func (s *Store) CallReads(ctx context.Context, call Call, domain, user string) (rows int, err error) {
	err = s.hosts.best().calls.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			count := func() (read int, err error) {
				err = tx.QueryRow(ctx, `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables`).Scan(&read)
				return read, err
			}
			before, err := count()
			if err != nil {
				return err
			}
			within := s.within(tx)
			routes, err := within.askRoutes(ctx, []Call{call})
			if err != nil {
				return err
			}
			users, err := within.askUsers(ctx, []userName{{call.Node, domain, user}})
			if err != nil {
				return err
			}
			if routes[0].Called == nil || len(users[0].domains) == 0 {
				return errors.New("nobody has the number, or the name")
			}
			after, err := count()
			rows = after - before
			return err
		})
	})
	return rows, err
}

// Answered is when a host answered last, as far as s knows, in ns; 0: never.
func (s *Store) Answered() int64 { return s.answered.Load() }

// AskedMost bounds the questions that are kept for a node.
const AskedMost = askedMost

// Asked returns the questions whose answers the copy keeps, by who asks them, and Kept those in its file.
func (c *Copy) Asked() map[string]int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return count(c.asked)
}

func (c *Copy) Kept() map[string]int {
	kept, _ := c.file.questions()
	return count(kept)
}

func count(questions askedQuestions) map[string]int {
	counts := make(map[string]int)
	for q := range questions {
		counts[q.node()]++
	}
	return counts
}

// Follow brings the copy up to date, as Run does.
func (c *Copy) Follow(ctx context.Context) error { return c.follow(ctx) }

// Hurry has answers read as soon as rows.
func (c *Copy) Hurry() { c.patience = 0 }

// AgeCopy makes the file one of a version of this program that wrote it another way.
func AgeCopy(path string) error {
	bolt, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	err = bolt.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(ofState)).Put([]byte("format"), []byte("0")) })
	return errors.Join(err, bolt.Close())
}

// RefuseWrites has the file refuse what is written to it from now on, as a disk does that turned read-only.
func (c *Copy) RefuseWrites() error {
	if err := c.file.bolt.Close(); err != nil {
		return err
	}
	options := *bbolt.DefaultOptions
	options.ReadOnly = true
	options.OpenFile = func(path string, flag int, mode os.FileMode) (file *os.File, err error) {
		file, err = os.OpenFile(path, flag, mode)
		c.file.os = file
		return file, err
	}
	bolt, err := bbolt.Open(c.path, 0o600, &options)
	c.file.bolt = bolt
	return err
}
