// Package table holds the tables that answers are made of: their rows as keys and values, which of them a question needs, and where
// they come from. It knows no rule.
package table

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db/pg"
)

// Store is the Source that asks Postgres. It is safe for concurrent use.
type Store struct {
	pg     *pg.DB
	shared map[*Kind]*pg.Batch[[3]string, *rowsRead] // of the kinds for which callers wait
}

var _ Source = (*Store)(nil)

// Open makes a Store for url, as pg.Open does.
func Open(ctx context.Context, url string, reg prometheus.Registerer) (*Store, error) {
	database, err := pg.Open(ctx, url, reg)
	if err != nil {
		return nil, err
	}
	return newStore(database), nil
}

func newStore(database *pg.DB) *Store {
	s := &Store{pg: database, shared: make(map[*Kind]*pg.Batch[[3]string, *rowsRead])}
	for _, k := range []*Kind{ForRoute, ForUser} {
		batch := new(pg.Batch[[3]string, *rowsRead])
		batch.Start(func(ctx context.Context, questions [][3]string) ([]*rowsRead, error) {
			rows, err := s.ask(ctx, k, questions)
			return slices.Repeat([]*rowsRead{rows}, len(questions)), err
		})
		s.shared[k] = batch
	}
	return s
}

// Isolated returns a Store with a few connections of its own, to be closed by itself: see pg.DB.Isolated.
func (s *Store) Isolated(ctx context.Context) *Store { return newStore(s.pg.Isolated(ctx)) }

// Close waits until all questions are answered and closes every connection.
func (s *Store) Close() {
	for _, batch := range s.shared {
		batch.Stop()
	}
	s.pg.Close()
}

// DB returns the database that s asks.
func (s *Store) DB() *pg.DB { return s.pg }

// Read implements Source, in one round trip, or in a share of one where callers wait.
func (s *Store) Read(ctx context.Context, q Question, answer func(Rows) error) (pg.Freshness, error) {
	var rows *rowsRead
	var err error
	if batch := s.shared[q.kind]; batch != nil {
		rows, err = batch.Ask(ctx, q.args)
	} else {
		rows, err = s.ask(ctx, q.kind, [][3]string{q.args})
	}
	if err != nil {
		return pg.Freshness{}, err
	}
	return rows.fresh, answer(rows)
}

// ask reads the rows for questions of one kind.
func (s *Store) ask(ctx context.Context, k *Kind, questions [][3]string) (*rowsRead, error) {
	read := pg.Lookup[row]
	args := columns(k, questions)
	if !k.call {
		read = pg.Scan[row]
	}
	rows, fresh, err := read(ctx, s.pg, pgx.RowToStructByPos[row], k.operation, k.query, args...)
	if err != nil {
		return nil, err
	}
	return newRowsRead(k, rows, fresh), nil
}

// row is a row as a value under a key.
type row struct {
	Table string
	Key   string
	Value []byte
}

// rowsRead are rows that Postgres was asked for.
type rowsRead struct {
	kind    *Kind
	fresh   pg.Freshness
	version uint64
	rows    map[string]map[string][]byte // by table and key

	mu   sync.Mutex
	keys map[string][]string // in order, of the tables that were looked through
}

func newRowsRead(k *Kind, rows []row, fresh pg.Freshness) *rowsRead {
	r := &rowsRead{kind: k, fresh: fresh, rows: make(map[string]map[string][]byte), keys: make(map[string][]string)}
	for _, row := range rows {
		r.put(row.Table, row.Key, row.Value)
		if t := tableOf(row.Table); t.Index != nil {
			for _, i := range t.Index(row.Key, row.Value) {
				r.put(i.Index, i.Key, []byte(i.Value))
			}
		}
	}
	return r
}

func (r *rowsRead) put(table, key string, value []byte) {
	if r.rows[table] == nil {
		r.rows[table] = make(map[string][]byte)
	}
	r.rows[table][key] = value
}

// asked returns the rows of a table, or an error if the question did not ask for any of them.
func (r *rowsRead) asked(table string) (map[string][]byte, error) {
	if !r.kind.tables[table] {
		return nil, fmt.Errorf("the question %s does not read table %s", r.kind.operation, table)
	}
	return r.rows[table], nil
}

// Row implements Rows.
func (r *rowsRead) Row(table, key string) ([]byte, error) {
	rows, err := r.asked(table)
	return rows[key], err
}

// Each implements Rows.
func (r *rowsRead) Each(table, prefix string, f func(key string, value []byte) error) error {
	rows, err := r.asked(table)
	if err != nil {
		return err
	}
	keys := r.sorted(table)
	first, _ := slices.BinarySearch(keys, prefix)
	for _, key := range keys[first:] {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		if err := f(key, rows[key]); err != nil {
			return err
		}
	}
	return nil
}

func (r *rowsRead) sorted(table string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys[table] == nil {
		r.keys[table] = slices.Sorted(maps.Keys(r.rows[table]))
	}
	return r.keys[table]
}

// Version implements Rows. It is not known, unless these rows are kept.
func (r *rowsRead) Version(...string) uint64 { return r.version }
