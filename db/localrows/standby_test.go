package localrows_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/dbtest/fault"
	"xmlcurld/db/localpg"
	"xmlcurld/db/table"
)

// callDeadline is for one answer: longer than the server gives it, so that a machine that has much else to do is not taken
// for a database that hangs.
const callDeadline = 3 * time.Second

// nextToNothing is what a call may take that does not wait for a database that hangs: half of what it would wait for one
// of two.
const nextToNothing = callDeadline / 4

var demoCall = db.Call{Context: "public", Number: "+27123456789"}

// demoPair is a primary and its standby with the demo world.
func demoPair(t *testing.T) *fault.Pair {
	t.Helper()
	p, stop, err := fault.StartTempPair(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	url := p.Primary.URL(localpg.Superuser)
	dbtest.FillDemo(t, url)
	if err := p.AwaitStandby(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// answeringPair is a pair and a Store on it that has answered a call.
func answeringPair(t *testing.T) (*fault.Pair, *table.Store, *prometheus.Registry) {
	t.Helper()
	p := demoPair(t)
	store, registry := openPair(t, p)
	if _, err := call(t, store); err != nil {
		t.Fatal(err)
	}
	return p, store, registry
}

func openPair(t *testing.T, p *fault.Pair) (*table.Store, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	store, err := table.Open(t.Context(), p.URL(localpg.Superuser, localpg.Superuser), registry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store, registry
}

func call(t *testing.T, store *table.Store) (db.Answer[db.Route], error) {
	ctx, cancel := context.WithTimeout(t.Context(), callDeadline)
	defer cancel()
	return rules(store).Route(ctx, demoCall)
}

// callers call all the time, several at once.
type callers struct {
	made  atomic.Int64
	ended chan struct{}
	first atomic.Pointer[error] // of the calls that failed
	all   sync.WaitGroup
}

func startCallers(t *testing.T, store *table.Store) *callers {
	c := &callers{ended: make(chan struct{})}
	for range 4 {
		c.all.Go(func() {
			for {
				select {
				case <-c.ended:
					return
				case <-time.After(2 * time.Millisecond):
				}
				if _, err := call(t, store); err != nil {
					c.first.CompareAndSwap(nil, &err)
				}
				c.made.Add(1)
			}
		})
	}
	return c
}

// awaitMore returns when n more calls were made.
func (c *callers) awaitMore(t *testing.T, n int64) {
	t.Helper()
	enough := c.made.Load() + n
	dbtest.Await(t, "calls", func() bool { return c.made.Load() >= enough })
}

// stop returns how a call failed.
func (c *callers) stop() error {
	close(c.ended)
	c.all.Wait()
	if err := c.first.Load(); err != nil {
		return *err
	}
	return nil
}

// No call fails when one of two servers dies, hangs or is promoted, one after the other, and nothing is restarted for it.
func TestEitherServerMayBreak(t *testing.T) {
	t.Parallel()
	p, store, registry := answeringPair(t)
	again := func(s *fault.Server) error { return s.Start(t.Context()) }
	thaw := func(s *fault.Server) error { s.Thaw(); return nil }
	for _, step := range []struct {
		name       string
		begin, end func(*fault.Server) error
		of         func() *fault.Server
	}{
		{"primary frozen", func(s *fault.Server) error { s.Freeze(); return nil }, thaw, func() *fault.Server { return p.Primary }},
		{"standby frozen", func(s *fault.Server) error { s.Freeze(); return nil }, thaw, func() *fault.Server { return p.Standby }},
		{"primary killed", func(s *fault.Server) error { s.Kill(); return nil }, again, func() *fault.Server { return p.Primary }},
		{"standby killed", func(s *fault.Server) error { s.Kill(); return nil }, again, func() *fault.Server { return p.Standby }},
		{"standby promoted", func(*fault.Server) error { return p.Promote(t.Context()) },
			func(*fault.Server) error { return p.Rebuild(t.Context()) }, func() *fault.Server { return p.Standby }},
	} {
		callers := startCallers(t, store)
		if err := step.begin(step.of()); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		callers.awaitMore(t, 1000)
		if err := step.end(step.of()); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		awaitBoth(t, p, registry)
		if err := callers.stop(); err != nil {
			t.Errorf("%s: a call failed: %v", step.name, err)
		}
	}
}

// awaitBoth returns when the pair is a pair again, and the Store asks both.
func awaitBoth(t *testing.T, p *fault.Pair, registry *prometheus.Registry) {
	t.Helper()
	if err := p.AwaitStandby(t.Context()); err != nil {
		t.Fatal(err)
	}
	dbtest.Await(t, "no kind of question is kept from a host that is back", func() bool { return failing(t, registry) == 0 })
	dbtest.Await(t, "a host that is back was looked at", func() bool { return sum(t, registry, "xmlcurld_database_outdated") == 0 })
}

// failing is how many kinds of question the hosts fail, as the Store sees it.
func failing(t *testing.T, registry *prometheus.Registry) float64 {
	t.Helper()
	return sum(t, registry, "xmlcurld_database_failing_queries")
}

// sum is a metric of all hosts together.
func sum(t *testing.T, registry *prometheus.Registry, name string) (n float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			for _, host := range family.GetMetric() {
				n += host.GetGauge().GetValue()
			}
		}
	}
	return n
}

// A hung server costs the first calls their share of the deadline, and later ones next to nothing.
func TestHungServerIsLeftAlone(t *testing.T) {
	t.Parallel()
	p, store, _ := answeringPair(t)
	p.Primary.Freeze()
	defer p.Primary.Thaw()
	if _, err := call(t, store); err != nil {
		t.Errorf("the first call after the primary hung: %v", err)
	}
	for range 20 {
		began := time.Now()
		_, err := call(t, store)
		if took := time.Since(began); err != nil || took > nextToNothing {
			t.Errorf("a later call: %v after %v", err, took)
		}
	}
	p.Standby.Freeze()
	defer p.Standby.Thaw()
	_, _ = call(t, store)
	for range 20 {
		began := time.Now()
		_, err := call(t, store)
		if took := time.Since(began); !errors.Is(err, db.ErrUnavailable) || took > nextToNothing {
			t.Errorf("both hang: %v after %v", err, took)
		}
	}
}

// With nothing but the standby there, answers are those of the standby; an edit that was made before the primary died is
// among them.
func TestStandbyAlone(t *testing.T) {
	t.Parallel()
	p := demoPair(t)
	store, _ := openPair(t, p)
	if err := p.Primary.Execute(t.Context(), localpg.Superuser,
		`UPDATE number SET extension = 'reception', tenant = 'acme' WHERE number = '`+demoCall.Number+`'`); err != nil {
		t.Fatal(err)
	}
	if err := p.AwaitStandby(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Primary.Kill()
	route, err := call(t, store)
	if err != nil || route.Value.Called == nil || route.Value.Called.Tenant != "acme" {
		t.Errorf("got %+v, %v", route, err)
	}
}

// What is edited arrives at a Store that has a standby only.
func TestEditsArriveByAStandby(t *testing.T) {
	t.Parallel()
	p := demoPair(t)
	store, err := table.Open(t.Context(), p.Standby.URL(localpg.Superuser), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	if _, err := call(t, store); err != nil {
		t.Fatal(err)
	}
	if err := p.Primary.Execute(t.Context(), localpg.Superuser,
		`UPDATE number SET enabled = false WHERE number = '`+demoCall.Number+`'`); err != nil {
		t.Fatal(err)
	}
	dbtest.Await(t, "a number that is off is not called", func() bool {
		route, err := call(t, store)
		if err != nil {
			t.Fatal(err)
		}
		return route.Value.Called == nil
	})
}
