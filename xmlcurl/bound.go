package xmlcurl

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync/atomic"
	"time"
)

// errOverloaded is the end of a request for which there is no room.
var errOverloaded = errors.New("overloaded")

// burst is how many times as many as usual may be under way for a while.
const burst = 8

// bound is how much of one kind of work may be under way. Once the processors are busy, working on more at a time makes
// nothing faster and everything later. So no more than most are let in for long, and the others are told so at once,
// when they can still ask another server. A burst is no overload: as many calls as come in one moment are better late by
// some milliseconds than lost. Nor is a database that hangs until its share of the deadline is over. Both pass within
// patience, and until then burst times as many are let in; and longer only while a database fails again and again.
type bound struct {
	most     int64
	patience time.Duration
	hampered func() bool // by others, who fail
	began    time.Time
	underWay atomic.Int64
	rose     atomic.Int64  // when more than half of most came to be under way, in ns since began
	high     atomic.Int64  // when that was still so last; it is over after patience
	turns    chan struct{} // who is let in waits for one of them; nil: nobody waits
}

func newBound(most int64, patience time.Duration, hampered func() bool) *bound {
	if hampered == nil {
		hampered = func() bool { return false }
	}
	b := &bound{most: most, patience: patience, hampered: hampered, began: time.Now()}
	b.high.Store(math.MinInt64 / 2)
	return b
}

// enter lets a request in, to leave in the end, or returns errOverloaded.
func (b *bound) enter(now time.Time) error {
	n := b.underWay.Add(1)
	if n <= (b.most+1)/2 {
		return nil
	}
	lasts := b.lasts(now.Sub(b.began))
	if n <= b.most || n <= b.most*burst && (lasts <= b.patience || b.hampered()) {
		return nil
	}
	b.underWay.Add(-1)
	return errOverloaded
}

// lasts returns for how long, at a time since began, more than half of most have been under way.
func (b *bound) lasts(at time.Duration) time.Duration {
	if last := b.high.Swap(int64(at)); at-time.Duration(last) > b.patience {
		b.rose.Store(int64(at))
	}
	return at - time.Duration(b.rose.Load())
}

func (b *bound) leave() { b.underWay.Add(-1) }

// takeTurn waits for a turn until ctx ends, and reports whether it has to be ended.
func (b *bound) takeTurn(ctx context.Context) bool {
	if b.turns == nil {
		return false
	}
	select {
	case b.turns <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (b *bound) endTurn() { <-b.turns }

// busy reports whether it is time to look at requests before they are read, when there are more coming.
func (b *bound) busy(more int) bool { return b.underWay.Load()+int64(more) >= (b.most+1)/2 }

// bounds keep apart what must not wait for each other: calls, which are many and short; the documents that a switch asks
// for one by one when it starts or is told to; and those among them that list every gateway or network there is, which
// take a processor for tens of milliseconds. As many of those are made at a time as there are processors, whoever else
// wants one waits for that until the deadline, and calls go on meanwhile.
type bounds struct{ calls, documents, lists *bound }

func newBounds(most int64, deadline time.Duration, hampered func() bool) bounds {
	one := func() *bound { return newBound(most, deadline, hampered) }
	b := bounds{one(), one(), one()}
	b.lists.turns = make(chan struct{}, runtime.GOMAXPROCS(0))
	return b
}

// of returns the bound that r counts for.
func (b *bounds) of(r *Request) *bound {
	switch {
	case r.Section == "configuration" && (r.KeyValue == "sofia.conf" || r.KeyValue == "acl.conf"):
		return b.lists
	case r.Section == "configuration":
		return b.documents
	case r.Section == "directory" && r.Field("user") == "" && r.Field("group") == "" && r.Field("group_name") == "":
		return b.lists
	}
	return b.calls
}
