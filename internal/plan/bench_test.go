package plan_test

import (
	"os"
	"testing"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/plan"
	"xmlcurld/testdata"
)

// BenchmarkPlan tells how long plans take in a world of a million numbers, or of as many as PLAN_NUMBERS says. That of one row
// is to take at most 300 ms, and that of 10,000 rows at most 5 s. Its nodes have no switches.
func BenchmarkPlan(b *testing.B) {
	url := dbtest.URL(b)
	size := ""
	if numbers := os.Getenv("PLAN_NUMBERS"); numbers != "" {
		size = `SET world.numbers = ` + numbers + `;`
	}
	dbtest.Execute(b, url, `SET session_replication_role = replica;`+size+testdata.World)
	dbtest.Execute(b, url, `VACUUM (FREEZE, ANALYZE)`)
	for _, test := range []struct{ name, sql string }{
		{"a number", `UPDATE number SET display_name = 'x' WHERE context = 'public' AND number = '+27100000007'`},
		{"a user", `UPDATE domain_user SET password = 'x' WHERE domain = 't0001.example' AND id = '1000'`},
		{"a gateway", `UPDATE gateway SET password = 'x' WHERE name = 'gw00007'`},
		{"a gateway's param", `UPDATE gateway_param SET value = '60' WHERE gateway = 'gw00007'`},
		{"an entry of a list", `INSERT INTO acl_entry (list, cidr) VALUES ('carriers', '203.0.113.0/24')`},
		{"an action of all numbers", `UPDATE action SET data = '127.0.0.1:8052 async full' WHERE application = 'socket'`},
		{"a tenant", `UPDATE tenant SET enabled = false WHERE name = 't0007'`},
		{"a setting of all nodes", `UPDATE node SET max_sessions = 2000 WHERE name = '*'`},
		{"10000 numbers", `UPDATE number SET display_name = 'x' WHERE context = 'public' AND number < '+27100010000'`},
		{"10000 users", `UPDATE domain_user SET caller_id_name = 'x' WHERE domain < 't0101.example'`},
	} {
		e := plan.Edit{Statements: []plan.Statement{{SQL: test.sql}}}
		b.Run(test.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := plan.Make(b.Context(), url, e, plan.Options{Examples: 5, Check: true, SwitchTime: 1e9}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
