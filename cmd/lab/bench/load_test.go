//go:build linux

package bench

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// answering is a load on a server with handler, which asks for /{user}.
func answering(t *testing.T, handler http.HandlerFunc, connections *atomic.Int64) *load {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	l := &load{
		sizes:    sizes{tenants: 3, numbers: 100, users: 30, nodes: 2},
		request:  post("/xml", strings.Repeat("x", 7000)+"&user={user}"),
		proof:    newTemplate("is {user}"),
		length:   len("user is 1001"),
		inFlight: 5,
	}
	if err := l.open(s.Listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	return l
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
		s, err := l.run(50 * time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if answers := int64(s.answers); answers == 0 || answers != requests.Load()-before || connections.Load() != requests.Load() {
			t.Errorf("%d answers to %d requests on %d connections", answers, requests.Load()-before, connections.Load())
		}
		if s.half <= 0 || s.half > s.most || s.most > s.took {
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
			_, err := answering(t, test.handler, &connections).run(time.Second)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}
