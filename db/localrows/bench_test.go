package localrows_test

import (
	"testing"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/localrows"
)

// copyWorld has fifty nodes, a thousand gateways of one profile and a thousand entries of an access list.
const copyWorld = `
INSERT INTO node (name) SELECT 'node' || n FROM generate_series(1, 50) n;
INSERT INTO gateway (name, profile, proxy) SELECT 'gateway' || n, 'external', 'carrier.example' FROM generate_series(1, 1000) n;
INSERT INTO acl_entry (list, cidr) SELECT 'domains', set_masklen((inet '12.0.0.0' + 256 * n)::cidr, 24) FROM generate_series(1, 1000) n`

// BenchmarkFollows tells what it takes to bring the local rows up to date after one edit.
func BenchmarkFollows(b *testing.B) {
	url := dbtest.DemoURL(b)
	dbtest.Execute(b, url, `INSERT INTO acl_list (name) VALUES ('domains') ON CONFLICT DO NOTHING`)
	dbtest.Execute(b, url, copyWorld)
	_, c := openBoth(b, url)
	follow(b, c)
	for name, edit := range map[string]string{
		"gateway": `UPDATE gateway SET username = gen_random_uuid()::text WHERE name = 'gateway7'`,
		"acl":     `INSERT INTO acl_entry (list, cidr) SELECT 'domains', set_masklen((inet '13.0.0.0' + count(*))::cidr, 32) FROM acl_entry`,
	} {
		b.Run(name, func(b *testing.B) { followEach(b, c, func() { dbtest.Execute(b, url, edit) }) })
	}
}

// followEach times what the local rows do after each edit.
func followEach(b *testing.B, c *localrows.Store, edit func()) {
	b.Helper()
	for b.Loop() {
		b.StopTimer()
		edit()
		b.StartTimer()
		follow(b, c)
	}
}

// manyGateways are added to the few of the demo.
const manyGateways = `
INSERT INTO gateway (name, profile, proxy) SELECT 'many' || n, 'external', 'carrier.example' FROM generate_series(1, 10000) n;
INSERT INTO gateway_param (gateway, name, value) SELECT 'many' || n, 'ping', '30' FROM generate_series(1, 10000) n`

// BenchmarkManyAfterFew tells what it takes to answer for ten thousand gateways, and to copy them, on connections that were
// asked when there were a few, before Postgres has analyzed the tables and after. The first is to be less than a few times
// the second: with plans that are made once it is a hundred times as much.
func BenchmarkManyAfterFew(b *testing.B) {
	url := dbtest.DemoURL(b)
	dbtest.Execute(b, url, `ANALYZE`)
	store, c := openBoth(b, url)
	ask := func(b *testing.B) {
		b.Helper()
		if _, err := rules(store).Sofia(b.Context(), "fs1", "external", ""); err != nil {
			b.Fatal(err)
		}
	}
	edit := func() { dbtest.Execute(b, url, `UPDATE gateway SET username = gen_random_uuid()::text`) }
	ask(b)
	edit()
	follow(b, c)
	dbtest.Execute(b, url, manyGateways)
	for _, when := range []string{"before", "after"} {
		b.Run("sofia.conf "+when, func(b *testing.B) {
			for b.Loop() {
				ask(b)
			}
		})
		b.Run("copy "+when, func(b *testing.B) { followEach(b, c, edit) })
		dbtest.Execute(b, url, `ANALYZE`)
	}
}
