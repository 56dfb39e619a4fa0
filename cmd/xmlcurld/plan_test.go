package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/plan"
)

// sqlFile is a new file with an edit.
func sqlFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "edit.sql")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const moveNumber = `UPDATE number SET tenant = 'acme', extension = 'reception' WHERE number = '+27123456789'`

func TestPlan(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	move := sqlFile(t, moveNumber)
	for _, test := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
		found          string // in stdout, further down
	}{
		{name: "an edit", args: []string{move}, stdout: "1 statement, 1 row: nothing is changed yet.\n\nRows\n  number: 1 updated"},
		{name: "what is refused", args: []string{sqlFile(t, "SELECT 1;\nCOMMIT")}, code: exitFault, stderr: "edit.sql: line 2: COMMIT begins or ends"},
		{name: "what fails", args: []string{sqlFile(t, "SELECT 1;\nSELECT 1/0")}, code: exitFault,
			stderr: "edit.sql: line 2: ERROR:  division by zero\nNothing is changed."},
		{name: "nothing in it", args: []string{sqlFile(t, "-- nothing")}, code: exitFault, stderr: "there is no statement in it"},
		{name: "no file", code: exitUsage, stderr: "one file of SQL is wanted"},
		{name: "what is too long for answer_limit", args: []string{"--answer-limit", "10000", "--examples", "0", sqlFile(t,
			`INSERT INTO document (section, name, body) VALUES ('configuration', 'long.conf', ('<configuration name="long.conf">' || repeat('<a/>', 5000) || '</configuration>')::xml)`)},
			stdout: "1 statement, 1 row: nothing is changed yet.", found: "answer-too-long"},
		{name: "no such file", args: []string{"nothing.sql"}, code: exitFault, stderr: "nothing.sql: no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := runOnce(t, nil, append([]string{"plan", "--database-url", url}, test.args...)...)
			if code != test.code || !strings.HasPrefix(stdout, test.stdout) || !strings.Contains(stdout, test.found) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("exit %d\n%s%s\nwant exit %d with %q, %q", code, stdout, stderr, test.code, test.stdout, test.stderr)
			}
		})
	}
	out := filepath.Join(t.TempDir(), "move.plan")
	code, stdout, stderr := runOnce(t, nil, "plan", "--database-url", url, "--json", "--no-check", "--out", out, move)
	var p plan.Plan
	if err := json.Unmarshal([]byte(stdout), &p); code != exitOK || err != nil || p.Rows.Total != 1 {
		t.Errorf("exit %d, %v: %s%s", code, err, stdout, stderr)
	}
	if _, err := os.Stat(out); err != nil {
		t.Error(err)
	}
}

// Who may not read secrets plans without them, is told so, and applies what was planned.
func TestPlanWithoutSecrets(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	role := "planner_" + strings.ReplaceAll(dbtest.One[string](t, url, `SELECT gen_random_uuid()::text`), "-", "")
	dbtest.Execute(t, url, `CREATE ROLE `+role+` LOGIN; GRANT UPDATE ON number TO `+role+`; SELECT grant_planning('`+role+`')`)
	defer dbtest.Execute(t, url, `DROP OWNED BY `+role+`; DROP ROLE `+role)
	as := asRole(t, url, role)
	code, stdout, stderr := runOnce(t, nil, "plan", "--database-url", as, sqlFile(t, moveNumber))
	if code != exitPart || !strings.Contains(stdout, role+" may not read domain_user (password") || !strings.Contains(stderr, "To see them: GRANT SELECT ON ") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	code, stdout, _ = runOnce(t, nil, "plan", "--database-url", as, "--json", sqlFile(t, moveNumber))
	var p plan.Plan
	if err := json.Unmarshal([]byte(stdout), &p); err != nil || code != exitPart || len(p.Unread) == 0 {
		t.Errorf("exit %d, %v\n%s", code, err, stdout)
	}
	code, stdout, stderr = runOnce(t, nil, "apply", "--yes", "--database-url", as, sqlFile(t, moveNumber))
	if code != exitOK || !strings.Contains(stdout, "Applied.\nEvery switch is in sync.\n") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	for _, args := range [][]string{{"explain", "number", "7001", "--context", "acme"}, {"explain", "user", "1000@acme.example"}, {"explain", "gateway", "twilio"}} {
		if code, stdout, stderr := runOnce(t, nil, append(args, "--database-url", as)...); code != exitOK || !strings.Contains(stdout, "rows:\n") {
			t.Errorf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
	}
	_, found, _ := runOnce(t, nil, "check", "--database-url", url)
	if _, stdout, stderr := runOnce(t, nil, "check", "--database-url", as); stdout != found || strings.Contains(stderr, "permission denied") {
		t.Errorf("%s%s\nwant %s", stdout, stderr, found)
	}
	code, stdout, stderr = runOnce(t, nil, "history", "--limit", "1", "--database-url", as)
	if code != exitOK || !strings.Contains(stdout, "by "+role+" with xmlcurld apply\n  update number +27123456789 public of acme\n") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// asRole is the URL of a database with another role in it.
func asRole(t *testing.T, database, role string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	return u.String()
}
