//go:build linux

// Package rig runs the programs that it takes to try xmlcurld: xmlcurld itself, nginx, FreeSWITCH and SIPp. Each is a process
// that ends with us.
package rig

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"xmlcurld/internal/child"
)

// startTime is how long a process may take to be ready, and to end.
const startTime = 30 * time.Second

// Process is a child that ends with us.
type Process struct {
	*child.Process
	name string
	log  string
}

// Start starts a program. Its output is added to dir/name.log.
func Start(cmd *exec.Cmd, dir, name string) (*Process, error) {
	p := &Process{name: name, log: filepath.Join(dir, name+".log")}
	output, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = output.Close() }()
	cmd.Stdout, cmd.Stderr = output, output
	if p.Process, err = child.Start(cmd, syscall.SIGTERM); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// Await returns when ready does without an error.
func (p *Process) Await(ctx context.Context, ready func() error) error {
	deadline := time.Now().Add(startTime)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready: %w", p.name, err)
		}
		select {
		case <-p.Done():
			said, _ := os.ReadFile(p.log)
			return fmt.Errorf("%s ended (%s): %s", p.name, p.State(), bytes.TrimSpace(said))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Stop asks the process to end, and returns when it has ended.
func (p *Process) Stop() { _ = p.Process.Stop(child.Order{Signal: syscall.SIGTERM, Within: startTime}) }

// tick is the kernel's unit for processor time, USER_HZ.
const tick = 10 * time.Millisecond

// ProcessorTime is what process pid and its living children took so far.
func ProcessorTime(pid int) time.Duration {
	var total time.Duration
	for _, one := range child.Family(pid) {
		if stat := child.Stat(one); stat != nil {
			user, _ := strconv.Atoi(stat[11])
			system, _ := strconv.Atoi(stat[12])
			total += time.Duration(user+system) * tick
		}
	}
	return total
}

// OwnProcessorTime is what this program took so far.
func OwnProcessorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Progress tells on standard error how far we are.
func Progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "lab: %s "+format+"\n", append([]any{time.Now().Format("15:04:05.0")}, args...)...)
}

// Accepts is nil when somebody listens at address.
func Accepts(address string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// FreeAddress is a loopback address that nobody listens at.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Memory is what the process has resident now, in bytes; mapped pages of files count.
func (p *Process) Memory() (int64, error) { return p.status("VmRSS:") }

// PeakMemory is the most that it had resident so far.
func (p *Process) PeakMemory() (int64, error) { return p.status("VmHWM:") }

func (p *Process) status(name string) (int64, error) {
	file := fmt.Sprintf("/proc/%d/status", p.PID())
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(content)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s: no %s", file, name)
}
