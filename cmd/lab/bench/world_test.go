//go:build linux

package bench

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/testdata"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// The bench makes its worlds without the checks that one row's fitting another is subject to; here they are on.
func TestWorldKeepsEveryRule(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	want := sizes{tenants: 3, numbers: 200, users: 30, gateways: 8, aclEntries: 5, nodes: 2}
	if _, err := conn.Exec(t.Context(), want.settings()+testdata.World); err != nil {
		t.Fatal(err)
	}
	var got sizes
	err = conn.QueryRow(t.Context(), `
		SELECT
			(SELECT count(*) FROM tenant),
			(SELECT count(*) FROM number),
			(SELECT count(*) FROM domain_user),
			(SELECT count(*) FROM gateway),
			(SELECT count(*) FROM acl_entry),
			(SELECT count(*) FROM node WHERE name <> '*')`,
	).Scan(&got.tenants, &got.numbers, &got.users, &got.gateways, &got.aclEntries, &got.nodes)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sizes{})); diff != "" {
		t.Error(diff)
	}
}

// Every row is asked for: the multiples of scatter visit all of a world before they come back.
func TestPickVisitsAll(t *testing.T) {
	t.Parallel()
	s := sizes{tenants: 3, numbers: 100, users: 30, nodes: 2}
	numbers, users := map[int]bool{}, map[[2]int]bool{}
	for i := range s.numbers {
		v := s.pick(i)
		numbers[v[number]] = true
		users[[2]int{v[tenant], v[user]}] = true
	}
	if len(numbers) != s.numbers || len(users) != s.users {
		t.Errorf("%d of %d numbers, %d of %d users", len(numbers), s.numbers, len(users), s.users)
	}
}
