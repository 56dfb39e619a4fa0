package localrows

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// source answers from the local rows, once the database has said that those are what it holds: a question that costs it a
// few microseconds, and that all who ask at that moment share. Rows that it has changed since they were read, it is asked for.
// Where it does not answer, or answers with a fault, the local rows answer what they held last, even when the time for the
// database is over: they need next to none. What neither can answer is its fault.
type source struct {
	rows   *table.Store
	local  *Store
	strict bool // only what the primary holds now will do
}

// NewSource returns a Source of what rows holds, and of what l held last while rows does not answer: such answers are marked
// with their age.
func NewSource(rows *table.Store, l *Store) table.Source { return source{rows, l, false} }

// NewStrictSource returns a Source of what the primary holds now. What it does not prove of l is read from rows, which
// asks nobody else.
func NewStrictSource(rows *table.Store, l *Store) table.Source { return source{rows, l, true} }

// Read implements table.Source.
func (s source) Read(ctx context.Context, q table.Question, answer func(table.Rows) error) (pg.Freshness, error) {
	p, err := s.local.prove(ctx)
	if s.strict && p != nil && p.fresh.Standby {
		p = nil // it may be behind the primary
	}
	if p != nil && s.local.proved(p, answer) == nil {
		return p.fresh, nil
	}
	var fresh pg.Freshness
	if err == nil || s.strict { // to ask for more would only take longer
		fresh, err = s.rows.Read(ctx, q, answer)
	}
	if err == nil || s.strict || errors.Is(ctx.Err(), context.Canceled) { // nobody waits any more
		return fresh, err
	}
	stale, missing := s.local.Read(ctx, q, answer)
	if missing != nil {
		return pg.Freshness{}, err
	}
	stale.Reason = err
	return stale, nil
}

// proof is what the database says of the local rows: which of them it has changed since they were read. Rows that are not
// among those are what it holds now.
type proof struct {
	unread *unread
	epoch  int // of the local rows
	fresh  pg.Freshness
}

const (
	// provableTime is how long ago the local rows may have been followed for a proof to count: it says nothing of a restore, or
	// of triggers that are off, which following finds out.
	provableTime = 2 * time.Second
	// unreadMost is how many changed rows a proof names. Where there are more, nothing is proved.
	unreadMost = 500
)

// unreadQuery asks which table the journal is, since a restore makes another one, if it lost nothing; and for the changes that
// snapshot $4 does not show: those of transactions that had not begun then, and of those that were under way. Each is found by
// index, however long a transaction has been open.
const unreadQuery = `
SELECT '' AS relation, '' AS scope, CASE WHEN ` + nothingLost + ` THEN 'change'::regclass::oid::text ELSE '' END AS key
UNION ALL
SELECT relation, scope, coalesce(key, '')
FROM change
WHERE xid >= pg_snapshot_xmax($4::text::pg_snapshot)
	AND xid < pg_snapshot_xmax(pg_current_snapshot())
UNION ALL
SELECT relation, scope, coalesce(key, '')
FROM change
WHERE xid = ANY (ARRAY(SELECT pg_snapshot_xip($4::text::pg_snapshot)))
LIMIT $5`

// prove asks the database what it has changed since the local rows were read, together with all who ask at that moment. It
// returns nil where nothing can be proved. The error is the database's.
func (l *Store) prove(ctx context.Context) (p *proof, err error) {
	if !l.provable() {
		return nil, nil
	}
	return l.proofs.Ask(ctx, struct{}{})
}

// provable reports whether the local rows are followed.
func (l *Store) provable() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.overtaken.IsZero() && time.Since(l.followed) < provableTime
}

func (l *Store) askProofs(ctx context.Context, askers []struct{}) ([]*proof, error) {
	l.mu.RLock()
	was, args, epoch := l.now.Position, l.proofArgs, l.epoch
	l.mu.RUnlock()
	proofs := make([]*proof, len(askers))
	rows, fresh, err := pg.Lookup(ctx, l.pg, pgx.RowToStructByPos[change], "changes", unreadQuery, args...)
	if err != nil {
		return nil, err
	}
	if len(rows) > unreadMost || fresh.Host.System != was.WAL.System || fresh.Host.Timeline != was.WAL.Timeline {
		return proofs, nil
	}
	p := &proof{epoch: epoch, fresh: fresh}
	for _, n := range rows {
		switch {
		case n.Relation != "":
			p.unread = p.unread.with(n)
		case n.Key != was.Journal:
			return proofs, nil
		}
	}
	for i := range proofs {
		proofs[i] = p
	}
	return proofs, nil
}

// proved calls answer with the local rows, but for those that p says have changed.
func (l *Store) proved(p *proof, answer func(table.Rows) error) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if p.epoch != l.epoch || !l.overtaken.IsZero() {
		return errNotHeld
	}
	return l.view(p.unread, answer)
}

// Read implements table.Source: with the local rows as they are, if they may answer at all while the database does not. What is
// known to have changed and was not read is not answered.
func (l *Store) Read(_ context.Context, _ table.Question, answer func(table.Rows) error) (pg.Freshness, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	age, usable := l.age()
	if !usable {
		return pg.Freshness{}, errNotHeld
	}
	var doubtful *unread
	for n, since := range l.doubt {
		if l.tooOld(since) {
			doubtful = doubtful.with(n)
		}
	}
	return pg.Freshness{Age: age, Reason: errNotHeld}, l.view(doubtful, answer)
}
