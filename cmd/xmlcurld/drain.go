package main

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// drainer is a listener that can end without hanging up on anybody who is connected, as a mere Close does: the kernel
// makes connections before they are accepted.
type drainer struct {
	*net.TCPListener
	draining atomic.Bool
	closed   chan struct{} // once it is drained
}

func newDrainer(l *net.TCPListener) *drainer {
	return &drainer{TCPListener: l, closed: make(chan struct{})}
}

// drain returns when whoever accepts has accepted everybody who is connected by now, and the listener is closed, or when
// ctx is done.
func (d *drainer) drain(ctx context.Context) {
	d.draining.Store(true)
	_ = d.SetDeadline(time.Unix(1, 0)) // wakes Accept
	select {
	case <-d.closed:
	case <-ctx.Done():
	}
}

// Accept returns the next connection.
func (d *drainer) Accept() (net.Conn, error) {
	if !d.draining.Load() {
		conn, err := d.TCPListener.Accept()
		if err == nil || !d.draining.Load() {
			return conn, err
		}
	}
	return d.acceptWaiting()
}

// acceptWaiting accepts without waiting. When nobody waits any more it closes the listener.
func (d *drainer) acceptWaiting() (net.Conn, error) {
	raw, err := d.SyscallConn()
	if err != nil {
		return nil, err
	}
	var socket uintptr
	var fault syscall.Errno
	// Raw, so that between the look at an empty queue and the end of it no other goroutine, nor a caller, has its turn.
	err = raw.Control(func(fd uintptr) {
		const flags = syscall.SOCK_CLOEXEC | syscall.SOCK_NONBLOCK
		if socket, _, fault = syscall.RawSyscall6(syscall.SYS_ACCEPT4, fd, 0, 0, flags, 0, 0); fault != 0 {
			_, _, _ = syscall.RawSyscall(syscall.SYS_SHUTDOWN, fd, syscall.SHUT_RD, 0)
		}
	})
	if err != nil || fault != 0 {
		_ = d.Close()
		close(d.closed)
		return nil, net.ErrClosed
	}
	file := os.NewFile(socket, "")
	defer func() { _ = file.Close() }()
	return net.FileConn(file) // with a copy of the socket
}

// Close closes the listener; once it is drained it is closed already.
func (d *drainer) Close() error {
	err := d.TCPListener.Close()
	if d.draining.Load() && errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
