package socket

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
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
		return &conn{c, raw}, nil
	}
}

type conn struct {
	net.Conn
	raw syscall.RawConn
}

// Read implements net.Conn.
func (c *conn) Read(to []byte) (n int, err error) {
	var fault error
	waited := c.raw.Read(func(fd uintptr) bool {
		n, fault = Read(int(fd), to)
		return !errors.Is(fault, syscall.EAGAIN)
	})
	switch {
	case waited != nil:
		return 0, waited
	case fault != nil:
		return 0, c.failed("read", "recvfrom", fault)
	case n == 0 && len(to) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write implements net.Conn.
func (c *conn) Write(from []byte) (written int, err error) {
	var fault error
	waited := c.raw.Write(func(fd uintptr) bool {
		for written < len(from) && fault == nil {
			var n int
			n, fault = Send(int(fd), from[written:], 0)
			written += n
		}
		if errors.Is(fault, syscall.EAGAIN) {
			fault = nil
			return false
		}
		return true
	})
	if waited != nil {
		return written, waited
	}
	if fault != nil {
		return written, c.failed("write", "sendto", fault)
	}
	return written, nil
}

func (c *conn) failed(operation, call string, fault error) error {
	return &net.OpError{Op: operation, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(call, fault)}
}
