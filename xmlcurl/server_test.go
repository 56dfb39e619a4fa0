package xmlcurl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const urlencoded = "application/x-www-form-urlencoded"

// fixture is a server that logs everything into log.
type fixture struct {
	*Server
	log *lockedBuffer
	reg *prometheus.Registry
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func newFixture(o Options) *fixture {
	f := &fixture{log: &lockedBuffer{}, reg: prometheus.NewRegistry()}
	o.Registerer = f.reg
	o.Log = slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if o.Handler == nil {
		o.Handler = testMux()
	}
	f.Server = NewServer(o)
	return f
}

// testMux answers the dialplan by the context that is asked for.
func testMux() *Mux {
	return &Mux{
		Configuration: map[string]Handler{"acl.conf": writes(func(d *Document) { d.Empty("configuration", A("name", "acl.conf")) })},
		Sections: map[string]Handler{"dialplan": HandlerFunc(func(ctx context.Context, r *Request, d *Document) error {
			switch r.Field("Hunt-Context") {
			case "missing":
				d.Open("half")
				return ErrNotFound
			case "away":
				return fmt.Errorf("lookup: %w", ErrUnavailable)
			case "slow":
				<-ctx.Done()
				return fmt.Errorf("lookup: %w", context.Cause(ctx))
			case "broken":
				return errors.New("a row that cannot be\n" + strings.Repeat("x", 1000))
			case "panic":
				panic("handler\nfell")
			case "fault":
				d.Empty("context", A("name", "\x01"))
			case "big":
				d.Empty("context", A("name", strings.Repeat("x", 1000)))
			case "stranger":
				d.NodeUnknown()
			}
			d.Empty("context", A("name", r.Field("Hunt-Context")))
			return nil
		})},
	}
}

func post(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/xml", strings.NewReader(body))
	r.Header.Set("Content-Type", urlencoded)
	return r
}

func (f *fixture) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

func TestServer(t *testing.T) {
	t.Parallel()
	inContext := func(name string) *http.Request { return post("section=dialplan&Hunt-Context=" + name) }
	typed := func(contentType string) *http.Request {
		r := inContext("public")
		r.Header.Set("Content-Type", contentType)
		return r
	}
	answer := func(name string) string {
		return prologue + "<section name=\"dialplan\">\n<context name=\"" + name + "\"/>\n" + epilogue
	}
	chunked := post("section=dialplan&x=" + strings.Repeat("x", 5000))
	chunked.ContentLength = -1
	for _, tc := range []struct {
		name    string
		request *http.Request
		status  int
		body    string
		result  string
	}{
		{"found", inContext("public"), 200, answer("public"), "found"},
		{"found by GET", httptest.NewRequest(http.MethodGet, "/xml?section=dialplan&Hunt-Context=%2B27+;a", nil), 200, answer("+27+;a"), "found"},
		{"not found", inContext("missing"), 200, notFound, "not_found"},
		{"nobody answers the section", post("section=phrases"), 200, notFound, "not_found"},
		{"database away", inContext("away"), 503, "no answer in time\n", "unavailable"},
		{"deadline", inContext("slow"), 503, "no answer in time\n", "unavailable"},
		{"broken", inContext("broken"), 500, "internal error\n", "error"},
		{"panic", inContext("panic"), 500, "internal error\n", "error"},
		{"a value XML cannot carry", inContext("fault"), 500, "internal error\n", "error"},
		{"body too large", post("section=dialplan&x=" + strings.Repeat("x", 5000)), 413, "body too large\n", "body_too_large"},
		{"chunked body too large", chunked, 413, "body too large\n", "body_too_large"},
		{"query too large", httptest.NewRequest(http.MethodGet, "/xml?section=dialplan&x="+strings.Repeat("x", 5000), nil), 413, "body too large\n", "body_too_large"},
		{"no body", post(""), 400, "not a form\n", "not_a_form"},
		{"not a form", post("<xml/>"), 400, "not a form\n", "not_a_form"},
		{"a type that is no form", typed("application/json"), 400, "not a form\n", "not_a_form"},
		{"no type", typed(""), 200, answer("public"), "found"},
		{"a type with a parameter", typed("Application/X-WWW-Form-urlencoded; charset=UTF-8"), 200, answer("public"), "found"},
		{"no section", post("hostname=a"), 400, "no section\n", "no_section"},
		{"unknown section", post("section=nonsense"), 404, "unknown section\n", "unknown_section"},
		{"another path", httptest.NewRequest(http.MethodPost, "/", nil), 404, "no such path\n", "wrong_path"},
		{"another method", httptest.NewRequest(http.MethodPut, "/xml", nil), 405, "method not allowed\n", "wrong_method"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(Options{Deadline: 20 * time.Millisecond, BodyLimit: 5000})
			w := f.do(tc.request)
			if w.Code != tc.status || w.Body.String() != tc.body {
				t.Errorf("got %d %q\nwant %d %q", w.Code, w.Body, tc.status, tc.body)
			}
			wantType := "text/plain; charset=UTF-8"
			if tc.status == 200 {
				wantType = "text/xml; charset=UTF-8"
			}
			if got := w.Header().Get("Content-Type"); got != wantType {
				t.Errorf("type %q", got)
			}
			if got := w.Header().Get("Content-Length"); got != strconv.Itoa(len(tc.body)) {
				t.Errorf("length %q", got)
			}
			if got := f.results(t)[tc.result]; got != 1 {
				t.Errorf("counted: %v\n", f.results(t))
			}
			if lines := strings.Count(f.log.String(), "\n"); lines != 1 || !strings.Contains(f.log.String(), "result="+tc.result) {
				t.Errorf("log: %s", f.log)
			}
		})
	}
}

// results returns the counters that are not zero, by result.
func (f *fixture) results(t *testing.T) map[string]float64 {
	t.Helper()
	families, err := f.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "result" && m.GetCounter().GetValue() > 0 {
					all[l.GetValue()] += m.GetCounter().GetValue()
				}
			}
		}
	}
	return all
}

func TestServerAsksForCredentials(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{Credentials: "fs:s3cret"})
	w := f.do(post("section=dialplan"))
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") != `Basic realm="xmlcurld", charset="UTF-8"` || w.Body.String() != "credentials wanted\n" {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	r := post("section=dialplan")
	r.SetBasicAuth("fs", "s3cret")
	if w := f.do(r); w.Code != 200 {
		t.Errorf("got %d", w.Code)
	}
	if strings.Contains(f.log.String(), "s3cret") {
		t.Errorf("log: %s", f.log)
	}
}

func TestServerSurvivesPanic(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{})
	f.do(post("section=dialplan&Hunt-Context=panic"))
	if w := f.do(post("section=dialplan")); w.Code != 200 {
		t.Errorf("got %d", w.Code)
	}
	if log := f.log.String(); !strings.Contains(log, "stack=") || !strings.Contains(log, "testMux") {
		t.Errorf("no stack in the log: %s", log)
	}
}
