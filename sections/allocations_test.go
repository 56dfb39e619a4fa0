//go:build !race

package sections_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/localrows"
	"xmlcurld/db/switchstate"
	"xmlcurld/db/table"
	"xmlcurld/internal/nodeauth"
	"xmlcurld/sections"
	"xmlcurld/testdata"
	"xmlcurld/xmlcurl"
)

// What one dialplan answer may allocate in the whole handler, the proof by Postgres, the look at the local rows and the node's
// credentials included: 60 times, 16 KiB. That is the least of several runs: a collection empties the pools, and on a busy
// machine there are more collections for each answer. Not in parallel, because others' allocations would count; and not with
// the race detector, which has sync.Pool forget things.
func TestDialplanAllocations(t *testing.T) {
	hash, err := nodeauth.Hash("password")
	if err != nil {
		t.Fatal(err)
	}
	w := demo(t, `INSERT INTO node (name) VALUES ('fs1')`,
		`INSERT INTO node_credential (username, node, password_hash) VALUES ('fs1', 'fs1', '`+hash+`')`)
	store, err := table.Open(t.Context(), w.url, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	quiet := slog.New(slog.DiscardHandler)
	local, err := localrows.Open(store, filepath.Join(t.TempDir(), "rows"), 0, quiet, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = local.Close() }()
	following, stop := context.WithCancel(t.Context())
	var follower sync.WaitGroup
	follower.Go(func() { local.Run(following) })
	defer follower.Wait()
	defer stop()
	dbtest.Await(t, "the local rows are read", func() bool { _, usable := local.Age(); return usable })
	rules := db.NewRulebook(localrows.NewSource(store, local), nil)
	checker := nodeauth.New(switchstate.New(rules, store), quiet, prometheus.NewRegistry())
	checker.Read(t.Context())
	server := xmlcurl.NewServer(xmlcurl.Options{
		Handler: sections.New(rules, nil), Registerer: prometheus.NewRegistry(),
		Credentials: "other:credentials", Nodes: checker,
	})

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
	r.SetBasicAuth("fs1", "password")
	r.ContentLength, r.Body = body.Size(), io.NopCloser(body)
	answer := &discard{header: make(http.Header)}

	const times = 2000 // a run
	allocs, bytes := uint64(math.MaxUint64), uint64(math.MaxUint64)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			body.Reset(captured.Body)
			server.ServeHTTP(answer, r)
		}
		runtime.ReadMemStats(&after)
		allocs = min(allocs, (after.Mallocs-before.Mallocs)/times)
		bytes = min(bytes, (after.TotalAlloc-before.TotalAlloc)/times)
	}
	if answer.status != http.StatusOK || answer.bytes < 300 {
		t.Fatalf("status %d, %d bytes", answer.status, answer.bytes)
	}
	if allocs > 60 || bytes > 16<<10 {
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
