package pg

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/internal/pace"
)

const (
	rolePause = 250 * time.Millisecond // from one look at a host to the next
	roleGap   = 50 * time.Millisecond  // at least, if somebody waits for the next
	roleTime  = time.Second            // for one
)

// freshTime is how old what a standby shows may be for its answers to count as today's.
const freshTime = time.Second

// ErrOutdated says why a host is not asked, or a moment not read.
var ErrOutdated = errors.New("the database answers with less than was there before: a standby that is behind, or a primary " +
	"that another one was promoted in place of")

// ErrLagging says why an answer is not current.
var ErrLagging = errors.New("a standby answers, and is behind its primary or without one")

// WALPosition is a place in the write-ahead log of a database: what a host has flushed, or replayed.
type WALPosition struct {
	System   int64 // which database cluster it is of; 0: none
	Timeline int32
	LSN      int64
}

// Reaches reports whether whoever is at p shows what was committed before q. Clusters have nothing to do with each other.
func (p WALPosition) Reaches(q WALPosition) bool {
	return p.System != q.System || cmp.Or(cmp.Compare(p.Timeline, q.Timeline), cmp.Compare(p.LSN, q.LSN)) >= 0
}

// precedes reports whether p is on an earlier timeline of the same cluster than q.
func (p WALPosition) precedes(q WALPosition) bool {
	return p.System == q.System && p.Timeline < q.Timeline
}

// start is before everything on p's timeline.
func (p WALPosition) start() *WALPosition {
	return &WALPosition{System: p.System, Timeline: p.Timeline}
}

// role is what a host was at the last look.
type role struct {
	answers  bool
	standby  bool
	wal      WALPosition
	at       time.Time // of the look
	inStepAt time.Time // of a standby: what it shows is not older than this
}

// lag is how old what the host shows may be.
func (r *role) lag() time.Duration {
	if !r.standby {
		return 0
	}
	return time.Since(r.inStepAt)
}

// outdated reports whether the host shows less than was seen at due. Of a primary only another one's promotion makes that.
func (r *role) outdated(due WALPosition) bool {
	if r.standby {
		return !r.wal.Reaches(due)
	}
	return r.wal.precedes(due)
}

// overtaken reports whether a look that began earlier than that of last, and ended later, found less.
func (r role) overtaken(last *role) bool {
	return r.at.Before(last.at) && !r.wal.Reaches(last.wal)
}

// after is r, with what was known of the host before: a standby whose primary has gone is as old as that.
func (r role) after(before *role) *role {
	if before.standby && before.wal.System == r.wal.System && r.wal.Reaches(before.wal) && before.inStepAt.After(r.inStepAt) {
		r.inStepAt = before.inStepAt
	}
	return &r
}

// walTimeline and FlushedLSN are the parts of a position, where standby says what the host is. A standby tells its timeline
// as its control file has it, which may be one that has ended, and none that has not begun.
const (
	walTimeline = `CASE
		WHEN standby THEN (SELECT greatest(timeline_id, min_recovery_end_timeline) FROM pg_control_checkpoint(), pg_control_recovery())
		ELSE ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::integer
	END`
	FlushedLSN = `(CASE WHEN standby THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END - '0/0')::bigint`
)

// roleQuery tells of a standby whether it has all that its primary sent it, and how long ago the last commit was made
// that it has; if it has not replayed any since its start, its last checkpoint.
const roleQuery = `
WITH r AS MATERIALIZED (
	SELECT pg_is_in_recovery() AS standby
)
SELECT
	standby,
	(SELECT system_identifier FROM pg_control_system()),
	` + walTimeline + `,
	` + FlushedLSN + `,
	NOT standby OR coalesce(pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_stat_wal_receiver), false),
	extract(epoch FROM clock_timestamp() - coalesce(
		pg_last_xact_replay_timestamp(), (SELECT checkpoint_time FROM pg_control_checkpoint())))::float8
FROM r`

// look asks a host for its role, in the simple protocol: a balancer may not know of prepared statements.
func look(ctx context.Context, at interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) (role, error) {
	r := role{answers: true, at: time.Now()}
	var inStep bool
	var age float64
	err := at.QueryRow(ctx, roleQuery, pgx.QueryExecModeSimpleProtocol).Scan(&r.standby, &r.wal.System, &r.wal.Timeline, &r.wal.LSN, &inStep, &age)
	if r.inStepAt = r.at; !inStep {
		r.inStepAt = r.at.Add(-time.Duration(max(age, 0) * float64(time.Second)))
	}
	return r, err
}

// sightings are where the primary was at the last look and at the one before. Whoever answers has to show what it had at
// the earlier one: a commit is there well within a second, and the last that a primary writes before it dies may never
// reach a standby.
type sightings struct {
	due, last atomic.Pointer[WALPosition]
	dueAt     atomic.Int64 // when due was raised last, in ns
}

// raisedSince reports whether more may be due than at a time.
func (s *sightings) raisedSince(at time.Time) bool { return s.dueAt.Load() >= at.UnixNano() }

// nowhere is where nothing was seen.
var nowhere = new(WALPosition)

// raise makes p what is due, if before still is.
func (s *sightings) raise(before, p *WALPosition) {
	if *before != *p && s.due.CompareAndSwap(before, p) {
		s.dueAt.Store(time.Now().UnixNano())
	}
}

func (s *sightings) start() {
	s.due.Store(nowhere)
	s.last.Store(nowhere)
}

// remember makes p what was seen last, unless there is something newer.
func (s *sightings) remember(p WALPosition) {
	s.raise(nowhere, &p)
	s.last.CompareAndSwap(nowhere, &p)
}

func (s *sightings) add(p WALPosition) {
	earlier := s.last.Swap(&p)
	if earlier.precedes(p) {
		earlier = p.start()
	}
	s.raise(s.due.Load(), earlier)
}

// promoted takes note at once that there is a primary on the timeline of p, if none was seen there: whoever is on an
// earlier one lacks all that it commits.
func (s *sightings) promoted(p WALPosition) {
	if due := s.due.Load(); due.precedes(p) {
		s.raise(due, p.start())
	}
}

// outdated reports whether one shows less than was seen.
func (h *hosts) outdated(one *host) bool {
	due := *h.seen.due.Load() // first: one may be promoted meanwhile
	return one.role.Load().outdated(due)
}

// mayCatchUp reports whether a host that showed too little may show more by now: its last look is some time ago, or more
// has been due since, because it was promoted itself.
func (h *hosts) mayCatchUp(last *role) bool {
	return last.answers && (time.Since(last.at) > roleGap || h.seen.raisedSince(last.at))
}

// shows reports whether one shows what was seen. If it did not at the last look, a moment ago, it may do so by now.
func (h *hosts) shows(ctx context.Context, one *host, limit time.Duration) bool {
	if !h.outdated(one) {
		return true
	}
	one.looking.Lock()
	defer one.looking.Unlock()
	if h.outdated(one) && h.mayCatchUp(one.role.Load()) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(limit, roleTime)) // it is for all who wait here
		defer cancel()
		h.look(ctx, one)
	}
	return !h.outdated(one)
}

// watch looks at every host some times a second until ctx is done, each by itself: one that hangs does not keep the others
// from being looked at. One that was promoted comes first, one that is away last.
func (h *hosts) watch(ctx context.Context) {
	var watching sync.WaitGroup
	for _, one := range h.all {
		watching.Go(func() {
			for ctx.Err() == nil {
				h.look(ctx, one)
				h.sort()
				pace.Sleep(ctx, rolePause)
			}
		})
	}
	watching.Wait()
}

func (h *hosts) look(ctx context.Context, one *host) {
	ctx, cancel := context.WithTimeout(ctx, roleTime)
	defer cancel()
	now, err := look(ctx, one.calls)
	switch {
	case err == nil:
		if h.note(one, now); !now.standby && !h.outdated(one) {
			h.seen.add(now.wal)
		}
	case errors.Is(err, ErrOutdated): // noted when it was found
	default:
		last := one.role.Load()
		away := *last
		away.answers = !Unavailable(err)
		one.role.CompareAndSwap(last, &away) // else somebody else was answered meanwhile
	}
}

// connected looks at a host when a connection to it was made, before anything is asked on it: the host may have started
// anew since the last look, and then shows what it had long ago until it has caught up. What is connected stays, as long
// as it lives, at least where it was.
func (h *hosts) connected(ctx context.Context, one *host, conn *pgx.Conn) error {
	for {
		now, err := look(ctx, conn)
		if err != nil {
			if Unavailable(err) {
				return err
			}
			return nil // one that may not be looked at is taken as it is
		}
		if now.standby {
			conn.PgConn().CustomData()[standbyConn] = now.wal
		}
		switch h.note(one, now); {
		case !now.outdated(*h.seen.due.Load()):
			return nil
		case !h.seen.raisedSince(now.at):
			return ErrOutdated
		}
	}
}

// standbyConn is what a connection to a standby is marked by.
const standbyConn = "standby"

// ledTo is what a host was when a connection to a standby was given to a question. A balancer's may be another at the answer.
type ledTo struct {
	role *role
	at   time.Time
}

// leadsThere reports whether conn leads to what the last look at h found. A balancer may have led it to a standby, and the
// look to the primary: then the connection is closed, for its answers would pass for the primary's. A standby that was
// promoted is on another timeline, and its connections stay.
func (h *host) leadsThere(conn *pgx.Conn) bool {
	wal, standby := conn.PgConn().CustomData()[standbyConn].(WALPosition)
	if !standby {
		return true
	}
	now := h.role.Load()
	if now.standby {
		h.led.Store(&ledTo{now, time.Now()})
	}
	return now.standby || now.wal.System != wal.System || now.wal.Timeline != wal.Timeline
}

// note takes note of what one was found to be: first of that, then of what is due therefore, so that a standby that was
// promoted is never thought to be behind itself.
func (h *hosts) note(one *host, now role) {
	for {
		last := one.role.Load()
		if now.overtaken(last) || one.role.CompareAndSwap(last, now.after(last)) {
			break
		}
	}
	if !now.standby {
		h.seen.promoted(now.wal)
	}
}

// sort puts primaries first, then standbys as fresh as they are, then those that are not asked, and those that do not
// answer last; equal ones stand as they do in the URL.
func (h *hosts) sort() {
	h.sorting.Lock()
	defer h.sorting.Unlock()
	order := slices.Clone(h.all)
	slices.SortStableFunc(order, func(a, b *host) int { return slices.Compare(h.rank(a), h.rank(b)) })
	h.order.Store(&order)
}

// rank is what orders one among the hosts: the lower, the earlier it is asked.
func (h *hosts) rank(one *host) []float64 {
	r := one.role.Load()
	return []float64{truth(!r.answers), truth(h.outdated(one)), truth(r.standby), r.lag().Truncate(freshTime).Seconds()}
}
