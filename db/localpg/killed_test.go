package localpg

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestKilledServerIsNoticedAndRestartable(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := mustStart(t, dir)
	if err := syscall.Kill(c.server.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("Done is not closed after the server was killed")
	}
	if err := c.Stop(); err == nil {
		t.Error("Stop hides that the server was killed")
	}
	ask(t, mustStart(t, dir), `SELECT 'back'`)
}

// The number in a dead server's postmaster.pid may belong to a stranger by now: here, to this test.
func TestStalePidFile(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := mustStart(t, dir).Stop(); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	content := fmt.Sprintf("%d\n%s\n1\n5432\n%s\n\n", os.Getpid(), data, filepath.Join(dir, "run"))
	if err := os.WriteFile(filepath.Join(data, pidFile), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	ask(t, mustStart(t, dir), `SELECT 'started'`)
}

func TestKilledParentLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentDir+"="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent said %q", line)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // "signal: killed"
	ask(t, mustStart(t, dir), `SELECT 'the folder is free again'`)
	if worksIn(pid, filepath.Join(dir, "data")) {
		t.Errorf("server %d outlived its parent", pid)
	}
}
