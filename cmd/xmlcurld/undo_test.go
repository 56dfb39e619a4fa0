package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
)

func TestUndo(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	environ := []string{"XMLCURLD_DATABASE_URL=" + url}
	forward := func() string {
		t.Helper()
		return dbtest.One[string](t, url, `SELECT forward_number::text FROM number WHERE number = '7000'`)
	}
	last := func() string {
		t.Helper()
		return fmt.Sprint(dbtest.One[int64](t, url, `SELECT max(edit) FROM history`))
	}
	before := forward()
	execute(t, url, `UPDATE number SET forward_number = '7002' WHERE number = '7000'`)
	first := last()
	execute(t, url, `UPDATE number SET display_name = 'Another' WHERE number = '7000'`)
	second := last()

	code, _, stderr := runOnce(t, environ, "undo", first, "--yes")
	if want := "edit " + first + " cannot be undone: number 7000 acme changed since, by edit " + second + "; undo that first"; code != exitFault || !strings.Contains(stderr, want) {
		t.Errorf("what another edit stands on: exit %d %s, want %s", code, stderr, want)
	}
	code, stdout, stderr := runOnce(t, environ, "undo", second, "--yes")
	if code != exitOK || !strings.Contains(stdout, "Applied.\nEvery switch is in sync.\n") {
		t.Errorf("the newest: exit %d %s%s", code, stdout, stderr)
	}
	code, stdout, stderr = runOnce(t, environ, "undo", first, "--yes", "--json", "--reason", "a slip")
	var result applied
	if err := json.Unmarshal([]byte(stdout), &result); err != nil || code != exitOK || !result.Applied || !result.InSync || result.Plan.Rows.Total != 1 || forward() != before {
		t.Errorf("the one before: exit %d, %v, forwards to %s\n%s%s", code, err, forward(), stdout, stderr)
	}
	// What undid it can be undone.
	if code, stdout, stderr := runOnce(t, environ, "undo", last(), "--yes"); code != exitOK || forward() != "7002" {
		t.Errorf("undo of the undo: exit %d, forwards to %s\n%s%s", code, forward(), stdout, stderr)
	}
	reasons := dbtest.One[string](t, url, `SELECT string_agg(reason, ', ' ORDER BY id) FROM edit WHERE application = 'xmlcurld undo'`)
	if want := "undo of edit " + second + ", a slip, undo of edit "; !strings.HasPrefix(reasons, want) {
		t.Errorf("reasons %s, want %s…", reasons, want)
	}
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"undo"}, exitUsage, "one edit is wanted"},
		{[]string{"undo", "it"}, exitUsage, "is not the number of an edit"},
		{[]string{"undo", first, "--json"}, exitUsage, "wants --yes"},
		{[]string{"undo", "1000000000"}, exitFault, "there is no such edit"},
	} {
		if code, _, stderr := runOnce(t, environ, test.args...); code != test.code || !strings.Contains(stderr, test.says) {
			t.Errorf("%v: exit %d %s", test.args, code, stderr)
		}
	}
}
