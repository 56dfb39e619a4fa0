// Package db says what rows FreeSWITCH should be told, and where they come from. It knows no XML; a file of it goes with
// each file of package sections, and holds the row types beside the queries that fill them.
package db

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db/pg"
)

// ErrUnavailable says that the rows cannot be had now: Postgres is away, starting, full, or too slow for the deadline.
var ErrUnavailable = pg.ErrUnavailable

// Common is the name of the row in table node that holds what is common to all nodes.
const Common = "*"

// Store is the Source that asks Postgres. It is safe for concurrent use.
type Store struct {
	pg      *pg.DB
	from    pg.From // pg, or one transaction
	within  bool    // from is one transaction
	secrets Secrets
	routes  pg.Batch[Call, Answer[Route]]
	users   pg.Batch[UserName, Answer[[]Domain]]
	lists   pg.Batch[string, string] // node: the revision of its access lists

	lastLists *atomic.Pointer[listsRead] // that were read for revisions
	rules     Rulebook
}

var _ Source = (*Store)(nil)

// Open makes a Store for url, as pg.Open does. Secrets resolves what rows refer to; nil: nobody knows it.
func Open(ctx context.Context, url string, secrets Secrets, reg prometheus.Registerer) (*Store, error) {
	database, err := pg.Open(ctx, url, reg)
	if err != nil {
		return nil, err
	}
	if secrets == nil {
		secrets = noSecrets{}
	}
	return newStore(database, secrets, new(atomic.Pointer[listsRead])), nil
}

func newStore(database *pg.DB, secrets Secrets, lastLists *atomic.Pointer[listsRead]) *Store {
	s := &Store{pg: database, from: database, secrets: secrets, lastLists: lastLists}
	s.routes.Start(s.askRoutes)
	s.users.Start(s.AskUsers)
	s.lists.Start(s.askACLRevisions)
	return s
}

// Isolated returns a Store with a few connections of its own, to be closed by itself: see pg.DB.Isolated.
func (s *Store) Isolated(ctx context.Context) (*Store, error) {
	database, err := s.pg.Isolated(ctx)
	if err != nil {
		return nil, err
	}
	return newStore(database, s.secrets, s.lastLists), nil
}

// In returns s as it sees the database in tx. It is not to be closed.
func (s *Store) In(tx pgx.Tx) *Store {
	return &Store{pg: s.pg, from: s.pg.In(tx), within: true, secrets: s.secrets, lastLists: new(atomic.Pointer[listsRead])}
}

// Close waits until all questions are answered and closes every connection.
func (s *Store) Close() {
	s.routes.Stop()
	s.users.Stop()
	s.lists.Stop()
	s.pg.Close()
}

// DB returns the database that s asks.
func (s *Store) DB() *pg.DB { return s.pg }

// Ping asks the database whether it answers.
func (s *Store) Ping(ctx context.Context) error { return s.pg.Ping(ctx) }

// together asks a question in one round trip with others, unless s is within a transaction.
func together[Q, A any](ctx context.Context, s *Store, others *pg.Batch[Q, A], ask func(context.Context, []Q) ([]A, error), question Q) (answer A, err error) {
	if !s.within {
		return others.Ask(ctx, question)
	}
	answers, err := ask(ctx, []Q{question})
	if err != nil {
		return answer, err
	}
	return answers[0], nil
}

// manyRows returns args for a query that reads many rows.
func manyRows(args ...any) []any { return append([]any{pg.PlannedAnew}, args...) }
