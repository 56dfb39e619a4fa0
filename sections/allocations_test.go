//go:build !race

package sections_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/sections"
	"xmlcurld/testdata"
	"xmlcurld/xmlcurl"
)

// What one dialplan answer may allocate in the whole handler, the question to Postgres included: 60 times, 16 KiB. Not in
// parallel, because others' allocations would count; and not with the race detector, which has sync.Pool forget things.
func TestDialplanAllocations(t *testing.T) {
	store, err := db.Open(t.Context(), dbtest.DemoURL(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	server := xmlcurl.NewServer(xmlcurl.Options{Handler: sections.New(store, nil, nil), Registerer: prometheus.NewRegistry()})

	line, err := testdata.Requests.ReadFile("requests/call-to-known-number.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var captured struct{ Body string }
	if err := json.Unmarshal(line, &captured); err != nil {
		t.Fatal(err)
	}
	body := strings.NewReader(captured.Body)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/xml", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.ContentLength, r.Body = body.Size(), io.NopCloser(body)
	w := &discard{header: make(http.Header)}

	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			body.Reset(captured.Body)
			server.ServeHTTP(w, r)
		}
	})
	if w.status != http.StatusOK || w.bytes < 300 {
		t.Fatalf("status %d, %d bytes", w.status, w.bytes)
	}
	if allocs, bytes := result.AllocsPerOp(), result.AllocedBytesPerOp(); allocs > 60 || bytes > 16<<10 {
		t.Errorf("%d allocations, %d bytes", allocs, bytes)
	} else {
		t.Logf("%d allocations, %d bytes", allocs, bytes)
	}
}

// discard is a http.ResponseWriter that remembers the last answer's status and size only.
type discard struct {
	header        http.Header
	status, bytes int
}

func (d *discard) Header() http.Header    { return d.header }
func (d *discard) WriteHeader(status int) { d.status = status }
func (d *discard) Write(b []byte) (int, error) {
	d.bytes = len(b)
	return len(b), nil
}
