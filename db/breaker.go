package db

import (
	"context"
	"sync/atomic"
	"time"
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
func (s *Store) Failed() bool { return time.Since(time.Unix(0, s.tripped.Load())) < time.Second }

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
func (b *breaker) trip(s *Store, probe func(context.Context) error) {
	if !b.open.CompareAndSwap(false, true) {
		return
	}
	s.metrics.trips.Inc()
	s.tripped.Store(time.Now().UnixNano())
	s.works.Go(func() { b.probe(s.life, probe) })
}

func (b *breaker) probe(life context.Context, probe func(context.Context) error) {
	for wait := probeFirstPause; life.Err() == nil; wait = min(2*wait, probeLastPause) {
		ctx, cancel := context.WithTimeout(life, probeTime)
		err := probe(ctx)
		cancel()
		if err == nil || life.Err() == nil && !unavailable(err) {
			b.open.Store(false)
			return
		}
		pause(life, wait)
	}
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
