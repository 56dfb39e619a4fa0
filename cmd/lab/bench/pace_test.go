//go:build linux

package bench

import (
	"errors"
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
		if requests.Add(1)%3 == 0 {
			_, _ = io.Copy(io.Discard, r.Body)
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		tellUser(w, r)
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

// What is asked in one part of a stream is that part's, and nothing is left out.
func TestParts(t *testing.T) {
	t.Parallel()
	var requests, connections atomic.Int64
	l := answering(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		tellUser(w, r)
	}, &connections)
	s, address := stream{load: *l, most: 1, callers: 1}, fmt.Sprintf("127.0.0.1:%d", l.callers[0].address.Port)
	var begun []int64
	more := func() error {
		n := requests.Load()
		begun = append(begun, n)
		for requests.Load() < n+3 {
			runtime.Gosched()
		}
		return nil
	}
	floods, err := s.runThrough(address, more, more, more)
	if err != nil {
		t.Fatal(err)
	}
	begun = append(begun, requests.Load())
	var all int64
	for i, f := range floods {
		all += int64(f.asked())
		if n := begun[i+1] - begun[i]; int64(f.asked()) < n-1 || int64(f.asked()) > n+1 { // one may have been under way
			t.Errorf("%d asked in part %d, in which %d came", f.asked(), i, n)
		}
		if f.took <= 0 {
			t.Errorf("part %d took %v", i, f.took)
		}
	}
	if all != requests.Load() {
		t.Errorf("%d asked, %d came", all, requests.Load())
	}
	failed := errors.New("failed")
	if _, err := s.runThrough(address, func() error { return failed }, func() error { t.Error("goes on"); return nil }); !errors.Is(err, failed) {
		t.Error(err)
	}
}
