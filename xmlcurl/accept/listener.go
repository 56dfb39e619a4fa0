// Package accept takes TCP connections for one short request each, which is what FreeSWITCH makes: a new one for every
// lookup, with the whole request sent at once. What package net does for a connection that may wait for something (it asks
// for addresses, sets options, has the poller watch it) costs as much as reading such a request and answering it, so here
// it is done only for those that do have to wait. Nor does a request that is there as a whole need what package net/http
// does for one that may come in parts and be followed by more: Conn.Request and Conn.Answer.
package accept

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"xmlcurld/internal/rawsock"
)

// Listener accepts Conns. It can end without hanging up on anybody who is connected, as a mere Close does: the kernel
// makes connections before they are accepted.
type Listener struct {
	file     *os.File
	socket   syscall.RawConn
	address  net.Addr
	draining atomic.Bool
	closed   atomic.Bool
	drained  chan struct{}
}

// Listen listens on TCP at address, host:port.
func Listen(ctx context.Context, address string) (*Listener, error) {
	config := net.ListenConfig{KeepAlive: -1} // no connection lives long enough to be probed
	config.SetMultipathTCP(false)             // nor has two ways
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }() // the file holds a copy of the socket
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		return nil, err
	}
	socket, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Listener{file: file, socket: socket, address: l.Addr(), drained: make(chan struct{})}, nil
}

// Addr is where it listens.
func (l *Listener) Addr() net.Addr { return l.address }

// Accept returns the next connection, a *Conn. It is for one goroutine, as http.Server has it. Once the listener drains and
// nobody has come for handshakeTime, it closes it.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.accept()
	if l.draining.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		c, err = l.acceptLast()
	}
	if err == nil {
		c.local = l.address
		c.readAhead()
		return c, nil
	}
	if l.closed.Load() {
		err = net.ErrClosed
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.address, Err: err}
}

// acceptLast accepts whoever comes within handshakeTime. When that is nobody it closes the listener.
func (l *Listener) acceptLast() (*Conn, error) {
	_ = l.file.SetReadDeadline(time.Now().Add(handshakeTime))
	c, err := l.accept()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return c, err
	}
	// For want of a processor the time may have passed before there was a look.
	fault := l.socket.Control(func(fd uintptr) { c, err = acceptOn(fd) })
	if fault != nil || err != nil {
		defer close(l.drained)
		return nil, errors.Join(fault, err, l.Close())
	}
	return c, nil
}

// accept waits for the next connection.
func (l *Listener) accept() (c *Conn, err error) {
	waited := l.socket.Read(func(fd uintptr) bool {
		c, err = acceptOn(fd)
		return !errors.Is(err, unix.EAGAIN)
	})
	if waited != nil {
		err = waited
	}
	return c, err
}

// acceptOn accepts without waiting; the error is unix.EAGAIN when nobody waits.
func acceptOn(listener uintptr) (*Conn, error) {
	for {
		accepted, from, err := rawsock.Accept(int(listener))
		switch {
		case err == nil:
			return &Conn{socket: accepted, remote: from}, nil
		case !errors.Is(err, unix.ECONNABORTED):
			return nil, err
		}
	}
}

// handshakeTime is how long nobody may have come for the last one to be there: a connection that had begun when others
// were kept out takes a few packets.
const handshakeTime = 5 * time.Millisecond

// Drain returns when whoever accepts has accepted everybody who is connected, and the listener is closed, or when ctx is
// done.
func (l *Listener) Drain(ctx context.Context) {
	_ = l.keepOut() // or whoever goes on to come until ctx is done is answered, too
	l.draining.Store(true)
	_ = l.file.SetReadDeadline(time.Unix(1, 0)) // wakes Accept
	select {
	case <-l.drained:
	case <-ctx.Done():
	}
}

// noInterface is the index of a network interface that no machine has.
const noInterface = 1<<31 - 1

// keepOut has the kernel make no further connection, and refuse whoever tries: the socket belongs to noInterface, where
// nobody comes from. Those that had begun are made, and those that wait to be accepted are not touched. Without it somebody
// may always come between the last look at the queue and its end.
func (l *Listener) keepOut() error {
	var fault error
	err := l.socket.Control(func(fd uintptr) {
		fault = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, noInterface)
	})
	return errors.Join(err, fault)
}

// Close closes the listener, and hangs up on those who are not accepted yet. Once it is drained it is closed already.
func (l *Listener) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	return l.file.Close()
}
