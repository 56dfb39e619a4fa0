package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/check"
)

// checked runs check in the database at url.
func checked(t *testing.T, url string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return runOnce(t, []string{"XMLCURLD_DATABASE_URL=" + url}, append([]string{"check"}, args...)...)
}

const slips = `
	UPDATE number SET forward_number = '7000' WHERE context = 'acme' AND number = '7000';
	DELETE FROM acl_entry WHERE list = 'domains' AND cidr = '54.65.63.192/30';`

func TestCheck(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	if code, stdout, stderr := checked(t, url); code != exitOK || stdout != "" {
		t.Errorf("the demo: exit %d %s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := checked(t, url, "--json"); code != exitOK || stdout != "[]\n" {
		t.Errorf("the demo as JSON: exit %d %s%s", code, stdout, stderr)
	}
	execute(t, url, slips)
	code, stdout, stderr := checked(t, url)
	if want := "xmlcurld: found 1 error, 1 warning\n"; code != exitFault || stderr != want {
		t.Errorf("exit %d %s, want %s", code, stderr, want)
	}
	for _, want := range []string{"error transfer-loop: number context=acme number=7000\n  Calls to 7000", "warning carrier-networks: gateway name=twilio\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	if code, _, stderr := checked(t, url, "--without", "transfer-loop,carrier-networks"); code != exitOK {
		t.Errorf("without both: exit %d %s", code, stderr)
	}
	if code, stdout, _ := checked(t, url, "--tenant", "acme"); code != exitFault || strings.Contains(stdout, "carrier-networks") {
		t.Errorf("of acme: exit %d %s", code, stdout)
	}
	if code, _, stderr := checked(t, url, "--without", "loops"); code != exitUsage || !strings.Contains(stderr, `no check has the code "loops"`) {
		t.Errorf("an unknown code: exit %d %s", code, stderr)
	}
	execute(t, url, `
		UPDATE number SET forward_number = '7001' WHERE number = '7000';
		INSERT INTO acl_entry (list, cidr) VALUES ('domains', '54.65.63.192/30');
		INSERT INTO acl_entry (list, action, cidr) VALUES ('domains', 'deny', '54.65.63.193')`)
	if code, stdout, stderr := checked(t, url, "--without", "carrier-networks"); code != exitOK || !strings.HasPrefix(stdout, "notice networks-nested: ") {
		t.Errorf("a notice: exit %d %s%s", code, stdout, stderr)
	}
}

func TestCheckAsJSON(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	execute(t, url, slips)
	code, stdout, stderr := checked(t, url, "--json", "--without", "carrier-networks")
	if code != exitFault {
		t.Errorf("exit %d %s", code, stderr)
	}
	var got []map[string]string
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{{
		"code": "transfer-loop", "severity": "error", "table": "number", "key": "context=acme number=7000", "tenant": "acme",
		"what":   "Calls to 7000 are transferred in a circle, until FreeSWITCH ends them after 70 transfers: 7000, 7000.",
		"remedy": "Let one of these numbers have an extension that answers.",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The page shows what the verb prints, and every code that there is.
func TestDocsShowCheck(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	execute(t, url, slips)
	page := readFromRoot(t, "docs/explain.md")
	if _, stdout, _ := checked(t, url); !strings.Contains(page, "```text\n"+stdout) {
		t.Errorf("docs/explain.md does not show\n%s", stdout)
	}
	var want strings.Builder
	want.WriteString("| code | severity | finds |\n| --- | --- | --- |\n")
	for _, c := range check.All {
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", c.Code, c.Severity, strings.ReplaceAll(c.About, "|", `\|`))
	}
	if !strings.Contains(page, want.String()+"\n") {
		t.Errorf("docs/explain.md does not have the table\n%s", want.String())
	}
}
