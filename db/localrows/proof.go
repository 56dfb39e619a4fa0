package localrows

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// proof is what the database says of the local rows: which of them it has changed since they were read. Rows that are not
// among those are what it holds now.
type proof struct {
	unread changes
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

// unreadQuery asks which table the journal is, since a restore makes another one, and for the changes that snapshot $1 does not
// show: those of transactions that had not begun then, and of those that were under way. Each is found by index, however long
// a transaction has been open.
const unreadQuery = `
SELECT '' AS relation, '' AS scope, 'change'::regclass::oid::text AS key
UNION ALL
SELECT relation, scope, coalesce(key, '')
FROM change
WHERE xid >= pg_snapshot_xmax($1::pg_snapshot)
	AND xid < pg_snapshot_xmax(pg_current_snapshot())
UNION ALL
SELECT relation, scope, coalesce(key, '')
FROM change
WHERE xid = ANY (ARRAY(SELECT pg_snapshot_xip($1::pg_snapshot)))
LIMIT $2`

// prove asks the database what it has changed since the local rows were read, together with all who ask at that moment. It
// returns false where nothing can be proved. The error is the database's.
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
	was, epoch := l.now.Position, l.epoch
	l.mu.RUnlock()
	proofs := make([]*proof, len(askers))
	rows, fresh, err := pg.Lookup(ctx, l.pg, pgx.RowToStructByPos[change], "changes", unreadQuery, was.Snapshot, unreadMost+1)
	if err != nil {
		return nil, err
	}
	if len(rows) > unreadMost || fresh.Host.System != was.WAL.System || fresh.Host.Timeline != was.WAL.Timeline {
		return proofs, nil
	}
	p := &proof{epoch: epoch, fresh: fresh}
	for _, n := range rows {
		switch {
		case n.Relation == "" && n.Key == was.Journal:
			continue
		case n.Relation == "" || n.everything():
			return proofs, nil
		}
		if p.unread == nil {
			p.unread = make(changes)
		}
		p.unread[n] = true
	}
	for i := range proofs {
		proofs[i] = p
	}
	return proofs, nil
}

// proved calls f with the local rows, but for those that p says have changed.
func (l *Store) proved(p *proof, f func(v view) error) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if p.epoch != l.epoch || !l.overtaken.IsZero() {
		return errNotHeld
	}
	return l.view(p.unread, f)
}
