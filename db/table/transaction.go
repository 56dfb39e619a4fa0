package table

import (
	"bytes"
	"cmp"
	"context"
	"maps"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// transaction is the Source of what one transaction sees: what it changed itself, too.
type transaction struct{ tx pgx.Tx }

// InTransaction returns a Source of what tx sees. Like tx, it is for one goroutine.
func InTransaction(tx pgx.Tx) Source { return transaction{tx} }

// Read implements Source, in one round trip.
func (t transaction) Read(ctx context.Context, q Question, answer func(Rows) error) (pg.Freshness, error) {
	rows, err := pg.Rows(ctx, t.tx, pgx.RowToStructByPos[row], q.kind.query, columns(q.kind, [][3]string{q.args})...)
	if err != nil {
		return pg.Freshness{}, pg.Translate(q.kind.operation, err)
	}
	return pg.Freshness{}, answer(newRowsRead(q.kind, rows, pg.Freshness{}))
}

// Seen is the Source of what one transaction sees at present, to many nodes. Rows are read for all of them at once, and kept, so
// it is no Source any more when the transaction changes something. Like the transaction, it is for one goroutine.
type Seen struct {
	tx    pgx.Tx
	nodes []string
	kept  map[Question]*rowsRead // by question, without the node
}

// SeenBy returns a Source of what tx sees at present, for nodes.
func SeenBy(tx pgx.Tx, nodes []string) *Seen { return &Seen{tx, nodes, make(map[Question]*rowsRead)} }

// Read implements Source, in one round trip, or in none.
func (s *Seen) Read(ctx context.Context, q Question, answer func(Rows) error) (pg.Freshness, error) {
	rows, err := s.rows(ctx, q)
	if err != nil {
		return pg.Freshness{}, err
	}
	return pg.Freshness{}, answer(rows)
}

// Same reports whether other holds the same rows for q, whichever of the nodes asks. The two are asked at once.
func (s *Seen) Same(ctx context.Context, other *Seen, q Question) (bool, error) {
	var theirs *rowsRead
	failed := make(chan error, 1)
	go func() {
		var err error
		theirs, err = other.rows(ctx, q)
		failed <- err
	}()
	own, err := s.rows(ctx, q)
	if err := cmp.Or(<-failed, err); err != nil {
		return false, err
	}
	return maps.EqualFunc(own.rows, theirs.rows, func(a, b map[string][]byte) bool { return maps.EqualFunc(a, b, bytes.Equal) }), nil
}

// rows are those for q, read once.
func (s *Seen) rows(ctx context.Context, q Question) (*rowsRead, error) {
	about := q
	about.args[0] = ""
	if rows := s.kept[about]; rows != nil {
		return rows, nil
	}
	args := columns(q.kind, [][3]string{q.args})
	if len(args) > 0 {
		args[0] = s.nodes
	}
	all, err := pg.Rows(ctx, s.tx, pgx.RowToStructByPos[row], q.kind.query, args...)
	if err != nil {
		return nil, pg.Translate(q.kind.operation, err)
	}
	rows := newRowsRead(q.kind, all, pg.Freshness{})
	s.kept[about] = rows
	rows.version = uint64(len(s.kept))
	return rows, nil
}

// Ahead is the Source of what a transaction sees, with the rows for many questions of one kind read in one round trip. Other
// questions cost a round trip each. Like the transaction, it is for one goroutine, and only while that changes nothing.
type Ahead struct {
	transaction
	read map[Question]*rowsRead
}

// NewAhead returns a Source that has read nothing yet.
func NewAhead(tx pgx.Tx) *Ahead { return &Ahead{transaction: transaction{tx}} }

// Ask reads the rows for questions, which are of one kind, and forgets those for questions before.
func (a *Ahead) Ask(ctx context.Context, questions []Question) error {
	a.read = make(map[Question]*rowsRead, len(questions))
	if len(questions) == 0 {
		return nil
	}
	kind := questions[0].kind
	args := make([][3]string, len(questions))
	for i := range questions {
		args[i] = questions[i].args
	}
	all, err := pg.Rows(ctx, a.tx, pgx.RowToStructByPos[row], kind.query, columns(kind, args)...)
	if err != nil {
		return pg.Translate(kind.operation, err)
	}
	rows := newRowsRead(kind, all, pg.Freshness{})
	for _, q := range questions {
		a.read[q] = rows
	}
	return nil
}

// Read implements Source.
func (a *Ahead) Read(ctx context.Context, q Question, answer func(Rows) error) (pg.Freshness, error) {
	if rows := a.read[q]; rows != nil {
		return pg.Freshness{}, answer(rows)
	}
	return a.transaction.Read(ctx, q, answer)
}
