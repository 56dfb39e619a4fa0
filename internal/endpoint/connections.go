package endpoint

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// conn is a connection that FreeSWITCH made.
type conn struct {
	net.Conn
	read []byte // and not consumed yet, which comes before what Conn has; for one goroutine, as Read is

	all *connections
	// What follows is under the lock of all.
	element *list.Element // of all.incomplete; nil once the request has arrived
	sent    int64         // bytes
	closed  bool
}

// Read implements net.Conn.
func (c *conn) Read(to []byte) (int, error) {
	if len(c.read) > 0 {
		n := copy(to, c.read)
		c.read = c.read[n:]
		return n, nil
	}
	n, err := c.Conn.Read(to)
	c.all.grew(c, n)
	return n, err
}

// CloseWrite tells the caller that nothing more will come.
func (c *conn) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

// Close implements net.Conn. It may be called more than once, and beside Read.
func (c *conn) Close() error {
	c.all.closed(c)
	return c.Conn.Close()
}

// Arrived is told that the request of ctx, which net/http read, has arrived as a whole.
func Arrived(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		c.all.arrived(c)
	}
}

type connKey struct{}

// connContext makes a conn known to the request that comes on it.
func connContext(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}

// connections are those that are open. Some of them are incomplete: their request has not arrived as a whole. FreeSWITCH sends
// all of it at once, so whoever takes long is no FreeSWITCH, or is one that has given up. When too many are incomplete, or
// too much was sent, the oldest incomplete ones are closed.
type connections struct {
	mostIncomplete int
	mostBytes      int64
	dropped        prometheus.Counter

	mu         sync.Mutex
	incomplete list.List // of *conn, the oldest first
	bytes      int64     // that all of them sent
	count      int
}

// mostBytes limits what was sent and is in memory. The memory itself is up to three times that.
const mostBytes = 8 << 20

// add counts an accepted connection as incomplete.
func (s *connections) add(accepted net.Conn) *conn {
	c := &conn{Conn: accepted, all: s}
	s.mu.Lock()
	c.element = s.incomplete.PushBack(c)
	s.count++
	s.mu.Unlock()
	s.dropSome()
	return c
}

// grew is told that c sent n bytes more.
func (s *connections) grew(c *conn, n int) {
	s.mu.Lock()
	if !c.closed {
		c.sent += int64(n)
		s.bytes += int64(n)
	}
	s.mu.Unlock()
	s.dropSome()
}

// arrived is told that c's request has arrived.
func (s *connections) arrived(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.element != nil {
		s.incomplete.Remove(c.element)
		c.element = nil
	}
}

// closed is told that c is closed, perhaps not for the first time.
func (s *connections) closed(c *conn) {
	s.arrived(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.closed {
		return
	}
	s.bytes -= c.sent
	s.count--
	c.sent, c.closed = 0, true
}

// idle returns when no connection is open any more, or ctx is done.
func (s *connections) idle(ctx context.Context) {
	for s.open() > 0 {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

// open returns how many connections there are.
func (s *connections) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// dropSome closes connections until there are no longer too many.
func (s *connections) dropSome() {
	for c := s.excess(); c != nil; c = s.excess() {
		s.dropped.Inc()
		_ = c.Close()
	}
}

// excess returns the connection that has to go next, nil when none has.
func (s *connections) excess() *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := s.incomplete.Front()
	if oldest == nil || s.incomplete.Len() <= s.mostIncomplete && s.bytes <= s.mostBytes {
		return nil
	}
	return oldest.Value.(*conn)
}
