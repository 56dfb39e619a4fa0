//go:build linux

package chaos

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What becomes of a question is told apart.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	q := &question{body: "hostname=node01&section=dialplan"}
	silence := make(chan struct{})
	for name, test := range map[string]struct {
		answer  http.HandlerFunc
		outcome outcome
		stale   bool
	}{
		"answered": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<document/>")) }, answered, false},
		"stale":    {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(staleHeader, "12") }, answered, true},
		"503":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, unavailable, false},
		"500":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, otherStatus, false},
		"closed":   {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, broken, false},
		"half a body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = w.Write([]byte("<"))
		}, broken, false},
		"silence": {func(http.ResponseWriter, *http.Request) { <-silence }, timedOut, false},
	} {
		server := httptest.NewServer(test.answer)
		l := newLoad(strings.TrimPrefix(server.URL, "http://"), nil, 1, 200*time.Millisecond)
		r := l.ask(q)
		if name == "silence" {
			close(silence)
		}
		server.Close()
		if r.outcome != test.outcome || r.stale != test.stale {
			t.Errorf("%s: outcome %d, stale %v", name, r.outcome, r.stale)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	if r := newLoad(listener.Addr().String(), nil, 1, time.Second).ask(q); r.outcome != refused {
		t.Errorf("nobody listens: outcome %d", r.outcome)
	}
}
