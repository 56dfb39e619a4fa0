//go:build linux

package load

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xmlcurld/cmd/lab/report"
	"xmlcurld/cmd/lab/world"
)

// answering is a load on a server with handler, which asks for /{user}.
func answering(t *testing.T, handler http.HandlerFunc, connections *atomic.Int64) *Load {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return &Load{
		InFlight: 5,
		Length:   len("user is 1001"),
		address:  s.Listener.Addr().String(),
		sizes:    world.Sizes{Tenants: 3, Numbers: 100, Users: 30, Nodes: 2},
		request:  post("/xml", strings.Repeat("x", 7000)+"&user={user}"),
		proof:    newTemplate("is {user}"),
	}
}

// tellUser is the right answer.
func tellUser(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, user, _ := strings.Cut(string(body), "&user=")
	_, _ = io.WriteString(w, "user is "+user)
}

func TestLoadAsksOnANewConnectionEachTime(t *testing.T) {
	t.Parallel()
	var requests, connections atomic.Int64
	l := answering(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		tellUser(w, r)
	}, &connections)
	for range 2 {
		before := requests.Load()
		o, err := l.Run(50 * time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		s := o.Sample()
		if answers := int64(s.Answers); answers == 0 || answers != requests.Load()-before || connections.Load() != requests.Load() {
			t.Errorf("%d answers to %d requests on %d connections", answers, requests.Load()-before, connections.Load())
		}
		if s.P50 <= 0 || s.P50 > s.P99 || s.P99 > report.Milliseconds(s.Took) {
			t.Errorf("times: %+v", s)
		}
	}
}

func TestLoadRefusesAWrongAnswer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, want string
		handler    http.HandlerFunc
	}{
		{"status", "answered with", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) }},
		{"another user", "does not hold", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "user is 0000") }},
		{"too long", "and not 12", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "user is 1001 or so") }},
		{"broken off", "closed after", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int64
			_, err := answering(t, test.handler, &connections).Run(100 * time.Millisecond)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

// A load has no more requests under way than it may, and tells those that were refused from those that were answered.
func TestPace(t *testing.T) {
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
	l.InFlight, l.Callers, l.Refusable = 4, 2, true
	for _, perSecond := range []float64{0, 2000} {
		requests.Store(0)
		l.PerSecond = perSecond
		o, err := l.Run(100 * time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		n := requests.Load()
		if n < 3 || int64(o.Asked()) != n || int64(len(o.Refused)) != n/3 || highest.Load() > 4 {
			t.Errorf("%d requests, %d answered, %d refused, %d at a time", n, len(o.Answered), len(o.Refused), highest.Load())
		}
		if limit := int64(perSecond * o.Took.Seconds()); limit > 0 && n > limit+2 {
			t.Errorf("%d requests in %v, at %v a second", n, o.Took, perSecond)
		}
	}
}

// What is asked in one part of a run is that part's, and nothing is left out.
func TestParts(t *testing.T) {
	t.Parallel()
	var requests, connections atomic.Int64
	l := answering(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		tellUser(w, r)
	}, &connections)
	l.InFlight = 1
	var begun []int64
	more := func() error {
		n := requests.Load()
		begun = append(begun, n)
		for requests.Load() < n+3 {
			runtime.Gosched()
		}
		return nil
	}
	outcomes, err := l.RunThrough(more, more, more)
	if err != nil {
		t.Fatal(err)
	}
	begun = append(begun, requests.Load())
	var all int64
	for i, o := range outcomes {
		all += int64(o.Asked())
		if n := begun[i+1] - begun[i]; int64(o.Asked()) < n-1 || int64(o.Asked()) > n+1 { // one may have been under way
			t.Errorf("%d asked in part %d, in which %d came", o.Asked(), i, n)
		}
		if o.Took <= 0 {
			t.Errorf("part %d took %v", i, o.Took)
		}
	}
	if all != requests.Load() {
		t.Errorf("%d asked, %d came", all, requests.Load())
	}
	failed := errors.New("failed")
	if _, err := l.RunThrough(func() error { return failed }, func() error { t.Error("goes on"); return nil }); !errors.Is(err, failed) {
		t.Error(err)
	}
}
