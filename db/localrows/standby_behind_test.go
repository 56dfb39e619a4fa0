package localrows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/dbtest/fault"
	"xmlcurld/db/localpg"
	"xmlcurld/db/table"
)

const switchOff = `UPDATE number SET enabled = false WHERE number = '+27123456789'`

// on executes statements on the application's database of s.
func on(t *testing.T, s *fault.Server, statements string) {
	t.Helper()
	if err := s.Execute(t.Context(), localpg.Superuser, statements); err != nil {
		t.Fatal(err)
	}
}

// neverOn calls for a while: the number that was switched off is never said to be on.
func neverOn(t *testing.T, store *table.Store, when string) {
	t.Helper()
	for range 50 {
		if route, err := call(t, store); err == nil && route.Value.Called != nil {
			t.Fatalf("%s: a number that is off is called", when)
		} else if err != nil && !errors.Is(err, db.ErrUnavailable) {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// lastCommitIsOld reports whether the last commit that standby shows is old enough for its answers to be marked, unless
// it is known to have all there is.
func lastCommitIsOld(t *testing.T, standby *fault.Server) bool {
	t.Helper()
	return dbtest.One[bool](t, standby.URL(localpg.Superuser), `
		SELECT clock_timestamp() - coalesce(pg_last_xact_replay_timestamp(), checkpoint_time) > interval '1 second'
		FROM pg_control_checkpoint()`)
}

// What was switched off is not on again because the primary died and its standby had not heard of it: that one is not
// asked before it has all that was there a second ago, however it comes to be behind.
func TestStandbyThatIsBehindIsNotAsked(t *testing.T) {
	t.Parallel()
	p, store, registry := answeringPair(t)
	outdated := func() bool { return sum(t, registry, "xmlcurld_database_outdated") > 0 }
	dir := t.TempDir()
	on(t, p.Standby, `SELECT pg_wal_replay_pause()`)
	on(t, p.Primary, switchOff)
	dbtest.Await(t, "it is known that the standby is behind", outdated)
	c := openLocal(t, store, dir)
	follow(t, c)
	p.Primary.Kill()
	neverOn(t, store, "replay is paused")

	p.Standby.Kill()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	store, registry = openPair(t, p)
	c = openLocal(t, store, dir)
	defer func() { _ = c.Close() }()
	if err := p.Standby.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	neverOn(t, store, "the server and the standby were started again")

	if err := p.Primary.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	dbtest.Await(t, "the primary answers", func() bool { route, err := call(t, store); return err == nil && route.Value.Called == nil })
	dbtest.Await(t, "the standby has caught up", func() bool { return !outdated() })
	p.Primary.Kill()
	if route, err := call(t, store); err != nil || route.Value.Called != nil {
		t.Errorf("the standby says %+v, %v", route, err)
	}
}

// A standby without its primary answers, and says that it may not be today's, until the primary is back.
func TestStandbyAloneSaysSo(t *testing.T) {
	t.Parallel()
	p := demoPair(t)
	store, registry := openPair(t, p)
	marked := func() bool {
		route, err := call(t, store)
		if err != nil {
			t.Fatal(err)
		}
		is := route.Freshness.Reason != nil
		if age := route.Freshness.Age; is && (age <= time.Second || age > time.Minute) {
			t.Fatalf("age %v", age)
		}
		return is
	}
	if marked() {
		t.Error("the primary's answer is marked")
	}
	dbtest.Await(t, "the last commit is old", func() bool { return lastCommitIsOld(t, p.Standby) })
	p.Primary.Freeze()
	frozen := time.Now()
	defer func() { p.Primary.Thaw() }()
	dbtest.Await(t, "the standby of a primary that does nothing has all there is, and no answer is marked", func() bool {
		since := time.Since(frozen).Seconds()
		seenSince := sum(t, registry, "xmlcurld_database_standby_behind_seconds") < since
		return seenSince && !marked()
	})
	p.Primary.Kill()
	dbtest.Await(t, "an answer is marked", marked)
	if err := p.Primary.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	dbtest.Await(t, "no answer is marked", func() bool { return !marked() })
}

// A standby that is the only host in the URL is seen to be one, and its answers say so when it has lost its primary.
func TestOnlyHostIsAStandby(t *testing.T) {
	t.Parallel()
	p := demoPair(t)
	registry := prometheus.NewRegistry()
	store, err := table.Open(t.Context(), p.Standby.URL(localpg.Superuser), registry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	marked := func() bool {
		route, err := call(t, store)
		if err != nil {
			t.Fatal(err)
		}
		return route.Freshness.Reason != nil
	}
	if marked() {
		t.Error("the answer of a standby that has all there is is marked")
	}
	dbtest.Await(t, "the metric says what it is", func() bool { return sum(t, registry, "xmlcurld_database_standby") == 1 })
	p.Primary.Kill()
	dbtest.Await(t, "an answer is marked", marked)
}

// Behind a balancer each connection may lead to another server. An old answer is marked, whichever gives it.
func TestBalancerBeforeAStandby(t *testing.T) {
	t.Parallel()
	p := demoPair(t)
	on(t, p.Standby, `SELECT pg_wal_replay_pause()`)
	on(t, p.Primary, switchOff)
	dbtest.Await(t, "what the standby shows is old", func() bool { return lastCommitIsOld(t, p.Standby) })
	primary, standby := p.Primary.URL(localpg.Superuser), p.Standby.URL(localpg.Superuser)
	for name, wire := range map[string]*dbtest.Proxy{
		"the primary first": dbtest.NewProxy(t, primary, standby),
		"the standby first": dbtest.NewProxy(t, standby, primary),
	} {
		store := dbtest.Open(t, wire.URL)
		current := 0
		for n := range 200 {
			route, err := call(t, store)
			switch {
			case errors.Is(err, db.ErrUnavailable):
			case err != nil:
				t.Fatal(err)
			case route.Value.Called == nil:
				current++
			case route.Freshness.Reason == nil:
				t.Fatalf("%s: an old answer passes for today's", name)
			}
			time.Sleep(5 * time.Millisecond)
			if n%20 == 0 {
				wire.HangUp()
			}
		}
		if current == 0 {
			t.Errorf("%s: the primary never answered", name)
		}
	}
}

// A primary that another one was promoted in place of, and that nobody told, is not asked.
func TestFormerPrimaryIsNotAsked(t *testing.T) {
	t.Parallel()
	p, store, registry := answeringPair(t)
	if err := p.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	on(t, p.Primary, switchOff)
	dbtest.Await(t, "the new primary answers", func() bool { route, err := call(t, store); return err == nil && route.Value.Called == nil })
	dbtest.Await(t, "the promotion is noticed", func() bool { return sum(t, registry, "xmlcurld_database_standby") == 0 })
	dbtest.Await(t, "the former one is outdated", func() bool {
		neverOn(t, store, "before the former primary was started")
		if err := p.Standby.Start(t.Context()); err != nil { // once more a primary
			t.Fatal(err)
		}
		neverOn(t, store, "the former primary is there")
		return sum(t, registry, "xmlcurld_database_outdated") == 1
	})
	p.Primary.Kill()
	neverOn(t, store, "the former primary is alone")
}

// A transaction that is held open while the local rows follow a standby is not missed when it commits.
func TestLocalRowsFollowsAStandby(t *testing.T) {
	t.Parallel()
	p := demoPair(t)
	store, c := openBoth(t, p.Standby.URL(localpg.Superuser))
	follow(t, c)
	conn, err := pgx.Connect(t.Context(), p.Primary.URL(localpg.Superuser))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for _, statements := range []string{`BEGIN; ` + switchOff, `COMMIT`} {
		if _, err := conn.Exec(t.Context(), statements); err != nil {
			t.Fatal(err)
		}
		on(t, p.Primary, `UPDATE tenant SET note = coalesce(note, '') || '.' WHERE name = 'acme'`)
		if err := p.AwaitStandby(t.Context()); err != nil {
			t.Fatal(err)
		}
		follow(t, c)
	}
	same(t, "the transaction has committed", ask(t.Context(), store), ask(t.Context(), c))
	if age, usable := c.Age(); !usable || age > time.Minute {
		t.Errorf("age %v, %v", age, usable)
	}
}
