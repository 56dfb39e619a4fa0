//go:build linux

package chaos

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"xmlcurld/cmd/lab/rig"
)

// server is the xmlcurld that is judged. It runs as whom PostgreSQL runs as, since root may write where nobody may.
type server struct {
	binary, dir    string
	address, admin string
	url            string // of the databases
	who            *syscall.Credential
	process        *rig.Process
	away           []absence
}

// absence is a time in which no process listened.
type absence struct {
	from, until time.Time
	asked       bool // it was asked to end, and so has to answer whom it let in
}

func newServer(binary, dir, url string, who *syscall.Credential) (s *server, err error) {
	s = &server{binary: binary, dir: dir, url: url, who: who}
	if s.address, err = rig.FreeAddress(); err != nil {
		return nil, err
	}
	if s.admin, err = rig.FreeAddress(); err != nil {
		return nil, err
	}
	if err := os.Mkdir(s.data(), 0o700); err != nil || who == nil {
		return s, err
	}
	return s, os.Chown(s.data(), int(who.Uid), int(who.Gid))
}

// data is the folder in which the server keeps what it wants to know after a restart.
func (s *server) data() string { return filepath.Join(s.dir, "state") }

// start returns when the server listens, whether it is ready or not.
func (s *server) start(ctx context.Context) (err error) {
	cmd := s.command()
	if s.process, err = rig.Start(cmd, s.dir, "xmlcurld"); err != nil {
		return err
	}
	if err := s.process.Await(ctx, func() error { return rig.Accepts(s.address) }); err != nil {
		return err
	}
	if n := len(s.away); n > 0 {
		s.away[n-1].until = time.Now()
	}
	return nil
}

func (s *server) command() *exec.Cmd {
	cmd := rig.Serve(s.binary, s.address, s.admin, s.url, "--data-dir", s.data())
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.who}
	return cmd
}

// kill ends the server as a crash does.
func (s *server) kill() {
	s.away = append(s.away, absence{from: time.Now()})
	s.process.Kill()
}

// stop ends the server as an operator does.
func (s *server) stop() {
	s.away = append(s.away, absence{from: time.Now(), asked: true})
	s.process.Stop()
}

// wasAway reports whether r failed for want of a process.
func (s *server) wasAway(r record) bool {
	for _, a := range s.away {
		if r.answered.After(a.from) && r.asked.Before(a.until) && (r.outcome == refused || r.outcome == broken && !a.asked) {
			return true
		}
	}
	return false
}

// keepFromWriting makes the server's folder read-only, with all that is in it, or takes that back.
func (s *server) keepFromWriting(keep bool) error {
	return filepath.WalkDir(s.data(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o600)
		if entry.IsDir() {
			mode |= 0o100
		}
		if keep {
			mode &^= 0o200
		}
		if err := os.Chmod(path, mode); err != nil {
			return fmt.Errorf("make the server's disk read-only: %w", err)
		}
		return nil
	})
}
