package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/switchstate"
)

// No switch is there: the verbs tell so, and a node that fetched nothing is not in sync.
func TestNodesAndWait(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	boot(t, "--database-url", url)
	if code, stdout, _ := runOnce(t, nil, "nodes", "--json", "--database-url", url); code != exitOK || strings.TrimSpace(stdout) != "[]" {
		t.Errorf("without nodes: exit code %d, %s", code, stdout)
	}
	if code, _, stderr := runOnce(t, nil, "wait", "--database-url", url); code != exitOK {
		t.Errorf("nothing to wait for: exit code %d, %s", code, stderr)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `INSERT INTO node (name, event_socket_port) VALUES ('fs1', 1)`); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := runOnce(t, nil, "wait", "--timeout", "300ms", "--database-url", url)
	if code != exitFault || !strings.Contains(stderr, "fs1: ") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	code, stdout, stderr := runOnce(t, nil, "nodes", "--json", "--database-url", url)
	var states []switchstate.NodeState
	if err := json.Unmarshal([]byte(stdout), &states); err != nil || len(states) != 1 {
		t.Fatalf("%v in %s", err, stdout)
	}
	if s := states[0]; code != exitFault || s.Reachable || len(s.Pending) == 0 || s.PendingSince == nil || !strings.Contains(s.LastError, "connection refused") {
		t.Errorf("exit code %d, %s\n%s", code, stdout, stderr)
	}
	if code, stdout, _ := runOnce(t, nil, "nodes", "--database-url", url); code != exitFault || !strings.HasPrefix(stdout, "NODE ") || !strings.Contains(stdout, "event socket") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
}
