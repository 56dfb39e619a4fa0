package reconcile_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/internal/secretref"
)

// secretsOf is a folder of secrets that r's server reads.
func (r *rig) secretsOf(t *testing.T, contents map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range contents {
		writeSecret(t, dir, name, content)
	}
	r.secrets.Resolver = secretref.New(secretref.Options{
		Dir: dir, Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	return dir
}

func writeSecret(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

const ownGateway = `INSERT INTO gateway (name, profile, proxy, username, password_from) VALUES ('own', 'external', 'a.example', 'u', 'file:own')`

// A gateway whose password is in a file is replaced when the file is, and left alone while that is away. A server that
// never could read it takes the gateway from no switch, and says so.
func TestGatewayWithAPasswordInAFile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	dir := r.secretsOf(t, map[string]string{"own": "first\n"})
	r.sql(t, ownGateway)
	s := r.node(t, "fs1")
	stop := r.keep(t, "one")
	has := func(password string, starts int) {
		t.Helper()
		r.inSync(t)
		s.Set(func() {
			if g := s.Gateways["own"]; g.Killed || g.Password != password || strings.Contains(g.Revision, password) {
				t.Errorf("the switch has %+v, want password %q", g, password)
			}
		})
		if n := s.Did("sofia profile external startgw own"); n != starts {
			t.Errorf("started %d times, want %d", n, starts)
		}
	}
	has("first", 0)
	writeSecret(t, dir, "own", "second")
	has("second", 1)
	if err := os.Remove(filepath.Join(dir, "own")); err != nil {
		t.Fatal(err)
	}
	has("second", 1)
	stop()

	r.secretsOf(t, nil)
	r.keep(t, "another that cannot read it")
	eventually(t, "the fault is shown", func() error {
		state := r.state(t, "fs1")
		if !strings.Contains(state.LastError, "secret file:own: ") || !strings.Contains(strings.Join(state.Pending, "; "), "gateway own: its password") {
			return fmt.Errorf("%+v", state)
		}
		return nil
	})
	s.Set(func() {
		if g := s.Gateways["own"]; g.Killed || g.Password != "second" {
			t.Errorf("the switch has %+v", g)
		}
	})
	s.Boot()
	s.Set(func() {
		if _, ok := s.Gateways["own"]; ok || len(s.Gateways) == 0 {
			t.Errorf("after a start with a server that cannot read the password: %+v", s.Gateways)
		}
	})
}

// The password of an event socket that is in a file is kept nowhere else, and a changed one waits for a restart.
func TestEventSocketWithAPasswordInAFile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	dir := r.secretsOf(t, map[string]string{"fs1": "alpha"})
	r.sql(t, `UPDATE node SET event_socket_password = NULL, event_socket_password_from = 'file:fs1' WHERE name = '*'`)
	s := r.node(t, "fs1")
	if s.Password != "alpha" {
		t.Fatalf("the switch wants %q", s.Password)
	}
	r.keep(t, "one")
	r.inSync(t)
	writeSecret(t, dir, "fs1", "omega")
	r.restartRequired(t, "fs1", "event_socket.conf")
	s.Boot()
	r.inSync(t)
	if state := r.state(t, "fs1"); len(state.RestartRequired) > 0 || s.Password != "omega" {
		t.Errorf("after a restart: %+v, the switch wants %q", state, s.Password)
	}
	var told string
	if err := r.conn.QueryRow(t.Context(), `SELECT coalesce(string_agg(s::text, ' '), '') || (SELECT string_agg(f::text, ' ') FROM node_fetch f) FROM node_state s`).Scan(&told); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(told, "alpha") || strings.Contains(told, "omega") {
		t.Errorf("the database holds it: %s", told)
	}
}
