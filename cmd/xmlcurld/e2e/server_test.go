//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"xmlcurld/cmd/lab/rig"
)

// server is an xmlcurld that can be stopped and started again on the same port.
type server struct {
	program, database string
	port, admin       int
	scheme            string
	environment       []string // settings beyond those that each test's server has
	data              string   // folder
	process           *child
}

// buildServer makes the program that operators get.
func buildServer(t *testing.T) string {
	program, err := rig.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return program
}

func newServer(t *testing.T, program, database string) *server {
	return &server{program: program, database: database, scheme: "http", port: freePort(t, localhost), admin: freePort(t, localhost),
		data: t.TempDir()}
}

func (s *server) address() string { return fmt.Sprintf("%s:%d", localhost, s.port) }

func (s *server) url() string { return s.scheme + "://" + s.address() + "/xml" }

// start returns when the server is ready.
func (s *server) start(t testing.TB) {
	t.Helper()
	s.process = spawn(t, s.program, append(append(os.Environ(), "XMLCURLD_DATABASE_URL="+s.database), s.environment...),
		"serve", "--log-level", "warn",
		"--listen", s.address(),
		"--admin-listen", fmt.Sprintf("%s:%d", localhost, s.admin),
		"--data-dir", s.data)
	eventually(t, "xmlcurld is ready", func() error { return rig.Ready(fmt.Sprintf("%s:%d", localhost, s.admin)) })
}

// kill ends the server as a machine does that loses its power: it says goodbye to nobody.
func (s *server) kill() {
	_ = s.process.cmd.Process.Kill()
	<-s.process.done
}

// stop ends the server as an operator would.
func (s *server) stop(t testing.TB) {
	t.Helper()
	if code := s.process.end(); code != 0 {
		t.Errorf("xmlcurld ended with exit code %d", code)
	}
}

func (s *server) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := s.process.cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
}
