package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/crypto/bcrypt"

	"xmlcurld/db/dbtest"
)

// execute runs one statement.
func execute(t *testing.T, url, statement string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// addCredential gives a node a user of its own name. The hash is of the lowest cost that the schema takes.
func addCredential(t *testing.T, url, node, password string) (hash string) {
	t.Helper()
	made, err := bcrypt.GenerateFromPassword([]byte(password), 6)
	if err != nil {
		t.Fatal(err)
	}
	execute(t, url, `INSERT INTO node_credential (username, node, password_hash) VALUES ($1, $1, $2)`, node, string(made))
	return string(made)
}

// as posts a form with credentials.
func (p *program) as(user, password, form string) (int, string, error) {
	return fetch(http.MethodPost, strings.Replace(p.xml, "://", fmt.Sprintf("://%s:%s@", user, password), 1), form)
}

// A node gets its own documents whatever it says, nobody without credentials gets any, and a row that goes is out of force
// without a restart.
func TestServeToNodes(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	execute(t, url, `INSERT INTO node (name, max_sessions) VALUES ('sw1', 111), ('sw2', 222)`)
	addCredential(t, url, "sw1", "first")
	addCredential(t, url, "sw2", "second")
	p := boot(t, "--database-url", url, "--require-credentials", "--deadline", "10s")
	asking := func(node string) string {
		return "hostname=" + node + "&section=configuration&tag_name=configuration&key_name=name&key_value=post_load_switch.conf"
	}
	for _, tc := range []struct{ user, password, claims, sessions string }{
		{"sw1", "first", "sw1", "111"},
		{"sw2", "second", "sw2", "222"},
		{"sw1", "first", "sw2", "111"},
		{"sw1", "first", "*", "111"},
	} {
		status, body, err := p.as(tc.user, tc.password, asking(tc.claims))
		if err != nil || status != http.StatusOK || !strings.Contains(body, `name="max-sessions" value="`+tc.sessions+`"`) {
			t.Errorf("%s as %s: %d, %v, %s", tc.user, tc.claims, status, err, body)
		}
	}
	if status, _, err := p.post(asking("sw1")); err != nil || status != http.StatusUnauthorized {
		t.Errorf("without credentials: %d, %v", status, err)
	}
	if status, _, err := p.as("sw1", "second", asking("sw1")); err != nil || status != http.StatusUnauthorized {
		t.Errorf("with another's password: %d, %v", status, err)
	}
	execute(t, url, `DELETE FROM node_credential WHERE node = 'sw1'`)
	eventually(t, "sw1 is refused", func() error {
		status, _, err := p.as("sw1", "first", asking("sw1"))
		if err == nil && status != http.StatusUnauthorized {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
	if _, metrics := p.get("/metrics"); !strings.Contains(metrics, "\nxmlcurld_misnamed_requests_total 2\n") {
		t.Error("claims were not counted")
	}
}

func TestHashPassword(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := runOnce(t, nil, "hash-password", write(t, "password", "se cret\nanother line\n"))
	if code != exitOK || bcrypt.CompareHashAndPassword([]byte(strings.TrimSuffix(stdout, "\n")), []byte("se cret")) != nil {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
	for content, fault := range map[string]string{
		"\nx":                   "an empty password is none",
		strings.Repeat("x", 73): "a password may have 72 bytes, this has 73",
	} {
		if code, _, stderr := runOnce(t, nil, "hash-password", write(t, "password", content)); code != exitFault || !strings.Contains(stderr, fault) {
			t.Errorf("exit %d, %s", code, stderr)
		}
	}
}
