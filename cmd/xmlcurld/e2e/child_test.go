//go:build e2e

package e2e

import (
	"bytes"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// child is a program that dies with this one, and whose output is shown if the test fails.
type child struct {
	cmd    *exec.Cmd
	output bytes.Buffer  // read after done
	done   chan struct{} // closed when it has ended
}

// spawn starts a program that ends by itself, by end, or with the test.
func spawn(t testing.TB, program string, env []string, args ...string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(program, args...), done: make(chan struct{})}
	c.cmd.Env = env
	c.cmd.Stdout, c.cmd.Stderr = &c.output, &c.output
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.cmd.WaitDelay = time.Second
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = c.cmd.Wait()
		close(c.done)
	}()
	t.Cleanup(func() {
		c.end()
		if t.Failed() {
			t.Logf("%s printed:\n%s", program, c.output.Bytes())
		}
	})
	return c
}

// end asks the program to end, and kills it if it does not. It returns the exit code, -1 for one that was killed.
func (c *child) end() int {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
	return c.cmd.ProcessState.ExitCode()
}

// isRunning is false once the program has ended.
func (c *child) isRunning() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}
