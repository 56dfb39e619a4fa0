package trace

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"xmlcurld/xmlcurl"
)

const (
	// mostSessions is how many traces may run at once.
	mostSessions = 8
	// orderTime is how long a client may take to send its order.
	orderTime = 5 * time.Second
	// orderSize is how long an order may be, in bytes.
	orderSize = 4 << 10
)

// Options are what a Server is made of.
type Options struct {
	Path    string // of the socket
	Watched interface {
		Watch(watcher func(*xmlcurl.Exchange)) // as that of xmlcurl.Server
	}
	Log   *slog.Logger
	After func(time.Duration) <-chan time.Time // nil: time.After
}

// Server lets its own user trace what is watched.
type Server struct {
	Options
	listener *net.UnixListener
	closing  chan struct{}
	works    sync.WaitGroup

	mu       sync.Mutex
	places   int // that are taken, sessions or clients who are yet to send their order
	sessions []*session
}

// Serve listens until Close. A socket that a server left behind is replaced. The errors are those of the folder and of the
// socket; one is that another server listens there.
func Serve(o Options) (*Server, error) {
	if o.After == nil {
		o.After = time.After
	}
	l, err := listen(o.Path)
	if err != nil {
		return nil, fmt.Errorf("socket for traces: %w", err)
	}
	s := &Server{Options: o, listener: l, closing: make(chan struct{})}
	s.works.Go(s.acceptAll)
	return s, nil
}

func listen(path string) (*net.UnixListener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	address := &net.UnixAddr{Name: path, Net: "unix"}
	l, err := net.ListenUnix("unix", address)
	if errors.Is(err, syscall.EADDRINUSE) && isLeftBehind(path) {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
		l, err = net.ListenUnix("unix", address)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: another server has it, or it is no socket", path)
	case errors.Is(err, syscall.EINVAL):
		return nil, fmt.Errorf("%s: a socket's path has at most some 100 bytes", path)
	case err != nil:
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// isLeftBehind reports whether path is a socket at which nobody listens.
func isLeftBehind(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

func (s *Server) acceptAll() {
	for {
		c, err := s.listener.AcceptUnix()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // for want of descriptors
			select {
			case <-time.After(time.Second):
			case <-s.closing:
			}
			continue
		}
		s.works.Go(func() {
			defer func() { _ = c.Close() }()
			if err := s.serve(c); err != nil {
				_ = c.SetWriteDeadline(time.Now().Add(lastTime))
				_ = tell(c, &Line{Time: now(), End: "refused: " + err.Error()})
			}
		})
	}
}

// serve serves one client. Its error is why it is refused.
func (s *Server) serve(c *net.UnixConn) error {
	if uid, err := peer(c); err != nil || uid != os.Geteuid() {
		s.Log.Warn("a trace was refused: it is for the server's own user", "uid", uid, "err", err)
		return fmt.Errorf("only uid %d, who runs the server, may trace it", os.Geteuid())
	}
	if !s.takePlace() {
		return fmt.Errorf("%d traces run already", mostSessions)
	}
	defer s.leavePlace()
	order, err := readOrder(c)
	if err != nil {
		return err
	}
	trace, err := newSession(order, rand.Reader)
	if err != nil {
		return err
	}
	s.change(func() { s.sessions = append(s.sessions, trace) })
	defer s.change(func() {
		s.sessions = slices.DeleteFunc(s.sessions, func(other *session) bool { return other == trace })
	})
	s.Log.Info("a trace begins", "number", order.Number, "user", order.User, "node", order.Node, "for", order.Time)
	over := make(chan string, 1)
	ended := make(chan struct{})
	defer close(ended)
	s.works.Go(func() { s.end(c, order.Time, over, ended) })
	trace.run(c, now().Add(order.Time), over)
	return nil
}

// end tells over when and why a trace ends, if it has not ended by itself. Then a client may not take long to read the rest.
func (s *Server) end(c *net.UnixConn, after time.Duration, over chan<- string, ended <-chan struct{}) {
	gone := make(chan struct{})
	s.works.Go(func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, c)
	})
	select {
	case <-s.After(after):
		over <- EndOfTime
	case <-s.closing:
		over <- "the server shuts down"
	case <-gone:
		over <- "the client is gone"
	case <-ended:
		return
	}
	_ = c.SetWriteDeadline(time.Now().Add(lastTime))
}

func readOrder(c net.Conn) (o Order, err error) {
	_ = c.SetReadDeadline(time.Now().Add(orderTime))
	line, err := bufio.NewReader(io.LimitReader(c, orderSize)).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &o)
	}
	if err != nil {
		return o, fmt.Errorf("no order: %w", err)
	}
	if o.Number == "" && o.User == "" && o.Node == "" {
		return o, errors.New("the order names no number, user or node")
	}
	if o.Time <= 0 || o.Time > MostTime {
		o.Time = MostTime
	}
	return o, c.SetReadDeadline(time.Time{})
}

func (s *Server) takePlace() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.places == mostSessions {
		return false
	}
	s.places++
	return true
}

func (s *Server) leavePlace() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places--
}

// change changes the sessions, and has exchanges told to those there are. With none, nobody watches.
func (s *Server) change(how func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how()
	sessions := slices.Clone(s.sessions)
	if len(sessions) == 0 {
		s.Watched.Watch(nil)
		return
	}
	s.Watched.Watch(func(x *xmlcurl.Exchange) {
		for _, trace := range sessions {
			trace.offer(x)
		}
	})
}

// Close ends all traces, which say so, and removes the socket.
func (s *Server) Close() error {
	if s == nil {
		return nil
	}
	close(s.closing)
	err := s.listener.Close()
	s.works.Wait()
	return err
}
