package db_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
)

// manyEntries take more than one turn to be read, and are of every kind.
const manyEntries = `
INSERT INTO acl_list (name) VALUES ('empty');
INSERT INTO acl_entry (list, cidr) SELECT 'domains', set_masklen((inet '12.0.0.0' + 256 * n)::cidr, 24) FROM generate_series(1, 1700) n;
INSERT INTO acl_entry (list, cidr, action, port) SELECT 'phones', set_masklen((inet '13.0.0.0' + 256 * n)::cidr, 24), 'deny', int4range(n, 2 * n, '[]') FROM generate_series(1, 600) n;
INSERT INTO acl_entry (list, node, cidr) SELECT 'domains', 'fs2', set_masklen((inet '14.0.0.0' + 256 * n)::cidr, 24) FROM generate_series(1, 600) n;
INSERT INTO acl_entry (list, cidr, action) VALUES ('domains', '15.0.0.0/8', 'deny')`

func sameLists(t *testing.T, when string, want, got db.Answer[db.ACL]) {
	t.Helper()
	if want.NodeKnown == got.NodeKnown && want.Value.Revision == got.Value.Revision && slices.Equal(want.Value.Entries, got.Value.Entries) {
		return
	}
	t.Errorf("%s: (-want +got)\n%s", when, cmp.Diff(want, got, cmpopts.EquateComparable(db.ACLEntry{}.CIDR)))
}

func lists(ctx context.Context, t *testing.T, s *db.Store, node string) db.Answer[db.ACL] {
	t.Helper()
	acl, err := s.ACL(ctx, node)
	if err != nil {
		t.Fatal(err)
	}
	return acl
}

// Lists that were read for their revision, by whoever keeps the switches, are what a switch is given, and are not read again;
// whatever is edited then, it is given them as they are today.
func TestListsOfARevision(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, dbtest.SecondNode)
	dbtest.Execute(t, url, manyEntries)
	registry := prometheus.NewRegistry()
	store, err := db.Open(t.Context(), url, nil, registry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	keeps, err := store.Isolated(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(keeps.Close)
	readsAnew := dbtest.Open(t, url)
	nodes := []string{"fs1", "fs2", "unknown"}
	for _, edit := range append([]string{`SELECT`}, dbtest.Edits...) {
		revisions := make(map[string]string)
		for _, node := range nodes {
			asked := time.Now()
			if revisions[node], err = keeps.ACLRevision(t.Context(), node); err != nil {
				t.Fatal(err)
			}
			before := dbtest.Queries(t, registry, "acl")
			got := lists(t.Context(), t, store, node)
			sameLists(t, "before "+edit+": "+node, lists(t.Context(), t, readsAnew, node), got)
			if got.Value.Revision != revisions[node] {
				t.Errorf("before %s: %s has the revision %s, and was said to have %s", edit, node, got.Value.Revision, revisions[node])
			}
			if again := dbtest.Queries(t, registry, "acl") - before; again > 0 && time.Since(asked) < db.ListsKept {
				t.Errorf("before %s: the lists of %s were read again", edit, node)
			}
		}
		dbtest.Execute(t, url, edit)
		for _, node := range nodes {
			sameLists(t, "after "+edit+": "+node, lists(t.Context(), t, readsAnew, node), lists(t.Context(), t, store, node))
		}
	}
}
