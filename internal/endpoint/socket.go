package endpoint

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is a TCP listener that can end without hanging up on anybody: the kernel makes connections before they are
// accepted, and a mere Close resets those.
type socket struct {
	*net.TCPListener
	raw      syscall.RawConn
	draining atomic.Bool
	ended    chan struct{} // closed when it is drained
}

func listen(address string) (*socket, error) {
	config := net.ListenConfig{KeepAlive: -1} // no connection lives long enough to be probed
	config.SetMultipathTCP(false)
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	tcp := l.(*net.TCPListener)
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &socket{TCPListener: tcp, raw: raw, ended: make(chan struct{})}, nil
}

// accept returns the next connection. It is for one goroutine. The error is net.ErrClosed once the socket is drained.
func (s *socket) accept() (net.Conn, error) {
	for {
		if s.draining.Load() {
			if !s.waiting() {
				_ = s.Close()
				close(s.ended)
				return nil, net.ErrClosed
			}
			_ = s.SetDeadline(time.Now().Add(time.Second)) // for a connection that is gone again
		}
		c, err := s.AcceptTCP()
		if err == nil {
			return c, nil
		}
		if !s.draining.Load() || !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, err
		}
	}
}

// handshakeTime is the time for handshakes that had begun when newcomers were shut out.
const handshakeTime = 5 * time.Millisecond

// waiting reports whether a connection can be accepted, now or within handshakeTime.
func (s *socket) waiting() bool {
	ready := 0
	_ = s.raw.Control(func(fd uintptr) {
		look := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		var err error = unix.EINTR
		for errors.Is(err, unix.EINTR) {
			ready, err = unix.Poll(look, int(handshakeTime.Milliseconds()))
		}
	})
	return ready > 0
}

// drain has no further connection made, and returns when those that were made are accepted, or ctx is done.
func (s *socket) drain(ctx context.Context) {
	_ = s.raw.Control(shutOut) // where that fails, whoever connects until ctx is done is served
	s.draining.Store(true)
	_ = s.SetDeadline(time.Unix(1, 0)) // wakes accept
	select {
	case <-s.ended:
	case <-ctx.Done():
		_ = s.Close()
	}
}
