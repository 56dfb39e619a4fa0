package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// filler makes a database cluster in the folder data, with the programs in bin.
type filler func(ctx context.Context, bin, data string, who *account, fast bool) error

// initialize sees that data holds a database cluster and returns the folder of the programs that fit it. A fill that
// was cut off leaves only data.new, which the next one replaces: data is either whole or absent.
func initialize(ctx context.Context, data string, who *account, fast bool, fill filler) (bin string, err error) {
	stamp, noData := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if noData != nil && !errors.Is(noData, os.ErrNotExist) {
		return "", noData
	}
	bin, err = pickBinaries(strings.TrimSpace(string(stamp)), binaryFolders("/usr/lib/postgresql"))
	if err != nil || noData == nil {
		return bin, err
	}
	unfinished := data + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return "", err
	}
	if err := fill(ctx, bin, unfinished, who, fast); err != nil {
		return "", err
	}
	return bin, os.Rename(unfinished, data)
}

func initdb(ctx context.Context, bin, data string, who *account, fast bool) error {
	args := []string{
		"--pgdata", data,
		"--username", Superuser,
		"--auth", "trust", // who may connect is decided by the socket folder, which only the account and root can enter
		"--encoding", "UTF8",
		"--locale", "C.UTF-8",
	}
	if fast {
		args = append(args, "--no-sync")
	}
	return runProgram(ctx, filepath.Join(bin, "initdb"), args, who)
}

// runProgram runs a program that ends by itself.
func runProgram(ctx context.Context, program string, args []string, who *account) error {
	p, err := spawn(program, args, who, nil)
	if err != nil {
		return err
	}
	name := filepath.Base(program)
	select {
	case <-p.Done():
	case <-ctx.Done():
		_ = p.stop()
		return fmt.Errorf("%s: %w", name, ctx.Err())
	}
	if err := p.Err(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, p.lastWords)
	}
	return nil
}

// awaitPredecessor returns when no server uses data. One whose parent was killed a moment ago is on its way out and is
// waited for; one that stays is ErrRunning. What a dead server left behind is removed: its number may since belong to
// another process, which would make postgres refuse to start.
func awaitPredecessor(ctx context.Context, data string) error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, err := runningSocketDir(data)
		if errors.Is(err, ErrNotRunning) {
			if err := os.Remove(filepath.Join(data, pidFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			return nil
		}
		if err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w, started by something else", ErrRunning)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// pidFile is written by postgres into its data folder. Its first line is the process, its fifth the socket's folder.
const pidFile = "postmaster.pid"

// runningSocketDir returns where the server on data listens ("" when it is only just starting), or ErrNotRunning. A server's working folder is its data
// folder: that tells it from a stranger that was given the number of a dead one.
func runningSocketDir(data string) (string, error) {
	content, err := os.ReadFile(filepath.Join(data, pidFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", ErrNotRunning
	}
	if err != nil {
		return "", err
	}
	lines := strings.Split(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || !worksIn(pid, data) {
		return "", ErrNotRunning
	}
	if len(lines) < 5 {
		return "", nil
	}
	return lines[4], nil
}

func worksIn(pid int, dir string) bool {
	process, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid), "cwd"))
	if err != nil {
		return false
	}
	wanted, err := os.Stat(dir)
	return err == nil && os.SameFile(process, wanted) && syscall.Kill(pid, 0) == nil
}
