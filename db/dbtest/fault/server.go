// Package fault does to real PostgreSQL servers what happens to them in the field: they are killed, freeze, run out of
// disk or of connections, a standby is promoted, a table is locked. Tests judge by it what survives.
package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"xmlcurld/db/localpg"
)

// Server is a PostgreSQL server that faults happen to. It is for one goroutine.
type Server struct {
	*localpg.Cluster
	options localpg.Options
	frozen  []int // processes that are stopped
}

// connections is how many a server takes: fewer than PostgreSQL's own 100, so that Exhaust is soon done where a new process
// is dear.
const connections = "max_connections=60"

func options(dir string) localpg.Options {
	return localpg.Options{Dir: dir, Fast: true, Settings: []string{connections}}
}

// StartServer starts a primary in the folder dir, or what was stopped there.
func StartServer(ctx context.Context, dir string) (*Server, error) {
	s := &Server{options: options(dir)}
	return s, s.Start(ctx)
}

// StartTempServer is StartServer in a folder that stop removes.
func StartTempServer(ctx context.Context) (s *Server, stop func(), err error) {
	dir, remove, err := TempDir()
	if err != nil {
		return nil, nil, err
	}
	if s, err = StartServer(ctx, dir); err != nil {
		remove()
		return nil, nil, err
	}
	return s, func() { _ = s.Stop(); remove() }, nil
}

// Start starts the server again in its folder, as what it was: a primary or a standby.
func (s *Server) Start(ctx context.Context) (err error) {
	for end := time.Now().Add(startTime); ; time.Sleep(50 * time.Millisecond) {
		if s.Cluster, err = localpg.Start(ctx, s.options); err == nil || time.Now().After(end) {
			return err
		}
	}
}

// startTime is how long the processes of a server that was killed may take to be gone: one that it was just making ends
// by itself, and no other server starts on its data before.
const startTime = 5 * time.Second

// StartStandby fills the folder dir anew and starts a standby of s there.
func (s *Server) StartStandby(ctx context.Context, dir string) (standby *Server, err error) {
	if err := os.RemoveAll(filepath.Join(dir, "data")); err != nil {
		return nil, err
	}
	standby = &Server{options: options(dir)}
	standby.Cluster, err = localpg.StartStandby(ctx, s.Cluster, standby.options)
	return standby, err
}

// Stop stops the server cleanly, also one that is frozen, and one that is gone already. The error says how it ended.
func (s *Server) Stop() error {
	if s.Cluster == nil {
		return nil
	}
	s.Thaw()
	return s.Cluster.Stop()
}

// Kill ends all processes of the server at once, as a crash does: nobody says goodbye to a client, nothing is written.
func (s *Server) Kill() {
	for _, pid := range s.Processes() {
		_ = syscall.Kill(pid, syscall.SIGKILL) // one that is gone is as good as killed
	}
	s.frozen = nil
	_ = s.Cluster.Stop() // the error says that it was killed
}

// Keep puts a copy of the server's data aside, for which the server is stopped and started again.
func (s *Server) Keep(ctx context.Context) error {
	if err := s.Stop(); err != nil {
		return err
	}
	if err := replaceFolder(ctx, s.kept(), s.data()); err != nil {
		return err
	}
	return s.Start(ctx)
}

// PutBack makes the server's data what they were at Keep, and starts it with them: a folder that is restored from a backup.
// What was committed since is lost, and a standby has to be rebuilt.
func (s *Server) PutBack(ctx context.Context) error {
	s.Kill()
	if err := replaceFolder(ctx, s.data(), s.kept()); err != nil {
		return err
	}
	return s.Start(ctx)
}

// Revert is PutBack as fast as a file system goes back to a snapshot. What was kept is used up.
func (s *Server) Revert(ctx context.Context) error {
	s.Kill()
	if err := errors.Join(os.Rename(s.data(), s.data()+".lost"), os.Rename(s.kept(), s.data())); err != nil {
		return err
	}
	return s.Start(ctx)
}

func (s *Server) data() string { return filepath.Join(s.options.Dir, "data") }
func (s *Server) kept() string { return filepath.Join(s.options.Dir, "kept") }

// replaceFolder makes folder to a copy of folder from, with the owners of its files.
func replaceFolder(ctx context.Context, to, from string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if said, err := exec.CommandContext(ctx, "cp", "-a", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s: %w: %s", from, err, said)
	}
	return nil
}

// Freeze stops all processes of the server where they are. Connections live on and new ones are taken by the kernel, but
// nobody answers. The postmaster goes first, so that it makes no further process.
func (s *Server) Freeze() {
	for stopped := -1; stopped < len(s.frozen); { // until no process is new
		stopped, s.frozen = len(s.frozen), s.Processes()
		for _, pid := range s.frozen {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
	}
}

// Thaw lets a frozen server go on.
func (s *Server) Thaw() {
	for _, pid := range s.frozen {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
	s.frozen = nil
}

// Fill makes every write to a file fail, as on a full disk (the error's name is another: "file too large"). What Postgres
// has to write down before it may go on, it cannot; so it panics and, unable to recover, ends. Kill and Start bring it back.
func (s *Server) Fill() error {
	for _, pid := range s.Processes() {
		if err := s.limitFileSize(pid); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	return nil
}

// limitFileSize keeps process pid, and those that it will make, from writing to files. It needs no privilege for that but
// the server's own account. Postgres ignores the signal that comes with the error.
func (s *Server) limitFileSize(pid int) error {
	cmd := exec.Command("prlimit", "--pid", strconv.Itoa(pid), "--fsize=0:")
	who, err := s.Account()
	if err != nil {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	said, err := cmd.CombinedOutput()
	if err != nil && syscall.Kill(pid, 0) == nil { // one that has just ended writes no more
		return fmt.Errorf("%v: %w: %s", cmd, err, said)
	}
	return nil
}

// Account is whom the server runs as, nil for this program's own account.
func (s *Server) Account() (*syscall.Credential, error) {
	folder, err := os.Stat(s.SocketDir())
	if err != nil {
		return nil, err
	}
	owner := folder.Sys().(*syscall.Stat_t)
	if int(owner.Uid) == os.Geteuid() {
		return nil, nil
	}
	return &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}, nil
}
