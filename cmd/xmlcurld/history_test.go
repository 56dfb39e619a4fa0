package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/db/dbtest"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	environ := []string{"XMLCURLD_DATABASE_URL=" + url}
	execute(t, url, `BEGIN; SET LOCAL xmlcurld.reason = 'moved'; SET LOCAL application_name = 'billing';
		UPDATE number SET forward_number = '+27210000009' WHERE number = '+27123456789'; COMMIT;
		UPDATE domain_user SET password = 'another' WHERE id = '1000'`)
	code, stdout, stderr := runOnce(t, environ, "history", "--number", "+27123456789", "--limit", "1")
	if code != exitOK || !strings.Contains(stdout, "with billing: moved\n  update number +27123456789 public of vumi\n    forward_number: ") ||
		!strings.HasSuffix(stdout, " -> \"+27210000009\"\n") {
		t.Errorf("exit %d %s%s", code, stdout, stderr)
	}
	code, stdout, stderr = runOnce(t, environ, "history", "--table", "domain_user", "--limit", "1", "--json")
	var changes []map[string]any
	if err := json.Unmarshal([]byte(stdout), &changes); code != exitOK || err != nil || len(changes) != 1 || strings.Contains(stdout, "another") {
		t.Fatalf("exit %d %v %s%s", code, err, stdout, stderr)
	}
	for field, want := range map[string]any{"table": "domain_user", "key": "acme.example 1000", "operation": "update", "tenant": "acme", "reason": nil} {
		if diff := cmp.Diff(want, changes[0][field]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", field, diff)
		}
	}
	if code, stdout, stderr := runOnce(t, environ, "history", "--since", "2100-01-01", "--json"); code != exitOK || stdout != "[]\n" {
		t.Errorf("the future: exit %d %s%s", code, stdout, stderr)
	}
	for _, wrong := range [][]string{{"--since", "yesterday"}, {"--limit", "0"}} {
		if code, _, stderr := runOnce(t, environ, append([]string{"history"}, wrong...)...); code != exitUsage || !strings.Contains(stderr, wrong[0]+" ") {
			t.Errorf("%v: exit %d %s", wrong, code, stderr)
		}
	}
}

// What a node was told once.
func TestRenderAt(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	environ := []string{"XMLCURLD_DATABASE_URL=" + url}
	document := func(at string, what ...string) string {
		t.Helper()
		args := append([]string{"render"}, what...)
		if at != "" {
			args = append(args, "--at", at)
		}
		code, stdout, stderr := runOnce(t, environ, args...)
		if code != exitOK {
			t.Fatalf("%v: exit %d %s", args, code, stderr)
		}
		return stdout
	}
	questions := [][]string{{"sofia.conf", "--field", "profile=external"}, {"acl.conf"}, {"number", "7000", "--context", "acme"}, {"user", "1000@acme.example"}}
	var before []string
	for _, q := range questions {
		before = append(before, document("", q...))
	}
	at := dbtest.One[time.Time](t, url, `SELECT clock_timestamp()`).Format(time.RFC3339Nano)
	execute(t, url, `UPDATE gateway SET proxy = 'sip.example.com';
		DELETE FROM acl_entry WHERE list = 'domains';
		UPDATE number SET forward_number = '7002' WHERE number = '7000';
		UPDATE domain_user SET caller_id_name = 'Another' WHERE id = '1000'`)
	for i, q := range questions {
		if now := document("", q...); now == before[i] {
			t.Errorf("%v did not change", q)
		}
		if diff := cmp.Diff(before[i], document(at, q...)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", q, diff)
		}
	}
	if code, _, stderr := runOnce(t, environ, "render", "acl.conf", "--at", "1999-01-01"); code != exitFault || !strings.Contains(stderr, "is not known: the first edit that is kept is of ") {
		t.Errorf("too long ago: exit %d %s", code, stderr)
	}
	if code, _, stderr := runOnce(t, environ, "render", "acl.conf", "--at", "once"); code != exitUsage || !strings.Contains(stderr, "--at ") {
		t.Errorf("no time: exit %d %s", code, stderr)
	}
}

func TestNodesAt(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	environ := []string{"XMLCURLD_DATABASE_URL=" + url}
	execute(t, url, `INSERT INTO node (name) VALUES ('fs1');
		INSERT INTO node_state (node, server, reachable, pending, restart_required, last_error, checked_at) VALUES ('fs1', 'server1', true, '{}', '{}', '', now())`)
	at := dbtest.One[time.Time](t, url, `SELECT clock_timestamp()`).Format(time.RFC3339Nano)
	execute(t, url, `UPDATE node_state SET pending = '{gateway twilio}', pending_since = now(); UPDATE node_state SET checked_at = now()`)
	if n := dbtest.One[int](t, url, `SELECT count(*)::int FROM node_state_history`); n != 2 {
		t.Errorf("%d states", n)
	}
	for when, in := range map[string]struct {
		code int
		says string
	}{at: {exitOK, `"pending": []`}, "": {exitFault, `"gateway twilio"`}} {
		args := []string{"nodes", "--json"}
		if when != "" {
			args = append(args, "--at", when)
		}
		if code, stdout, stderr := runOnce(t, environ, args...); code != in.code || !strings.Contains(stdout, in.says) || !strings.Contains(stdout, "server1") {
			t.Errorf("%v: exit %d %s%s", args, code, stdout, stderr)
		}
	}
}
