// Package child runs programs that end with this one.
package child

import (
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is a child.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // how it ended; read after done
}

// Start starts cmd in a process group or session of its own, so that Ctrl-C in a terminal reaches only this process, which
// then orders the end. If this process is killed instead, the kernel sends the child the signal orphaned.
func Start(cmd *exec.Cmd, orphaned syscall.Signal) (*Process, error) {
	p := &Process{cmd: cmd, done: make(chan struct{})}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = !cmd.SysProcAttr.Setsid
	endWithParent(cmd.SysProcAttr, orphaned)
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// run starts the child and waits for it on one and the same thread: the signal of endWithParent comes when the thread that
// forked ends, and Go may end any thread that is not locked.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.err = p.cmd.Wait()
		close(p.done)
	}
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is why the process, which is done, did not end well; nil after exit status 0.
func (p *Process) Err() error { return p.err }

// State is how the process, which is done, ended: "exit status 1".
func (p *Process) State() string { return p.cmd.ProcessState.String() }

// Kill ends the process as a crash does, and returns when it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // one that has ended is as good as killed
	<-p.done
}

// Order is a signal to end, and the time that this may take.
type Order struct {
	Signal syscall.Signal
	Within time.Duration
}

// Stop gives one order after the other until the process has ended, and kills it after the last. It returns Err.
func (p *Process) Stop(orders ...Order) error {
	for _, order := range orders {
		_ = p.cmd.Process.Signal(order.Signal)
		select {
		case <-p.done:
			return p.err
		case <-time.After(order.Within):
		}
	}
	p.Kill()
	return p.err
}
