package main

import "testing"

// What the command returns is returned, and it knows the server: a failed test must fail make test.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		command []string
		code    int
		fails   bool
	}{
		{command: []string{"sh", "-c", `test -n "$DBTEST_URL"`}, code: 0},
		{command: []string{"sh", "-c", `test -n "$DBTEST_URL" && exit 3`}, code: 3},
		{command: []string{"sh", "-c", `kill -9 $$`}, code: 1},
		{command: []string{"/no/such/program"}, code: 0, fails: true}, // main makes it 1
		{command: nil, code: 2, fails: true},
	} {
		code, err := run(tc.command)
		if code != tc.code || (err != nil) != tc.fails {
			t.Errorf("%q: %d, %v", tc.command, code, err)
		}
	}
}
