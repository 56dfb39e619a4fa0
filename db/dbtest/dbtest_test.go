package dbtest

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { Main(m) }

func count(t *testing.T, url, from string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM `+from).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestContents(t *testing.T) {
	t.Parallel()
	if n := count(t, URL(t), `tenant`); n != 0 {
		t.Errorf("URL: %d tenants", n)
	}
	if n := count(t, DemoURL(t), `tenant`); n == 0 {
		t.Error("DemoURL: no tenants")
	}
	if n := count(t, EmptyURL(t), `pg_tables WHERE schemaname = 'public'`); n != 0 {
		t.Errorf("EmptyURL: %d tables", n)
	}
}

func TestDatabasesAreApartAndQuick(t *testing.T) {
	URL(t) // makes the template
	start := time.Now()
	a, b := URL(t), URL(t)
	if a == b {
		t.Error("two tests share a database")
	}
	t.Logf("a database in %v", time.Since(start)/2)
}
