package xmlcurl

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiter(t *testing.T) {
	t.Parallel()
	var degraded bool
	l := newLimiter(4, time.Second, func() bool { return degraded })
	at := func(d time.Duration) time.Time { return l.began.Add(d) }
	enter := func(n int, d time.Duration) (let int) {
		for range n {
			if l.acquire(at(d)) == nil {
				let++
			}
		}
		return let
	}
	if let := enter(100, 0); let != 4*burst {
		t.Errorf("a burst: %d are let in, want %d", let, 4*burst)
	}
	for range 4*burst - 10 {
		l.release()
	}
	if let := enter(5, time.Second); let != 5 {
		t.Errorf("the burst goes on: %d are let in, want 5", let)
	}
	if let := enter(5, time.Second+1); let != 0 {
		t.Errorf("it is no burst any more: %d are let in", let)
	}
	degraded = true
	if let := enter(100, time.Second+1); let != 4*burst-15 {
		t.Errorf("while the database fails: %d are let in, want %d", let, 4*burst-15)
	}
	degraded = false
	for range 4 * burst {
		l.release()
	}
	if let := enter(100, time.Second+2); let != 4 {
		t.Errorf("none was under way for a moment only: %d are let in, want 4", let)
	}
	for range 4 {
		l.release()
	}
	if let := enter(100, 3*time.Second); let != 4*burst {
		t.Errorf("a burst after a calm time: %d are let in, want %d", let, 4*burst)
	}
	for range 4 * burst {
		l.release()
	}
	enter(3, 6*time.Second)
	for half := 13; half <= 16; half++ { // more than half of the limit is in use, and not more
		l.release()
		enter(1, time.Duration(half)*500*time.Millisecond)
	}
	if let := enter(100, 8*time.Second); let != 1 {
		t.Errorf("after a busy time: %d are let in, want 1", let)
	}
}

// asks calls f with form, without a socket.
func (f *fixture) asks(form string) (status int) { return f.do(post(form)).Code }

// Of many times what the server can do it does as much as it can, in the time that this takes; the rest is refused and
// counted, and when it is over, it is over.
func TestOverload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit, work, deadline, lasts = 4, 20 * time.Millisecond, 400 * time.Millisecond, 5 * time.Second
		began := time.Now()
		// Once the burst is over, and those that it let in are done.
		settled := func() bool { return time.Since(began) > deadline+burst*work }
		var inUse, highest, answered, refused atomic.Int64
		f := newFixture(Options{MaxInFlight: limit, Deadline: deadline, Handler: HandlerFunc(
			func(_ context.Context, _ *Request, d *Document) error {
				n := inUse.Add(1)
				defer inUse.Add(-1)
				if settled() {
					highest.Store(max(highest.Load(), n))
				}
				time.Sleep(work)
				d.Empty("context")
				return nil
			})})
		var callers sync.WaitGroup
		for range 64 {
			callers.Go(func() {
				for time.Since(began) < lasts {
					switch f.asks("section=dialplan") {
					case http.StatusOK:
						if settled() {
							answered.Add(1)
						}
					case http.StatusServiceUnavailable:
						refused.Add(1)
						time.Sleep(time.Millisecond)
					}
				}
			})
		}
		callers.Wait()
		possible := int64(limit * (lasts - deadline - burst*work) / work)
		if n := answered.Load(); n < possible*9/10 || highest.Load() != limit {
			t.Errorf("%d answered of %d, %d at a time", n, possible, highest.Load())
		}
		if status := f.asks("section=dialplan"); status != http.StatusOK {
			t.Errorf("afterwards: %d", status)
		}
		if got := f.results(t)["overloaded"]; got != float64(refused.Load()) || got == 0 {
			t.Errorf("%v counted, %d refused", got, refused.Load())
		}
		if lines := strings.Count(f.log.String(), "more is asked than can be answered"); lines != 1 {
			t.Errorf("%d lines in the log", lines)
		}
	})
}

// Documents that list everything are made a few at a time: all get theirs, and calls go on meanwhile.
func TestListsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var atWork, highest atomic.Int64
		f := newFixture(Options{MaxInFlight: 64, Deadline: time.Minute, Handler: HandlerFunc(
			func(_ context.Context, r *Request, d *Document) error {
				if r.Section == "configuration" {
					highest.Store(max(highest.Load(), atWork.Add(1)))
					defer atWork.Add(-1)
					<-release
				}
				d.Empty("context")
				return nil
			})})
		var switches sync.WaitGroup
		for range 50 {
			switches.Go(func() {
				if status := f.asks("section=configuration&key_value=sofia.conf"); status != http.StatusOK {
					t.Errorf("sofia.conf: %d", status)
				}
			})
		}
		synctest.Wait()
		for range 100 {
			if status := f.asks("section=dialplan"); status != http.StatusOK {
				t.Errorf("a call: %d", status)
			}
		}
		close(release)
		switches.Wait()
		if n := highest.Load(); n != int64(runtime.GOMAXPROCS(0)) {
			t.Errorf("%d at a time", n)
		}
	})
}

// A list waits for its turn until there is no time left to ask anybody for it; what can be had without, is.
func TestListWaitsUntilTheDeadline(t *testing.T) {
	t.Parallel()
	var late atomic.Bool
	f := newFixture(Options{Deadline: 50 * time.Millisecond, Handler: HandlerFunc(func(ctx context.Context, _ *Request, _ *Document) error {
		late.Store(ctx.Err() != nil)
		return nil
	})})
	atOnce := f.limiters.lists.atOnce
	for range cap(atOnce) {
		atOnce <- struct{}{}
	}
	if status := f.asks("section=configuration&key_value=acl.conf"); status != http.StatusOK || !late.Load() {
		t.Errorf("while others are at work: %d, with its time over: %v", status, late.Load())
	}
	<-atOnce
	if status := f.asks("section=configuration&key_value=acl.conf"); status != http.StatusOK || late.Load() {
		t.Errorf("when there is room: %d, with its time over: %v", status, late.Load())
	}
}
