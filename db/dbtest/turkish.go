package dbtest

import (
	"context"
	"fmt"
	"log/slog"
	neturl "net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/schema"
	"xmlcurld/testdata"
)

// TurkishURL returns the connection string of the demo world in a database of the locale tr, where lower('I') is 'ı'.
func TurkishURL(t testing.TB) string {
	t.Helper()
	empty := EmptyURL(t)
	name := "turkish_" + strings.ToLower(t.Name())
	Execute(t, empty, fmt.Sprintf(`CREATE DATABASE %s TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'tr'`, name))
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.WithoutCancel(t.Context()), empty)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
		if _, err := conn.Exec(context.WithoutCancel(t.Context()), fmt.Sprintf(`DROP DATABASE %s WITH (FORCE)`, name)); err != nil {
			t.Error(err)
		}
	})
	url, err := neturl.Parse(empty)
	if err != nil {
		t.Fatal(err)
	}
	url.Path = "/" + name
	if folded := One[string](t, url.String(), `SELECT lower('I')`); folded != "ı" {
		t.Fatalf("lower('I') is %s in this database, so nothing is tested", folded)
	}
	if err := schema.Migrate(t.Context(), url.String(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if loaded, err := schema.LoadDemo(t.Context(), url.String(), testdata.Demo, schema.Ports{}); err != nil || !loaded {
		t.Fatalf("loaded = %v, %v", loaded, err)
	}
	return url.String()
}
