package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"xmlcurld/db/dbtest"
)

func TestApply(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	move, out := sqlFile(t, moveNumber), filepath.Join(t.TempDir(), "move.plan")
	for _, test := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{name: "save a plan", args: []string{"plan", "--reason", "a move", "--out", out, move}, stdout: "1 row: nothing is changed yet"},
		{name: "it is not what was planned", args: []string{"apply", "--yes", move, "--plan", out}, code: exitUsage, stderr: "one file of SQL is wanted"},
		{name: "nothing", args: []string{"apply", "--yes"}, code: exitUsage, stderr: "one file of SQL is wanted"},
		{name: "something else", args: []string{"apply", "--yes", "--plan", move}, code: exitFault, stderr: "this is no saved plan"},
		{name: "the plan", args: []string{"apply", "--yes", "--plan", out}, stdout: "Applied.\nEvery switch is in sync.\n"},
		{name: "the plan again", args: []string{"apply", "--yes", "--plan", out}, code: exitFault,
			stderr: "what the plan was made from has changed since:\n  number +27123456789 public would not be changed any more"},
		{name: "a file", args: []string{"apply", "--yes", sqlFile(t, `UPDATE number SET enabled = false WHERE number = '7001'`)},
			stdout: "Applied.\nEvery switch is in sync.\n"},
	} {
		code, stdout, stderr := runOnce(t, nil, append([]string{test.args[0], "--database-url", url}, test.args[1:]...)...)
		if code != test.code || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("%s: exit %d\n%s%s\nwant exit %d with %q, %q", test.name, code, stdout, stderr, test.code, test.stdout, test.stderr)
		}
	}
	var made string
	if err := dbtest.Connect(t, url).QueryRow(t.Context(), `
		SELECT string_agg(application || ': ' || coalesce(reason, 'no reason'), ', ' ORDER BY id) FROM edit WHERE application LIKE 'xmlcurld%'`).Scan(&made); err != nil {
		t.Fatal(err)
	}
	if want := "xmlcurld apply: a move, xmlcurld apply: no reason"; made != want {
		t.Errorf("made %s, want %s", made, want)
	}
	code, stdout, stderr := runOnce(t, nil, "apply", "--yes", "--json", "--database-url", url, sqlFile(t, `UPDATE number SET display_name = 'x' WHERE number = '7001'`))
	var result applied
	if err := json.Unmarshal([]byte(stdout), &result); err != nil || code != exitOK || !result.Applied || !result.InSync || result.Plan.Rows.Total != 1 {
		t.Errorf("exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	if code, _, _ := runOnce(t, nil, "apply", "--json", "--database-url", url, move); code != exitUsage {
		t.Errorf("--json without --yes: exit %d", code)
	}
	// A node that no server looks after never gets it.
	dbtest.Execute(t, url, `INSERT INTO node (name) VALUES ('fs1')`)
	again := sqlFile(t, `UPDATE number SET enabled = true WHERE number = '7001'`)
	code, stdout, stderr = runOnce(t, nil, "apply", "--yes", "--timeout", "1s", "--no-switches", "--database-url", url, again)
	if code != exitFault || !strings.Contains(stdout, "Applied.") || !strings.Contains(stderr, "the edit is made, but not every switch has it") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := runOnce(t, nil, "apply", "--yes", "--no-wait", "--no-switches", "--database-url", url, again); code != exitOK {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}

// invoked is a verb's invocation on a database, by somebody who gives answers.
func invoked(t *testing.T, url string, flags func(*pflag.FlagSet), args []string, answers ...string) (*invocation, *bytes.Buffer) {
	t.Helper()
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	out := new(bytes.Buffer)
	return &invocation{
		config: config{DatabaseURL: NewSecret(url)}, flags: set, operands: set.Args(), stdout: out, stderr: out, log: slog.New(slog.DiscardHandler),
		ask: func(_ context.Context, question string) (string, error) {
			out.WriteString(question + "\n")
			if len(answers) == 0 {
				return "", errors.New("no answer is left")
			}
			answer := answers[0]
			answers = answers[1:]
			return answer, nil
		},
	}, out
}

func TestApplyAsks(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	for answer, want := range map[string]string{"yes": "", "no": "not applied", "": "not applied"} {
		i, out := invoked(t, url, applyFlags, []string{sqlFile(t, `INSERT INTO tenant (name) VALUES ('asked')`)}, answer)
		if err := apply(t.Context(), i); err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%q: %v\n%s", answer, err, out)
		}
		var there bool
		if err := dbtest.Connect(t, url).QueryRow(t.Context(), `DELETE FROM tenant WHERE name = 'asked' RETURNING true`).Scan(&there); there != (want == "") {
			t.Errorf("%q: %v, %v", answer, there, err)
		}
	}
}
