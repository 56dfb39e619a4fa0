package localrows_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/localrows"
)

// Whoever makes up names of domains, of groups or of nodes does not fill the local rows.
func TestLocalRowsOfMadeUpNames(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, dbtest.SecondNode)
	store := dbtest.Open(t, url)
	c := openLocal(t, store, t.TempDir())
	defer func() { _ = c.Close() }()
	told{}.documents(t.Context(), localrows.NewSource(store, c))
	follow(t, c)
	rows := localrows.NewSource(store, c)
	before := c.Asked()
	for n := range 20 {
		domain, node := fmt.Sprintf("made-up-%d.example", n), fmt.Sprintf("container-%d", n)
		_, ofDomain := rows.Domain(t.Context(), "fs1", domain)
		_, ofUsers := rows.Users(t.Context(), "fs1", domain)
		_, ofNetworks := rows.Networks(t.Context(), "fs1", domain)
		_, ofGroup := rows.Group(t.Context(), "fs1", "acme.example", domain)
		_, ofACL := rows.ACL(t.Context(), node)
		_, ofSofia := rows.Sofia(t.Context(), node, "", "")
		if err := errors.Join(ofDomain, ofUsers, ofNetworks, ofGroup, ofACL, ofSofia); err != nil {
			t.Fatal(err)
		}
	}
	follow(t, c)
	if diff := cmp.Diff(before, c.Asked()); diff != "" {
		t.Errorf("questions kept, by node:\n%s", diff)
	}
	if _, err := c.Domain(t.Context(), "fs1", "made-up-1.example"); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("a domain that was not found: %v", err)
	}
	want, err := store.ACL(t.Context(), "container-1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.ACL(t.Context(), "container-99")
	if err != nil || got.NodeKnown || got.Value.Revision != want.Value.Revision {
		t.Errorf("the lists of a node that never asked: %v, %v", got, err)
	}
}

// One node may ask for more documents than are kept. Then those that it asked longest ago are forgotten, also in the file,
// and the other nodes keep theirs.
func TestLocalRowsForgetsTheOldest(t *testing.T) {
	t.Parallel()
	url, dir := dbtest.DemoURL(t), t.TempDir()
	dbtest.Execute(t, url, dbtest.SecondNode)
	store := dbtest.Open(t, url)
	c := openLocal(t, store, dir)
	defer func() { _ = c.Close() }()
	rows := localrows.NewSource(store, c)
	asks := func(node, name string) {
		t.Helper()
		if _, err := rows.Document(t.Context(), node, "configuration", name); err != nil {
			t.Fatal(err)
		}
	}
	asks("fs1", "first.conf")
	asks("fs2", "first.conf")
	asks("fs1", "second.conf")
	follow(t, c)
	for n := range localrows.AskedMost - 2 {
		asks("fs1", fmt.Sprintf("%d.conf", n))
	}
	asks("fs1", "first.conf") // the oldest no more
	asks("fs1", "one-too-many.conf")
	if _, err := c.Document(t.Context(), "fs1", "configuration", "second.conf"); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("what was asked longest ago: %v", err)
	}
	follow(t, c)
	for _, of := range []struct{ node, name string }{{"fs1", "first.conf"}, {"fs1", "one-too-many.conf"}, {"fs2", "first.conf"}} {
		if _, err := c.Document(t.Context(), of.node, "configuration", of.name); err != nil {
			t.Errorf("%s of %s: %v", of.name, of.node, err)
		}
	}
	want := map[string]int{"fs1": localrows.AskedMost, "fs2": 1}
	if diff := cmp.Diff([]map[string]int{want, want}, []map[string]int{c.Asked(), c.Kept()}); diff != "" {
		t.Errorf("questions kept in memory and in the file:\n%s", diff)
	}
	dbtest.Execute(t, url, `DELETE FROM node WHERE name = 'fs1'`)
	follow(t, c)
	want = map[string]int{"fs2": 1}
	if diff := cmp.Diff([]map[string]int{want, want}, []map[string]int{c.Asked(), c.Kept()}); diff != "" {
		t.Errorf("questions kept after a node was removed:\n%s", diff)
	}
}

// An answer is asked for again when one of its tables changes, so each of them notes its changes.
func TestRelationsAreNoted(t *testing.T) {
	t.Parallel()
	for operation, relations := range localrows.Relations() {
		for _, relation := range relations {
			if !slices.Contains(db.NotedTables, relation) {
				t.Errorf("%s is made of table %s, whose changes are not noted", operation, relation)
			}
		}
	}
}
