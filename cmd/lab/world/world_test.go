//go:build linux

package world

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// URL makes its worlds without the checks that one row's fitting another is subject to; here they are on.
func TestWorldKeepsEveryRule(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	want := Sizes{Tenants: 3, Numbers: 200, Users: 30, Gateways: 8, ACLEntries: 5, Nodes: 2}
	if _, err := conn.Exec(t.Context(), want.SQL()); err != nil {
		t.Fatal(err)
	}
	var got Sizes
	err = conn.QueryRow(t.Context(), `
		SELECT
			(SELECT count(*) FROM tenant),
			(SELECT count(*) FROM number),
			(SELECT count(*) FROM domain_user),
			(SELECT count(*) FROM gateway),
			(SELECT count(*) FROM acl_entry),
			(SELECT count(*) FROM node WHERE name <> '*')`,
	).Scan(&got.Tenants, &got.Numbers, &got.Users, &got.Gateways, &got.ACLEntries, &got.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var named int
	err = conn.QueryRow(t.Context(), `
		SELECT
			(SELECT count(*) FROM node WHERE name = $1) +
			(SELECT count(*) FROM number WHERE number = $2) +
			(SELECT count(*) FROM domain_user WHERE domain = $3 AND id = '1000')`,
		Node(1), Number(199), Domain(2)).Scan(&named)
	if err != nil || named != 3 {
		t.Errorf("%d of 3 rows have the names they should have, error %v", named, err)
	}
}
