package main

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// A stream has no more requests under way than it may, and tells those that were refused from those that were answered.
func TestStream(t *testing.T) {
	t.Parallel()
	var requests, connections, underWay, highest atomic.Int64
	l := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if n := underWay.Add(1); n > highest.Load() {
			highest.Store(n)
		}
		defer underWay.Add(-1)
		body, _ := io.ReadAll(r.Body)
		if requests.Add(1)%3 == 0 {
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "user is "+string(body[len(body)-4:]))
	}, &connections)
	address := fmt.Sprintf("127.0.0.1:%d", l.callers[0].address.Port)
	for _, perSecond := range []float64{0, 2000} {
		requests.Store(0)
		s := stream{load: *l, perSecond: perSecond, most: 4, callers: 2}
		f, err := s.run(address, 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		n := requests.Load()
		if n < 3 || int64(f.asked()) != n || int64(len(f.refused)) != n/3 || highest.Load() > 4 {
			t.Errorf("%d requests, %d answered, %d refused, %d at a time", n, len(f.answered), len(f.refused), highest.Load())
		}
		if limit := int64(perSecond * f.took.Seconds()); limit > 0 && n > limit+2 {
			t.Errorf("%d requests in %v, at %v a second", n, f.took, perSecond)
		}
	}
}

// What is asked during the lead does not count, and all that is asked after it does.
func TestLead(t *testing.T) {
	t.Parallel()
	var requests, connections atomic.Int64
	l := answering(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, "user is "+string(body[len(body)-4:]))
	}, &connections)
	await := func(n int64) int64 {
		for requests.Load() < n {
			runtime.Gosched()
		}
		return requests.Load()
	}
	var led, begun int64
	s := stream{load: *l, most: 1, callers: 1}
	f, err := s.runWhile(fmt.Sprintf("127.0.0.1:%d", l.callers[0].address.Port), func() { led = await(3) }, func() error {
		begun = requests.Load()
		await(begun + 3)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all, counted := requests.Load(), int64(f.asked())
	if counted > all-led || counted < all-begun-1 { // one may have been under way
		t.Errorf("%d counted of %d, %d of them in the lead, %d when it was over", counted, all, led, begun)
	}
}
