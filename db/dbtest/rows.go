package dbtest

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/switchstate"
	"xmlcurld/db/table"
)

// Open returns a Store for the database at url, which is closed when the test ends.
func Open(t testing.TB, url string) *table.Store {
	t.Helper()
	store, err := table.Open(t.Context(), url, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

// Rules returns the rules over what the database at url says.
func Rules(t testing.TB, url string) *db.Rulebook {
	t.Helper()
	return db.NewRulebook(Open(t, url), nil)
}

// State returns what is known of the switches in the database of store.
func State(store *table.Store) *switchstate.Store {
	return switchstate.New(db.NewRulebook(store, nil), store)
}

// Connect returns a connection to the database at url, which is closed when the test ends.
func Connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// Execute runs statements on a connection of their own.
func Execute(t testing.TB, url, statements string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// One returns the one value that query asks for.
func One[T any](t testing.TB, url, query string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if err := conn.QueryRow(t.Context(), query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// Await waits until is returns true, and fails the test when that takes too long.
func Await(t testing.TB, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}

// EndConnections ends all connections to a database but the one that it is executed on.
const EndConnections = `
SELECT pg_terminate_backend(pid, 5000)
FROM pg_stat_activity
WHERE datname = current_database()
	AND pid <> pg_backend_pid()`

// Queries is how often a Store with these metrics asked a query.
func Queries(t testing.TB, registry *prometheus.Registry, name string) uint64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "xmlcurld_database_query_duration_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			if labels := m.GetLabel(); len(labels) == 1 && labels[0].GetValue() == name {
				return m.GetHistogram().GetSampleCount()
			}
		}
	}
	return 0
}
