package xmlcurl

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync/atomic"
	"time"
)

// errOverloaded is the end of a request for which the limiter has no slot.
var errOverloaded = errors.New("overloaded")

// burst is how many times the limit may be answered at a time for a while.
const burst = 8

// limiter hands out slots for one kind of work. Once the processors are busy, working on more at a time makes nothing faster
// and everything later. So the limit holds in the long run, and whoever is above it is told at once, while FreeSWITCH can
// still ask another server. A burst is no overload: calls that come in one moment are better late by milliseconds than lost.
// Nor is a database that hangs until its share of the deadline is over. Both pass within a deadline, and until then burst
// times the limit is handed out; for longer only while answers are degraded.
type limiter struct {
	limit    int64
	patience time.Duration // how long a burst may last
	degraded func() bool   // whether slots are held for the fault of others
	began    time.Time
	inUse    atomic.Int64
	busyFrom atomic.Int64  // when more than half of the limit came to be in use, in ns since began
	busyAt   atomic.Int64  // when that was last seen, likewise; it is over after patience
	atOnce   chan struct{} // how many slots may be worked in at a time; nil: all
}

func newLimiter(limit int64, patience time.Duration, degraded func() bool) *limiter {
	if degraded == nil {
		degraded = func() bool { return false }
	}
	l := &limiter{limit: limit, patience: patience, degraded: degraded, began: time.Now()}
	l.busyAt.Store(math.MinInt64 / 2)
	return l
}

// acquire takes a slot at time now, to be given back by release, or returns errOverloaded.
func (l *limiter) acquire(now time.Time) error {
	n := l.inUse.Add(1)
	if n <= (l.limit+1)/2 {
		return nil
	}
	busy := l.busyFor(now.Sub(l.began))
	if n <= l.limit || n <= l.limit*burst && (busy <= l.patience || l.degraded()) {
		return nil
	}
	l.inUse.Add(-1)
	return errOverloaded
}

// busyFor returns for how long, at a time since began, more than half of the limit has been in use.
func (l *limiter) busyFor(at time.Duration) time.Duration {
	if last := l.busyAt.Swap(int64(at)); at-time.Duration(last) > l.patience {
		l.busyFrom.Store(int64(at))
	}
	return at - time.Duration(l.busyFrom.Load())
}

// release gives a slot back.
func (l *limiter) release() { l.inUse.Add(-1) }

// work runs f, which holds a slot, when not too many others are at work. It waits for that until ctx ends, and then runs f
// all the same: the database is not asked any more, but local rows may still answer.
func (l *limiter) work(ctx context.Context, f func() error) error {
	if l.atOnce == nil {
		return f()
	}
	select {
	case l.atOnce <- struct{}{}:
		defer func() { <-l.atOnce }()
	case <-ctx.Done():
	}
	return f()
}

// limiters keep apart what must not wait for each other: calls, which are many and short; the documents that a switch asks
// for one by one when it starts or is told to; and those among them that list every gateway or network there is, which take
// a processor for tens of milliseconds. As many lists are made at a time as there are processors. The next one waits for
// that until the deadline, and calls go on meanwhile.
type limiters struct{ calls, documents, lists *limiter }

func newLimiters(limit int64, deadline time.Duration, degraded func() bool) limiters {
	one := func() *limiter { return newLimiter(limit, deadline, degraded) }
	l := limiters{one(), one(), one()}
	l.lists.atOnce = make(chan struct{}, runtime.GOMAXPROCS(0))
	return l
}

// of returns the limiter that r counts for.
func (l *limiters) of(r *Request) *limiter {
	switch {
	case r.Section == "configuration" && (r.KeyValue == "sofia.conf" || r.KeyValue == "acl.conf"):
		return l.lists
	case r.Section == "configuration":
		return l.documents
	case r.Section == "directory" && r.Field("user") == "" && r.Field("group") == "" && r.Field("group_name") == "":
		return l.lists
	}
	return l.calls
}
