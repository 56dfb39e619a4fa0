package xmlcurl

import (
	"container/list"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// unread are the connections whose request is not here yet. FreeSWITCH sends all of it at once, so whoever takes long is
// no FreeSWITCH, or is one that has given up. There may be many of them, and their half requests may be long: when they
// become too many or too much, those that are at it longest have to go.
type unread struct {
	mostConns int
	mostBytes int64
	dropped   prometheus.Counter

	mu    sync.Mutex
	order list.List // of *conn, the oldest first
	bytes int64     // that all connections sent, those with a whole request, too
	conns int       // that are open, likewise
}

// unreadBytes is how much may be in memory of what was sent, before those that are not done have to go. In bytes; the
// memory itself is up to three times that.
const unreadBytes = 8 << 20

func (u *unread) add(c *conn) {
	u.mu.Lock()
	c.waiting = u.order.PushBack(c)
	u.conns++
	u.mu.Unlock()
	u.dropSome()
}

// grew is told that c sent n bytes more.
func (u *unread) grew(c *conn, n int) {
	u.mu.Lock()
	if !c.gone {
		c.sent += int64(n)
		u.bytes += int64(n)
	}
	over := u.bytes > u.mostBytes
	u.mu.Unlock()
	if over {
		u.dropSome()
	}
}

// remove is told that c's request is here as a whole.
func (u *unread) remove(c *conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if c.waiting != nil {
		u.order.Remove(c.waiting)
		c.waiting = nil
	}
}

// closed is told that c is closed, perhaps not for the first time.
func (u *unread) closed(c *conn) {
	u.remove(c)
	u.mu.Lock()
	defer u.mu.Unlock()
	if c.gone {
		return
	}
	u.bytes -= c.sent
	u.conns--
	c.sent, c.gone = 0, true
}

// waiting returns of how many the request is not here yet.
func (u *unread) waiting() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.order.Len()
}

// open returns how many connections there are.
func (u *unread) open() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.conns
}

// dropSome closes connections until there are no longer too many.
func (u *unread) dropSome() {
	for c := u.excess(); c != nil; c = u.excess() {
		u.dropped.Inc()
		_ = c.Close()
	}
}

// excess returns the connection that has to go next, nil when none has.
func (u *unread) excess() *conn {
	u.mu.Lock()
	defer u.mu.Unlock()
	oldest := u.order.Front()
	if oldest == nil || u.order.Len() <= u.mostConns && u.bytes <= u.mostBytes {
		return nil
	}
	return oldest.Value.(*conn)
}
