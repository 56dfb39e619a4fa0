package rawsock

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// Dial connects, as net.Dialer does.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// Dialed returns dial with its connections, by TCP or a Unix socket, made to read and write by calls of this package. They
// wait as they did, for deadlines and Close as well, and fail with a *net.OpError.
func Dialed(dial Dial) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		raw, err := c.(syscall.Conn).SyscallConn()
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return newConn(c, raw), nil
	}
}

type conn struct {
	net.Conn
	in, out way
}

// way is one direction of a connection, for one call at a time. What it calls is made once and kept: made anew for each call
// it would be garbage each time.
type way struct {
	mu    sync.Mutex
	wait  func(step func(fd uintptr) (done bool)) error // before each step but the first
	step  func(fd uintptr) (done bool)                  // goes on with data
	data  []byte
	n     int   // of its bytes that are done
	fault error // a syscall.Errno
}

func newConn(c net.Conn, raw syscall.RawConn) *conn {
	of := &conn{Conn: c}
	of.in.wait, of.in.step = raw.Read, of.in.read
	of.out.wait, of.out.step = raw.Write, of.out.write
	return of
}

func (w *way) read(fd uintptr) bool {
	w.n, w.fault = Read(int(fd), w.data)
	return !w.blocked()
}

func (w *way) write(fd uintptr) bool {
	for w.n < len(w.data) && w.fault == nil {
		var n int
		n, w.fault = Send(int(fd), w.data[w.n:], 0)
		w.n += n
	}
	return !w.blocked()
}

// blocked reports whether the kernel wants to be waited for, which is no fault.
func (w *way) blocked() bool {
	if !errors.Is(w.fault, syscall.EAGAIN) {
		return false
	}
	w.fault = nil
	return true
}

// pass passes data. Waiting fails for a deadline or Close.
func (w *way) pass(data []byte) (n int, fault, waiting error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data, w.n, w.fault = data, 0, nil
	waiting = w.wait(w.step)
	w.data = nil
	return w.n, w.fault, waiting
}

// Read implements net.Conn.
func (c *conn) Read(to []byte) (int, error) {
	n, fault, waiting := c.in.pass(to)
	switch {
	case waiting != nil:
		return 0, waiting
	case fault != nil:
		return 0, c.failed("read", "recvfrom", fault)
	case n == 0 && len(to) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write implements net.Conn.
func (c *conn) Write(from []byte) (int, error) {
	n, fault, waiting := c.out.pass(from)
	if waiting != nil {
		return n, waiting
	}
	if fault != nil {
		return n, c.failed("write", "sendto", fault)
	}
	return n, nil
}

func (c *conn) failed(operation, call string, fault error) error {
	return &net.OpError{Op: operation, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(call, fault)}
}
