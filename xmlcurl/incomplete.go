package xmlcurl

import (
	"cmp"
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// incomplete are the connections whose request has not arrived as a whole. FreeSWITCH sends all of it at once, so whoever
// takes long is no FreeSWITCH, or is one that has given up. There may be many of them, and their half requests may be long:
// when they become too many or too much, the oldest are closed.
type incomplete struct {
	mostConns int
	mostBytes int64
	dropped   prometheus.Counter

	mu    sync.Mutex
	order list.List // of *conn, the oldest first
	bytes int64     // that all open connections sent, those with a whole request, too
	conns int       // that are open, likewise
}

// incompleteBytes limits what was sent and is in memory. The memory itself is up to three times that.
const incompleteBytes = 8 << 20

// entry is what incomplete knows of one connection, under its lock.
type entry struct {
	element *list.Element // of order; nil once the request has arrived
	sent    int64         // bytes
	closed  bool
}

// limitTo sets the limit of connections, 0 for the usual one, and registers how many were closed for it.
func (i *incomplete) limitTo(conns int, reg prometheus.Registerer) {
	i.mostConns, i.mostBytes = cmp.Or(conns, 2048), incompleteBytes
	i.dropped = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "xmlcurld_connections_dropped_total",
		Help: "Connections closed because too many had not sent their request yet, or too much of it.",
	})
	reg.MustRegister(i.dropped)
}

func (i *incomplete) add(c *conn) {
	i.mu.Lock()
	c.entry.element = i.order.PushBack(c)
	i.conns++
	i.mu.Unlock()
	i.dropSome()
}

// grew is told that c sent n bytes more.
func (i *incomplete) grew(c *conn, n int) {
	i.mu.Lock()
	if !c.entry.closed {
		c.entry.sent += int64(n)
		i.bytes += int64(n)
	}
	over := i.bytes > i.mostBytes
	i.mu.Unlock()
	if over {
		i.dropSome()
	}
}

// remove is told that c's request has arrived.
func (i *incomplete) remove(c *conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if c.entry.element != nil {
		i.order.Remove(c.entry.element)
		c.entry.element = nil
	}
}

// closed is told that c is closed, perhaps not for the first time.
func (i *incomplete) closed(c *conn) {
	i.remove(c)
	i.mu.Lock()
	defer i.mu.Unlock()
	if c.entry.closed {
		return
	}
	i.bytes -= c.entry.sent
	i.conns--
	c.entry.sent, c.entry.closed = 0, true
}

// idle returns when no connection is open any more, or ctx is done.
func (i *incomplete) idle(ctx context.Context) {
	for i.open() > 0 {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

// open returns how many connections there are.
func (i *incomplete) open() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.conns
}

// dropSome closes connections until there are no longer too many.
func (i *incomplete) dropSome() {
	for c := i.excess(); c != nil; c = i.excess() {
		i.dropped.Inc()
		_ = c.Close()
	}
}

// excess returns the connection that has to go next, nil when none has.
func (i *incomplete) excess() *conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	oldest := i.order.Front()
	if oldest == nil || i.order.Len() <= i.mostConns && i.bytes <= i.mostBytes {
		return nil
	}
	return oldest.Value.(*conn)
}
