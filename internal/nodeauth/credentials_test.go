package nodeauth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/crypto/bcrypt"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/table"
	"xmlcurld/internal/nodeauth"
	"xmlcurld/xmlcurl"
)

// rig is a checker on a database where sw1 and sw2 have credentials.
type rig struct {
	*nodeauth.Checker
	url  string
	conn *pgx.Conn
	reg  *prometheus.Registry
}

// hashes of "one", "two" and "three". They are made once: that is slow.
var hashes = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for _, password := range []string{"one", "two", "three"} {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), 6) // as low as the schema takes
		if err != nil {
			panic(err)
		}
		all[password] = string(hash)
	}
	return all
})

// newRig has the checker see rows through view, unless that is nil.
func newRig(t *testing.T, view func(nodeauth.Rows) nodeauth.Rows) *rig {
	t.Helper()
	r := &rig{url: dbtest.URL(t), reg: prometheus.NewRegistry()}
	var err error
	if r.conn, err = pgx.Connect(t.Context(), r.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.conn.Close(context.Background()) })
	r.sql(t, `INSERT INTO node (name) VALUES ('sw1'), ('sw2')`)
	r.sql(t, `INSERT INTO node_credential (username, node, password_hash) VALUES ('fs1', 'sw1', $1), ('fs2', 'sw2', $2)`,
		hashes()["one"], hashes()["two"])
	store, err := table.Open(t.Context(), r.url, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	rows := nodeauth.Rows(stored{db.NewRulebook(store, nil), store})
	if view != nil {
		rows = view(rows)
	}
	r.Checker = nodeauth.New(rows, slog.New(slog.DiscardHandler), r.reg)
	r.Read(t.Context())
	return r
}

func (r *rig) sql(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := r.conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// run keeps the checker up to date until the test ends.
func (r *rig) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
}

// is checks what becomes of a user and password.
func (r *rig) is(t *testing.T, user, password, node string, want error) {
	t.Helper()
	got, err := r.Authenticate(t.Context(), user, password)
	if err == nil && got != node || !errors.Is(err, want) {
		t.Errorf("%s:%s is %q, %v; want %q, %v", user, password, got, err, node, want)
	}
}

// checks is how many slow checks came to result.
func (r *rig) checks(t *testing.T) string {
	t.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	said := []string{}
	for _, f := range families {
		if f.GetName() == "xmlcurld_password_checks_total" {
			for _, m := range f.GetMetric() {
				said = append(said, fmt.Sprintf("%s %v", m.GetLabel()[0].GetValue(), m.GetCounter().GetValue()))
			}
		}
	}
	return strings.Join(said, ", ")
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.is(t, "fs1", "two", "", xmlcurl.ErrUnauthorized)
	r.is(t, "fs1", "one", "sw1", nil)
	r.is(t, "fs2", "two", "sw2", nil)
	r.is(t, "fs1", "", "", xmlcurl.ErrUnauthorized)
	r.is(t, "FS1", "one", "", xmlcurl.ErrNotFound)
	r.is(t, "", "", "", xmlcurl.ErrNotFound)
	r.is(t, "fs1", "one"+strings.Repeat("x", 100), "", xmlcurl.ErrUnauthorized)
	r.sql(t, `UPDATE node_credential SET enabled = false WHERE username = 'fs1'`)
	r.sql(t, `UPDATE node SET name = 'sw3' WHERE name = 'sw2'`)
	r.Read(t.Context())
	r.is(t, "fs1", "one", "", xmlcurl.ErrUnauthorized)
	r.is(t, "fs2", "two", "sw3", nil)
	if got := r.checks(t); got != "right 2, wrong 1" {
		t.Errorf("slow checks: %s", got)
	}
	r.sql(t, `UPDATE node_credential SET password_hash = $1 WHERE username = 'fs2'`, hashes()["three"])
	r.Read(t.Context())
	r.is(t, "fs2", "two", "", xmlcurl.ErrUnauthorized)
	r.is(t, "fs2", "three", "sw3", nil)
}

// Once the right password was seen nothing costs a slow check any more; before, the same wrong one costs one.
func TestSlowHashIsUsedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { r.is(t, "fs1", "wrong", "", xmlcurl.ErrUnauthorized) })
	}
	all.Wait()
	if got := r.checks(t); got != "wrong 1" {
		t.Errorf("a switch that is set up wrong: %s", got)
	}
	for range 8 {
		all.Go(func() { r.is(t, "fs1", "one", "sw1", nil) })
	}
	all.Wait()
	for i := range 100 {
		r.is(t, "fs1", fmt.Sprint("guess ", i), "", xmlcurl.ErrUnauthorized)
	}
	if got := r.checks(t); got != "right 1, wrong 1" {
		t.Errorf("after guesses: %s", got)
	}
	r.is(t, "fs2", "two", "sw2", nil)
}

// Whoever guesses one node's password keeps no other node out.
func TestGuessesDelayNobodyElse(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() { _, _ = r.Authenticate(ctx, "fs1", fmt.Sprint("guess ", i)) })
	}
	start := time.Now()
	r.is(t, "fs2", "two", "sw2", nil)
	t.Logf("the first request of a switch: %v", time.Since(start))
	cancel()
	all.Wait()
	if got := testutil.CollectAndCount(r.reg, "xmlcurld_password_checks_total"); got == 0 {
		t.Error("nothing was counted")
	}
	if _, err := r.Authenticate(ctx, "fs1", "a guess in no time"); !errors.Is(err, xmlcurl.ErrUnavailable) {
		t.Errorf("without time: %v", err)
	}
}

// stored are the database's rows and notices.
type stored struct {
	*db.Rulebook
	*table.Store
}

// without takes something away from rows.
type without struct {
	nodeauth.Rows
	listen bool // notices are lost
	read   bool // rows cannot be read
}

func (w without) Listen(ctx context.Context, told func(table.Notice)) {
	if w.listen {
		<-ctx.Done()
		return
	}
	w.Rows.Listen(ctx, told)
}

func (w *without) Credentials(ctx context.Context) ([]db.Credential, error) {
	if w.read {
		return nil, db.ErrUnavailable
	}
	return w.Rows.Credentials(ctx)
}

// A revoked credential is out of force within a second of the commit, whether or not the notice arrives.
func TestRevoked(t *testing.T) {
	t.Parallel()
	for name, view := range map[string]func(nodeauth.Rows) nodeauth.Rows{
		"told":             nil,
		"notices are lost": func(r nodeauth.Rows) nodeauth.Rows { return &without{Rows: r, listen: true} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, view)
			r.run(t)
			for _, tc := range []struct {
				user, password string
				revoke, give   string
				want           error
			}{
				{
					"fs1", "one", `UPDATE node_credential SET enabled = false WHERE username = 'fs1'`,
					`UPDATE node_credential SET enabled = true WHERE username = 'fs1'`, xmlcurl.ErrUnauthorized,
				},
				{
					"fs2", "two", `DELETE FROM node_credential WHERE username = 'fs2'`,
					`INSERT INTO node_credential (username, node, password_hash) VALUES ('fs2', 'sw2', '` + hashes()["two"] + `')`, xmlcurl.ErrNotFound,
				},
			} {
				is := func(want error) func() bool {
					return func() bool {
						_, err := r.Authenticate(t.Context(), tc.user, tc.password)
						return errors.Is(err, want)
					}
				}
				least := time.Hour // of several times: the machine may have had something else to do
				for range 3 {
					dbtest.Await(t, tc.user+" is let in", is(nil))
					r.sql(t, tc.revoke)
					committed := time.Now()
					dbtest.Await(t, tc.user+" is let in no more", is(tc.want))
					least = min(least, time.Since(committed))
					r.sql(t, tc.give)
				}
				if least > time.Second {
					t.Errorf("%s: in force for %v", tc.revoke, least)
				}
			}
		})
	}
}

// What was read last stays in force while the database is away; before anything was read nobody is let in.
func TestDatabaseIsAway(t *testing.T) {
	t.Parallel()
	away := &without{}
	r := newRig(t, func(rows nodeauth.Rows) nodeauth.Rows { away.Rows = rows; return away })
	away.read = true
	r.Read(t.Context())
	r.is(t, "fs1", "one", "sw1", nil)
	r.is(t, "fs1", "two", "", xmlcurl.ErrUnauthorized)

	never := nodeauth.New(away, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	never.Read(t.Context())
	if _, err := never.Authenticate(t.Context(), "fs1", "one"); !errors.Is(err, xmlcurl.ErrUnavailable) {
		t.Errorf("never read: %v", err)
	}
}

// An operator makes a hash in psql as well.
func TestHashes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.sql(t, `CREATE EXTENSION pgcrypto`)
	r.sql(t, `UPDATE node_credential SET password_hash = crypt('made in psql', gen_salt('bf')) WHERE username = 'fs1'`)
	r.Read(t.Context())
	r.is(t, "fs1", "made in psql", "sw1", nil)
	for password, fault := range map[string]string{
		"":                      "an empty password is none",
		strings.Repeat("x", 73): "a password may have 72 bytes, this has 73",
	} {
		if _, err := nodeauth.Hash(password); err == nil || err.Error() != fault {
			t.Errorf("%d bytes: %v", len(password), err)
		}
	}
	hash, err := nodeauth.Hash("made here")
	if err != nil {
		t.Fatal(err)
	}
	r.sql(t, `UPDATE node_credential SET password_hash = $1 WHERE username = 'fs1'`, hash)
	r.Read(t.Context())
	r.is(t, "fs1", "made here", "sw1", nil)
}
