package db_test

import (
	"bytes"
	"database/sql"
	"io/fs"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
)

// migrateTo migrates an empty database up to a version.
func migrateTo(t *testing.T, url string, version int64) {
	t.Helper()
	pool, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	files, err := fs.Sub(db.Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, files, goose.WithDisableGlobalRegistry(true), goose.WithSlog(quiet))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}

// Rows that an older schema took stay and are answered as before; those that would be refused now are named.
func TestMigrateKeepsConditions(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	migrateTo(t, url, 18)
	execute(t, url, `
INSERT INTO tenant (name) VALUES ('acme');
INSERT INTO context (name) VALUES ('public');
INSERT INTO extension (name) VALUES ('hours');
INSERT INTO condition (extension, position, wday) VALUES ('hours', 1, 'monday-friday'), ('hours', 2, 'mon-fri');
INSERT INTO extension (name, body) VALUES
	('office', '<condition><action application="transfer" data="%{forward_number}"/></condition>'),
	('system', '<condition><action application="system" data="%{address}"/></condition>'),
	('plain', '<condition/>');
INSERT INTO number (number, tenant, extension, forward_number) VALUES ('1', 'acme', 'office', '5');
INSERT INTO number (number, tenant, extension) VALUES ('2', 'acme', 'system'), ('3', 'acme', 'hours');
INSERT INTO extension (name, continue) VALUES ('every.call', true);
INSERT INTO context_extension (context, extension) VALUES ('public', 'every.call')`)
	var log bytes.Buffer
	if err := db.Migrate(t.Context(), url, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Condition 1 of extension hours: ", "Extension system: system may not be given a value that the tenant writes. "} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in\n%s", want, log.String())
		}
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 2 {
		t.Errorf("%d warnings:\n%s", n, log.String())
	}
	store, got := openStore(t, url), map[string]any{}
	for _, number := range []string{"1", "2", "3"} {
		route, err := store.Route(t.Context(), db.Call{Context: "public", Number: number})
		if err != nil {
			t.Fatal(err)
		}
		own := route.Extensions[route.Own]
		got[number] = []any{route.Extensions[0].Name, own.Name, len(own.Asks), len(own.Conditions)}
	}
	want := map[string]any{
		"1": []any{"every.call", "office", 1, 1},
		"2": []any{"every.call", "system", 0, 1},
		"3": []any{"every.call", "hours", 0, 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
