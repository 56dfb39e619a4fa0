package pg

import (
	"context"
	"sync/atomic"
	"time"

	"xmlcurld/internal/pace"
)

// breaker keeps the questions of one operation from a host that failed one, so that no further call waits for it.
type breaker struct{ open atomic.Bool }

const (
	probeFirstPause = 10 * time.Millisecond  // from the first try to get an answer again to the second; then twice that…
	probeLastPause  = 200 * time.Millisecond // …at most: a connection that broke is back at once, a server is not
	probeTime       = time.Second            // for one try
)

func (h *host) breaker(operation string) *breaker {
	if b, ok := h.breakers.Load(operation); ok {
		return b.(*breaker)
	}
	b, _ := h.breakers.LoadOrStore(operation, new(breaker))
	return b.(*breaker)
}

// Failed reports whether a host has failed a question in the last second, so that those who asked it had to wait.
func (d *DB) Failed() bool { return time.Since(time.Unix(0, d.tripped.Load())) < time.Second }

// failing is how many kinds of question the host fails at present.
func (h *host) failing() (n int) {
	h.breakers.Range(func(_, b any) bool {
		if b.(*breaker).open.Load() {
			n++
		}
		return true
	})
	return n
}

// trip opens b until probe, the question that failed, is answered.
func (b *breaker) trip(d *DB, probe func(context.Context) error) {
	if !b.open.CompareAndSwap(false, true) {
		return
	}
	d.metrics.trips.Inc()
	d.tripped.Store(time.Now().UnixNano())
	d.works.Go(func() { b.probe(d.life, probe) })
}

func (b *breaker) probe(life context.Context, probe func(context.Context) error) {
	for wait := probeFirstPause; life.Err() == nil; wait = min(2*wait, probeLastPause) {
		ctx, cancel := context.WithTimeout(life, probeTime)
		err := probe(ctx)
		cancel()
		if err == nil || life.Err() == nil && !Unavailable(err) {
			b.open.Store(false)
			return
		}
		pace.Sleep(life, wait)
	}
}
