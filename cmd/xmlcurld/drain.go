package main

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// drainer is a listener that can end without hanging up on anybody who is connected, as a mere Close does: the kernel
// makes connections before they are accepted.
type drainer struct {
	*net.TCPListener
	draining atomic.Bool
	closed   chan struct{} // once it is drained
}

// handshakeTime is how long nobody may have come for the last one to be there: a connection that had begun when others
// were kept out takes a few packets.
const handshakeTime = 5 * time.Millisecond

func newDrainer(l *net.TCPListener) *drainer {
	return &drainer{TCPListener: l, closed: make(chan struct{})}
}

// drain returns when whoever accepts has accepted everybody who is connected, and the listener is closed, or when ctx is
// done.
func (d *drainer) drain(ctx context.Context) {
	_ = d.keepOut() // or whoever goes on to come until ctx is done is answered, too
	d.draining.Store(true)
	_ = d.SetDeadline(time.Unix(1, 0)) // wakes Accept
	select {
	case <-d.closed:
	case <-ctx.Done():
	}
}

// noSYN lets through to a socket what is no first packet of a connection.
var noSYN = []unix.SockFilter{
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13}, // the flags of the TCP header
	{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: 0x02, Jf: 1},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	{Code: unix.BPF_RET | unix.BPF_K, K: 1<<32 - 1},
}

// keepOut has the kernel make no further connection. Whoever tries meanwhile tries again after a second, as if the packet
// had been lost, and is refused. Without it somebody may always come between the last look at the queue and its end.
func (d *drainer) keepOut() error {
	raw, err := d.SyscallConn()
	if err != nil {
		return err
	}
	var fault error
	err = raw.Control(func(fd uintptr) {
		filter := unix.SockFprog{Len: uint16(len(noSYN)), Filter: &noSYN[0]}
		fault = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &filter)
	})
	return errors.Join(err, fault)
}

// Accept returns the next connection. When it drains and nobody waits any more it closes the listener.
func (d *drainer) Accept() (net.Conn, error) {
	conn, err := d.TCPListener.Accept()
	if !d.draining.Load() || !errors.Is(err, os.ErrDeadlineExceeded) {
		return conn, err
	}
	_ = d.SetDeadline(time.Now().Add(handshakeTime))
	if conn, err = d.TCPListener.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		return conn, err
	}
	_ = d.Close()
	close(d.closed)
	return nil, net.ErrClosed
}

// Close closes the listener; once it is drained it is closed already.
func (d *drainer) Close() error {
	err := d.TCPListener.Close()
	if d.draining.Load() && errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
