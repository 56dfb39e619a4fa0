package accept

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"xmlcurld/internal/rawsock"
)

// Conn is a connection. What the caller sent before it was accepted has been read; as long as that is all there is to read,
// and the answer goes out at once, nothing is waited for. The first time that something is, it becomes a connection that
// the poller watches.
type Conn struct {
	remote, local net.Addr

	ahead  []byte // what was read and not asked for yet; for one goroutine, as Read is
	pooled *room  // that ahead is part of, if it is
	last   bool   // what is written is followed by the end of the connection

	mu       sync.Mutex
	socket   int
	file     *os.File // has the socket, once something was waited for
	closed   bool
	deadline struct{ read, write time.Time }
}

// room is for what is read ahead: a call's header and form, which FreeSWITCH's variables make long.
type room [16 << 10]byte

var rooms = sync.Pool{New: func() any { return new(room) }}

// LocalAddr is where its Listener listens.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is where the connection comes from, a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// readAhead reads what is there. An error, or the end, is what the next to read finds as well.
func (c *Conn) readAhead() {
	c.pooled = rooms.Get().(*room)
	n, _ := rawsock.Read(c.socket, c.pooled[:])
	if c.ahead = c.pooled[:n]; n == 0 {
		c.release()
	}
}

// shrink moves what was read ahead into no more memory than it takes.
func (c *Conn) shrink() {
	if c.pooled != nil {
		part := bytes.Clone(c.ahead)
		c.release()
		c.ahead = part
	}
}

func (c *Conn) release() {
	if c.pooled != nil {
		rooms.Put(c.pooled)
	}
	c.pooled, c.ahead = nil, nil
}

// Read implements net.Conn.
func (c *Conn) Read(to []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(to, c.ahead)
		if c.ahead = c.ahead[n:]; len(c.ahead) == 0 {
			c.release()
		}
		return n, nil
	}
	file, err := c.watched()
	if err != nil {
		return 0, c.fault("read", err)
	}
	n, err := file.Read(to)
	return n, c.fault("read", err)
}

func over(deadline time.Time) bool { return !deadline.IsZero() && !deadline.After(time.Now()) }

// Write implements net.Conn.
func (c *Conn) Write(from []byte) (int, error) {
	n, err := c.writeNow(from)
	if n == len(from) || err != nil {
		return n, c.fault("write", err)
	}
	file, err := c.watched()
	if err != nil {
		return n, c.fault("write", err)
	}
	more, err := file.Write(from[n:])
	return n + more, c.fault("write", err)
}

// writeNow writes what the kernel takes without waiting.
func (c *Conn) writeNow(from []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.file != nil {
		return 0, nil
	}
	if over(c.deadline.write) {
		return 0, os.ErrDeadlineExceeded
	}
	flags := 0
	if c.last {
		flags = unix.MSG_MORE
	}
	n, err = rawsock.Send(c.socket, from, flags)
	if errors.Is(err, unix.EAGAIN) {
		return 0, nil
	}
	return n, err
}

// watched is the connection as one that the poller watches.
func (c *Conn) watched() (*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, net.ErrClosed
	}
	if c.file != nil {
		return c.file, nil
	}
	c.file = os.NewFile(uintptr(c.socket), "tcp")
	return c.file, errors.Join(c.file.SetReadDeadline(c.deadline.read), c.file.SetWriteDeadline(c.deadline.write))
}

// fault is err as package net would have it.
func (c *Conn) fault(operation string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err
	}
	if errors.Is(err, os.ErrClosed) {
		err = net.ErrClosed
	}
	return &net.OpError{Op: operation, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Refuse says answer, as much of it as the kernel takes at once, and closes the connection. The two travel together, which
// is half of what they cost alone.
func (c *Conn) Refuse(answer []byte) {
	c.mu.Lock()
	if !c.closed && c.file == nil {
		_, _ = rawsock.Send(c.socket, answer, unix.MSG_MORE)
	}
	c.mu.Unlock()
	c.release()
	_ = c.Close()
}

// CloseWrite tells the caller that there is no more to come.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.fault("close", net.ErrClosed)
	}
	return c.fault("close", unix.Shutdown(c.socket, unix.SHUT_WR))
}

// Close implements net.Conn. It may be called more than once, and beside Read and Write.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.fault("close", net.ErrClosed)
	}
	c.closed = true
	if c.file != nil {
		return c.fault("close", c.file.Close())
	}
	return c.fault("close", rawsock.Close(c.socket))
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline.read = t
	if c.file != nil {
		return c.fault("set", c.file.SetReadDeadline(t))
	}
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline.write = t
	if c.file != nil {
		return c.fault("set", c.file.SetWriteDeadline(t))
	}
	return nil
}
