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
	socket, err := d.socket(true)
	if err != nil {
		_ = d.Close()
		close(d.closed)
		return nil, net.ErrClosed
	}
	return connOn(socket)
}

// AcceptUnless is as xmlcurl.Refuser has it.
func (d *drainer) AcceptUnless(refuse func(socket int) bool) (net.Conn, error) {
	for !d.draining.Load() {
		socket, err := d.socket(false)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return nil, nil
		case err != nil:
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: d.Addr(), Err: err} // as Accept says it
		case !refuse(socket):
			return connOn(socket)
		}
	}
	return nil, nil
}

// socket accepts without waiting; it is an error when nobody waits. If that is to be the end, nobody else can connect.
func (d *drainer) socket(end bool) (int, error) {
	raw, err := d.SyscallConn()
	if err != nil {
		return 0, err
	}
	var socket uintptr
	var fault syscall.Errno
	// Raw, so that between the look at an empty queue and the end of it no other goroutine, nor a caller, has its turn.
	err = raw.Control(func(fd uintptr) {
		const flags = syscall.SOCK_CLOEXEC | syscall.SOCK_NONBLOCK
		socket, _, fault = syscall.RawSyscall6(syscall.SYS_ACCEPT4, fd, 0, 0, flags, 0, 0)
		if fault != 0 && end {
			_, _, _ = syscall.RawSyscall(syscall.SYS_SHUTDOWN, fd, syscall.SHUT_RD, 0)
		}
	})
	if err == nil && fault != 0 {
		err = fault
	}
	return int(socket), err
}

// connOn is a connection on a copy of socket, which is closed.
func connOn(socket int) (net.Conn, error) {
	file := os.NewFile(uintptr(socket), "")
	defer func() { _ = file.Close() }()
	return net.FileConn(file)
}

// Close closes the listener; once it is drained it is closed already.
func (d *drainer) Close() error {
	err := d.TCPListener.Close()
	if d.draining.Load() && errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
