package localrows_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/localrows"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

func openLocal(t testing.TB, store *table.Store, dir string) *localrows.Store {
	t.Helper()
	c, err := localrows.Open(store, dir, 0, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// openBoth opens the database at url and new local rows of it, which are closed when the test ends.
func openBoth(t testing.TB, url string) (*table.Store, *localrows.Store) {
	t.Helper()
	store := dbtest.Open(t, url)
	c := openLocal(t, store, t.TempDir())
	t.Cleanup(func() { _ = c.Close() })
	return store, c
}

func follow(t testing.TB, c *localrows.Store) {
	t.Helper()
	if err := c.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// same wants got to say what want says.
func same(t *testing.T, when string, want, got told) {
	t.Helper()
	for question := range want {
		if diff := difference(want[question], got[question]); diff != "" {
			t.Errorf("%s: %s: the local rows (+) are not as the database (-):\n%s", when, question, diff)
		}
	}
	if len(want) != len(got) {
		t.Errorf("%s: %d answers, want %d", when, len(got), len(want))
	}
}

// difference is cmp.Diff, which takes long, where two answers are not simply equal. How fresh they are does not count.
func difference(want, got any) string {
	if reflect.DeepEqual(withoutFreshness(want), withoutFreshness(got)) {
		return ""
	}
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(db.ACLEntry{}.CIDR), cmpopts.IgnoreTypes(pg.Freshness{}))
}

func withoutFreshness(answer any) any {
	v := reflect.ValueOf(answer)
	if v.Kind() != reflect.Struct || !v.FieldByName("Freshness").IsValid() {
		return answer
	}
	without := reflect.New(v.Type()).Elem()
	without.Set(v)
	without.FieldByName("Freshness").SetZero()
	return without.Interface()
}

// Whatever is edited, after a look the local rows answer every question as the database does, also those about numbers and
// users that nobody asked before.
func TestLocalRowsFollows(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store, dir := dbtest.Open(t, url), t.TempDir()
	c := openLocal(t, store, dir)
	defer func() { _ = c.Close() }()
	early := told{}
	if early.calls(t.Context(), c); early[`{"fs1" "public" "+27123456789"}`] != "database unavailable: the local rows do not hold this" {
		t.Errorf("an empty copy says %v", early[`{"fs1" "public" "+27123456789"}`])
	}
	follow(t, c)
	same(t, "at first", ask(t.Context(), store), ask(t.Context(), c))
	dbtest.Execute(t, url, dbtest.SecondNode)
	for _, edit := range dbtest.Edits {
		dbtest.Execute(t, url, edit)
		follow(t, c)
		follow(t, c) // where so much changed that all has to be read
		same(t, edit, ask(t.Context(), store), ask(t.Context(), c))
	}
	want := ask(t.Context(), store)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = openLocal(t, dbtest.Open(t, "postgres://127.0.0.1:1/x?sslmode=disable"), dir)
	same(t, "opened again, with no database", want, ask(t.Context(), c))
	if age, usable := c.Age(); !usable || age <= 0 || age > time.Minute {
		t.Errorf("age %v, %v", age, usable)
	}
}

// What is known to have changed and could not be read is not answered; everything else is.
func TestLocalRowsDoubts(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store, c := openBoth(t, url)
	follow(t, c)
	conn := dbtest.Connect(t, url)
	for _, sql := range []string{
		`UPDATE gateway SET username = 'changed' WHERE name = 'twilio'`,
		`UPDATE number SET enabled = false WHERE number = '+27123456789'`,
		`UPDATE domain_user SET password = 'new-password' WHERE id = '1000'`,
		`BEGIN`,
		`LOCK number IN ACCESS EXCLUSIVE MODE`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := c.Follow(ctx); !errors.Is(err, db.ErrUnavailable) {
		t.Fatalf("a look while the table is locked: %v", err)
	}
	if r, err := rules(c).Route(t.Context(), db.Call{Context: "public", Number: "+27123456789"}); err != nil || r.Value.Called == nil {
		t.Errorf("what was switched off at the moment at which the database went away: %v, %v", r.Value.Called, err)
	}
	if _, err := rules(store).Modules(t.Context(), "fs1"); err != nil { // it did not
		t.Fatal(err)
	}
	if r, err := rules(c).Route(t.Context(), db.Call{Context: "public", Number: "+27123456789"}); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("what was switched off: %v, %v", r.Value.Called, err)
	}
	if d, err := rules(c).User(t.Context(), "fs1", "acme.example", "1000"); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("whose password changed: %v, %v", d, err)
	}
	if s, err := rules(c).Sofia(t.Context(), "fs1", "external", ""); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("a gateway that changed: %v, %v", s, err)
	}
	if r, err := rules(c).Route(t.Context(), db.Call{Context: "public", Number: "+27210000000"}); err != nil || r.Value.Called == nil {
		t.Errorf("what did not change: %v, %v", r.Value.Called, err)
	}
	if _, err := conn.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	follow(t, c)
	same(t, "read", ask(t.Context(), store), askFollowed(t, c))
}

// askFollowed asks the local rows once they have read what changed.
func askFollowed(t *testing.T, c *localrows.Store) told {
	t.Helper()
	follow(t, c)
	return ask(t.Context(), c)
}

func rules(rows table.Source) *db.Rulebook { return db.NewRulebook(rows, nil) }

// A disk that cannot be written takes nothing from what the local rows answer.
func TestLocalRowsOnAReadOnlyDisk(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store, c := openBoth(t, url)
	dbtest.Execute(t, url, dbtest.SecondNode)
	follow(t, c)
	if err := c.RefuseWrites(); err != nil {
		t.Fatal(err)
	}
	for _, edit := range dbtest.Edits[:20] {
		dbtest.Execute(t, url, edit)
		if err := c.Follow(t.Context()); err == nil {
			t.Errorf("%s: nobody is told that the disk cannot be written", edit)
		}
		same(t, edit, ask(t.Context(), store), ask(t.Context(), c))
	}
}

// Local rows are for their server alone, and nobody else may read it; one that is broken, or from another version, is made anew.
func TestLocalRowsFile(t *testing.T) {
	t.Parallel()
	store, dir := dbtest.Open(t, dbtest.DemoURL(t)), filepath.Join(t.TempDir(), "copy")
	c := openLocal(t, store, dir)
	if at := store.DB().LastAnswer(); at.UnixNano() != 0 {
		t.Errorf("a new mirror knows that the database answered at %v", at)
	}
	follow(t, c)
	if _, err := localrows.Open(store, dir, 0, slog.New(slog.DiscardHandler), prometheus.NewRegistry()); err == nil {
		t.Error("two have it open")
	}
	for _, name := range []string{dir, filepath.Join(dir, "rows.db")} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "rows.db"), []byte("not local rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	isMadeAnew(t, store, dir)
	if err := localrows.AgeFile(filepath.Join(dir, "rows.db")); err != nil {
		t.Fatal(err)
	}
	isMadeAnew(t, store, dir)
}

func isMadeAnew(t *testing.T, store *table.Store, dir string) {
	t.Helper()
	c := openLocal(t, store, dir)
	if age, usable := c.Age(); usable {
		t.Errorf("local rows that cannot be read is %v old", age)
	}
	follow(t, c)
	if _, usable := c.Age(); !usable {
		t.Error("it was not made anew")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// The operator may say how old an answer may be.
func TestLocalRowsAgeLimit(t *testing.T) {
	t.Parallel()
	store, dir := dbtest.Open(t, dbtest.DemoURL(t)), t.TempDir()
	c, err := localrows.Open(store, dir, time.Nanosecond, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	follow(t, c)
	if r, err := rules(c).Route(t.Context(), db.Call{Context: "public", Number: "+27123456789"}); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("%v, %v", r, err)
	}
}

// What changed is read although Postgres ended the connection: until then it would be in doubt.
func TestLocalRowsFollowsOverAnotherConnection(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store, c := openBoth(t, url)
	dbtest.Execute(t, url, dbtest.SecondNode)
	for _, edit := range dbtest.Edits[:5] {
		follow(t, c)
		dbtest.Execute(t, url, edit)
		dbtest.Execute(t, url, dbtest.EndConnections)
		follow(t, c)
		same(t, edit, ask(t.Context(), store), askFollowed(t, c))
	}
}
