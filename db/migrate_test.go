package db_test

import (
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/testdata"
)

var quiet = slog.New(slog.DiscardHandler)

func openStore(t testing.TB, url string) *db.Store {
	t.Helper()
	store, err := db.Open(t.Context(), url, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

// execute runs one statement on a connection of its own.
func execute(t testing.TB, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func one[T any](t *testing.T, url, sql string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func TestCheckSchema(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	store := openStore(t, url)

	if err := store.CheckSchema(t.Context()); !errors.Is(err, db.ErrSchemaOlder) {
		t.Errorf("never migrated: %v", err)
	}
	if n := one[int](t, url, `SELECT count(*)::int FROM pg_tables WHERE schemaname = 'public'`); n != 0 {
		t.Errorf("the check made %d tables", n)
	}
	if err := db.Migrate(t.Context(), url, quiet); err != nil {
		t.Fatal(err)
	}
	if err := store.CheckSchema(t.Context()); err != nil {
		t.Errorf("migrated: %v", err)
	}
	execute(t, url, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
	if err := store.CheckSchema(t.Context()); !errors.Is(err, db.ErrSchemaNewer) {
		t.Errorf("migrated by a newer program: %v", err)
	}
	if err := db.Migrate(t.Context(), url, quiet); !errors.Is(err, db.ErrSchemaNewer) {
		t.Errorf("migrate what a newer program migrated: %v", err)
	}
}

func TestCheckSchemaOfADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	store := openStore(t, "postgres://nobody@/nothing?host=/nowhere")
	if err := store.CheckSchema(t.Context()); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	var programs sync.WaitGroup
	for range 3 {
		programs.Go(func() {
			if err := db.Migrate(t.Context(), url, quiet); err != nil {
				t.Error(err)
			}
		})
	}
	programs.Wait()
}

// Somebody has what a file wants, and wants what it has: Postgres ends the file, and it is tried again.
func TestMigrateIntoADeadlock(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	tx, err := connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Whoever looks first is ended. The file looks after this long, the other in an hour.
	migrating := url + "&deadlock_timeout=3s"
	run := func(sql string) {
		t.Helper()
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	run(`SET LOCAL deadlock_timeout = '1h'`)
	run(`CREATE DOMAIN pin AS text`)
	migrated := make(chan error, 1)
	go func() { migrated <- db.Migrate(t.Context(), migrating, quiet) }()
	dbtest.AwaitBlocked(t, url)
	run(`CREATE DOMAIN label AS text`) // which the file made before it came to pin
	if n := one[int](t, url, `SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()`); n != 1 {
		t.Errorf("%d deadlocks", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Error(err)
	}
}

func TestLoadDemo(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	var programs sync.WaitGroup
	loads := make(chan bool, 3)
	for range cap(loads) {
		programs.Go(func() {
			loaded, err := db.LoadDemo(t.Context(), url, testdata.Demo, db.Ports{First: 20000, Last: 20010})
			if err != nil {
				t.Error(err)
			}
			loads <- loaded
		})
	}
	programs.Wait()
	close(loads)
	times := 0
	for loaded := range loads {
		if loaded {
			times++
		}
	}
	if times != 1 {
		t.Errorf("loaded %d times", times)
	}
	if ports := one[string](t, url, `SELECT rtp_port::text FROM node WHERE name = '*'`); ports != "[20000,20011)" {
		t.Errorf("rtp_port = %s", ports)
	}
}

func TestLoadDemoLeavesSomebodysRowsAlone(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	execute(t, url, `INSERT INTO module (name) VALUES ('mod_flite')`)
	loaded, err := db.LoadDemo(t.Context(), url, testdata.Demo, db.Ports{})
	if err != nil || loaded {
		t.Errorf("loaded = %v, %v", loaded, err)
	}
}
