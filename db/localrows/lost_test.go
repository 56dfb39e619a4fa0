package localrows_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/dbtest/fault"
	"xmlcurld/db/localpg"
	"xmlcurld/db/localrows"
)

// keptServer is a server with the demo world, whose data were kept. Lose makes them what they were.
func keptServer(t *testing.T) (url string, lose func()) {
	t.Helper()
	server, stop, err := fault.StartTempServer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	url = server.URL(localpg.Superuser)
	dbtest.FillDemo(t, url)
	if err := server.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	return url, func() {
		t.Helper()
		if err := server.Revert(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A database that lost its last transactions proves nothing of what they wrote.
func TestLostTransactionsProveNothing(t *testing.T) {
	t.Parallel()
	url, lose := keptServer(t)
	store, c := openBoth(t, url)
	rows := rules(localrows.NewSource(store, c))
	dbtest.Execute(t, url, `UPDATE number SET enabled = false WHERE number = '+27123456789'`)
	follow(t, c)
	if route, err := rows.Route(t.Context(), demoCall); err != nil || route.Value.Called != nil {
		t.Fatalf("before: %+v, %v", route, err)
	}
	lose()
	if route, err := rows.Route(t.Context(), demoCall); err == nil && route.Freshness.Reason == nil && route.Value.Called == nil {
		t.Error("what was lost is answered as current")
	}
}

// Other transactions get the numbers of those that were lost, and the log gets as long as it was.
func TestLostTransactionsAreNoticedLater(t *testing.T) {
	t.Parallel()
	url, lose := keptServer(t)
	dir := t.TempDir()
	c := openLocal(t, dbtest.Open(t, url), dir)
	follow(t, c)
	dbtest.Execute(t, url, `UPDATE number SET enabled = false WHERE number = '+27123456789'`)
	follow(t, c)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	lose()
	dbtest.Execute(t, url, `UPDATE number SET display_name = 'Another' WHERE number = '+27210000000'`)
	dbtest.Execute(t, url, `SELECT pg_logical_emit_message(false, 'long', repeat('x', 3000000))`)
	store := dbtest.Open(t, url)
	c = openLocal(t, store, dir)
	t.Cleanup(func() { _ = c.Close() })
	rows := rules(localrows.NewSource(store, c))
	follow(t, c)
	if route, err := rows.Route(t.Context(), demoCall); err != nil || route.Value.Called == nil {
		t.Errorf("what was lost: %+v, %v", route, err)
	}
	route, err := rows.Route(t.Context(), db.Call{Context: "public", Number: "+27210000000"})
	if err != nil || route.Value.Called == nil || route.Value.Called.DisplayName != "Another" {
		t.Errorf("what came instead: %+v, %v", route.Value.Called, err)
	}
}

// A moment that began while a restore ran, and found its tables, is not one at which they are empty.
func TestMomentsDuringARestore(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	out, err := exec.CommandContext(t.Context(), "pg_dump", "--clean", "--if-exists", "--inserts", "--no-owner", url).Output()
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, `\`) { // psql's own
			script.WriteString(line)
		}
	}
	store, c := openBoth(t, url)
	follow(t, c)
	restore := dbtest.Connect(t, url)
	if _, err := restore.Exec(t.Context(), `BEGIN; `+script.String()); err != nil {
		t.Fatal(err)
	}
	followed := make(chan error)
	go func() { followed <- c.Follow(t.Context()) }()
	dbtest.AwaitBlocked(t, url)
	if _, err := restore.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	if err := <-followed; err != nil && !errors.Is(err, db.ErrUnavailable) {
		t.Error(err)
	}
	route, err := rules(localrows.NewSource(store, c)).Route(t.Context(), demoCall)
	if err != nil || route.Value.Called == nil {
		t.Errorf("after the restore: %+v, %v", route, err)
	}
}
