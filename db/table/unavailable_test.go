package table_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/table"
)

// patience is a question's deadline here; late is when an answer to it surely missed it.
const (
	patience = 200 * time.Millisecond
	late     = 3 * time.Second
)

// allUnavailable asks store everything and wants ErrUnavailable, in time.
func allUnavailable(t *testing.T, store *table.Store) {
	t.Helper()
	rules := db.NewRulebook(store, nil)
	for _, q := range questions() {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		start := time.Now()
		err := q.ask(ctx, rules)
		cancel()
		if took := time.Since(start); !errors.Is(err, db.ErrUnavailable) || took > late {
			t.Errorf("%s: after %v: %v", q.name, took, err)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	allUnavailable(t, dbtest.Open(t, "postgres:///x?sslmode=disable&host="+t.TempDir()))
	allUnavailable(t, dbtest.Open(t, "postgres://127.0.0.1:1/x?sslmode=disable"))
}

// Somebody listens, and never says a word.
func TestSilence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	store := dbtest.Open(t, "postgres:///x?sslmode=disable&host="+dir)
	t.Cleanup(func() { _ = listener.Close() }) // before the store waits for its connections
	allUnavailable(t, store)
}

// A server that falls silent in the middle, then one whose connections break, and all is well when it is back.
func TestInTheMiddle(t *testing.T) {
	t.Parallel()
	wire := dbtest.NewProxy(t, dbtest.DemoURL(t))
	store := dbtest.Rules(t, wire.URL)
	ask := questions()[0].ask
	if err := ask(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	wire.SetDeaf(true)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := ask(ctx, store); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("silence: %v", err)
	}
	answered := make(chan error)
	go func() { answered <- ask(t.Context(), store) }()
	wire.HangUp()
	if err := <-answered; err != nil && !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("broken connection: %v", err)
	}
	wire.SetDeaf(false)
	wire.HangUp()
	comesBack(t, func() error { return ask(t.Context(), store) })
}

// comesBack wants ask to be answered again, soon, and ErrUnavailable until then.
func comesBack(t *testing.T, ask func() error) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		err := ask()
		if err == nil {
			return
		}
		if !errors.Is(err, db.ErrUnavailable) || time.Now().After(end) {
			t.Fatalf("not back: %v", err)
		}
	}
}

func TestAnEndedContext(t *testing.T) {
	t.Parallel()
	store := dbtest.Rules(t, dbtest.DemoURL(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, q := range questions() {
		if err := q.ask(ctx, store); err != nil && !errors.Is(err, db.ErrUnavailable) {
			t.Errorf("%s: %v", q.name, err)
		}
	}
}

// A program's own fault is not the database's: it is no reason to ask another server.
func TestFaultsAreNotUnavailable(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	dbtest.Execute(t, url, `CREATE FUNCTION fail_with(code text) RETURNS text LANGUAGE plpgsql AS $$
		BEGIN RAISE 'on purpose' USING ERRCODE = code; END $$`)
	store := dbtest.Open(t, url)
	for name, query := range map[string]string{
		"syntax":            `SELEC`,
		"division":          `SELECT 'a' AS name, (1 / (length(current_user) - length(current_user)))::text AS value, false AS expand`,
		"type":              `SELECT 1 + 'a'`,
		"NULL for a string": `SELECT 'a' AS name, NULL::text AS value, false AS expand`,
		"string for a bool": `SELECT 'a' AS name, 'b' AS value, 'c' AS expand`,
		"constraint":        `INSERT INTO tenant (name) VALUES ('*') RETURNING name, note AS value, enabled AS expand`,
	} {
		if err := table.Ask(t.Context(), store, query); err == nil || errors.Is(err, db.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, query := range map[string]string{
		"no such table":  `SELECT name, value, expand FROM nowhere`, // not migrated
		"no such column": `SELECT nothing FROM tenant`,
		"canceled":       `SELECT pg_cancel_backend(pg_backend_pid())::text AS name, '' AS value, false AS expand`,
		"deadlock":       `SELECT fail_with('40P01') AS name, '' AS value, false AS expand`,
		"replayed over":  `SELECT fail_with('40001') AS name, '' AS value, false AS expand`,
		"killed":         `SELECT pg_terminate_backend(pg_backend_pid())::text AS name, '' AS value, false AS expand`,
	} {
		if err := table.Ask(t.Context(), store, query); !errors.Is(err, db.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A connection that Postgres ended while it was idle costs no question its answer.
func TestConnectionEndedByPostgres(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store := dbtest.Rules(t, url)
	for range 3 {
		if _, err := store.Route(t.Context(), db.Call{Context: "public", Number: "+27123456789"}); err != nil {
			t.Fatal(err)
		}
		dbtest.Execute(t, url, dbtest.EndConnections)
	}
}

// Nor does one that was ended because another one crashed, or because it was idle for longer than Postgres is told to bear.
func TestConnectionEndedForAnotherReason(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"57P02", "57P05"} {
		url := dbtest.DemoURL(t)
		dbtest.Execute(t, url, `CREATE SEQUENCE asked; CREATE FUNCTION fail_once(code text) RETURNS text LANGUAGE plpgsql AS $$
			BEGIN
				IF nextval('asked') = 1 THEN
					RAISE 'ended' USING ERRCODE = code;
				END IF;
				RETURN code;
			END $$`)
		store := dbtest.Open(t, url)
		if err := table.Ask(t.Context(), store, `SELECT fail_once('`+code+`') AS name, '' AS value, false AS expand`); err != nil {
			t.Errorf("%s: %v", code, err)
		}
	}
}
