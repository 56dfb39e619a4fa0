package localrows_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/table"
)

// known are secrets by their references.
type known map[string]string

func (k known) Resolve(reference string) (string, error) {
	if secret, ok := k[reference]; ok {
		return secret, nil
	}
	return "", errors.New("secret " + reference + ": unknown")
}

// The local rows hold no password that rows only refer to: they read it where it is, so that another one is in force at once,
// though the database has nothing to tell.
func TestLocalRowsHoldsNoSecretOfOthers(t *testing.T) {
	t.Parallel()
	url, dir := dbtest.DemoURL(t), t.TempDir()
	dbtest.Execute(t, url, `INSERT INTO gateway (name, profile, proxy, username, register, password_from) VALUES
		('own', 'external', 'a.example', 'u', true, 'file:own')`)
	dbtest.Execute(t, url, `UPDATE node SET event_socket_password = NULL, event_socket_password_from = 'env:COMMON'`)
	secrets := known{"file:own": "hidden carrier", "env:COMMON": "hidden socket"}
	store := dbtest.Open(t, url)
	c := openLocal(t, store, dir)
	follow(t, c)
	look := func(rows table.Source) string {
		t.Helper()
		r := db.NewRulebook(rows, secrets)
		sofia, err := r.Sofia(t.Context(), "fs1", "external", "own")
		if err != nil || len(sofia.Value.Profiles) != 1 || len(sofia.Value.Profiles[0].Gateways) != 1 {
			t.Fatalf("%+v, %v", sofia, err)
		}
		settings, err := r.EventSocket(t.Context(), "fs1")
		if err != nil {
			t.Fatal(err)
		}
		all := ""
		for _, s := range sofia.Value.Profiles[0].Gateways[0].Settings {
			if s.Name == "password" || s.Name == db.RevisionVariable {
				all += s.Value + " "
			}
		}
		for _, s := range settings.Value {
			if s.Name == "password" {
				all += s.Value + " " + s.Mark
			}
		}
		return all
	}
	before := look(store)
	if got := look(c); got != before {
		t.Errorf("the local rows: %q, want %q", got, before)
	}
	secrets["file:own"], secrets["env:COMMON"] = "another carrier", "another socket"
	if got, want := look(c), look(store); got != want || got == before {
		t.Errorf("other secrets: %q, want %q, not %q", got, want, before)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, "rows.db"))
	if err != nil || bytes.Contains(file, []byte("hidden")) || len(file) == 0 {
		t.Errorf("%d bytes, in which a secret may be: %v", len(file), err)
	}
}
