package xmlcurl

import (
	"bytes"
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Listen returns l for an http.Server that has s as its Handler and ConnContext of s as its ConnContext. On plain TCP it
// refuses calls for which there is no room before anything is spent on them: to read a request as HTTP, to answer it
// with 503 and to hang up costs two thirds of what an answer costs, so that a server which did no more than that under
// several times the load that it can bear would have nothing left for answers. FreeSWITCH sends header and form at once,
// so a call that had to wait to be accepted is there as a whole.
func (s *Server) Listen(l net.Listener) net.Listener { return &listener{Listener: l, server: s} }

// ConnContext makes a connection of Listen's known to the requests that come on it.
func (s *Server) ConnContext(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if known, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, known)
	}
	return ctx
}

type connKey struct{}

// Idle returns when no connection of Listen's is open any more, or ctx is done.
func (s *Server) Idle(ctx context.Context) {
	for s.unread.open() > 0 {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

// A Refuser is a listener that may have somebody turn connections away before Go makes anything of them.
type Refuser interface {
	net.Listener
	// AcceptUnless accepts connections without waiting, and returns the first one whose socket refuse does not take, and
	// close; nil when nobody waits to be accepted.
	AcceptUnless(refuse func(socket int) bool) (net.Conn, error)
}

type listener struct {
	net.Listener
	server *Server
}

// Accept returns the next connection that is not refused.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.acceptWhileFull()
		if c == nil && err == nil {
			c, err = l.acceptOne()
		}
		if c != nil || err != nil {
			return c, err
		}
	}
}

// acceptWhileFull refuses whoever waits while there is no room. It returns a connection that is not to be refused, and
// nil when there is room or nobody waits.
func (l *listener) acceptWhileFull() (net.Conn, error) {
	early, ok := l.Listener.(Refuser)
	if !ok || !l.server.bounds.calls.full(time.Now()) {
		return nil, nil
	}
	c := &conn{unread: &l.server.unread}
	accepted, err := early.AcceptUnless(func(socket int) bool {
		if l.server.admit(c, func(to []byte) (int, error) { return syscall.Read(socket, to) }) {
			return false
		}
		turnAway(socket)
		return true
	})
	return l.known(c, accepted), err
}

// turnAway refuses the call that was read from socket. What is said and the end of the connection travel together, which
// saves a third of what a refusal costs.
func turnAway(socket int) {
	_ = unix.Send(socket, refusal, unix.MSG_MORE|unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) // a new connection has room for it
	_ = unix.Close(socket)
}

// acceptOne returns the next connection, nil when it was refused.
func (l *listener) acceptOne() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{unread: &l.server.unread}
	if tcp, ok := accepted.(*net.TCPConn); ok && !l.server.admit(c, readNow(tcp)) {
		_, _ = tcp.Write(refusal) // as above
		_ = tcp.Close()
		return nil, nil
	}
	return l.known(c, accepted), nil
}

// known is what is accepted, as a conn of ours if it is on TCP; nil when it is nil.
func (l *listener) known(c *conn, accepted net.Conn) net.Conn {
	tcp, ok := accepted.(*net.TCPConn)
	if !ok {
		return accepted
	}
	c.TCPConn = tcp
	c.unread.add(c)
	return c
}

// admit gives the request that read returns, without waiting, a place if it is a call and all of it is there, and
// reports false when there is none. What is no call, or comes slowly, gets its place when it has been read. So do calls
// while few are under way, or about to be: of many that come at once, the last would be read only to be refused.
func (s *Server) admit(c *conn, read func([]byte) (int, error)) bool {
	calls := s.bounds.calls
	if !calls.busy(s.unread.waiting()) {
		return true
	}
	c.readAhead(read)
	start := time.Now()
	form := wholeForm(c.ahead.rest())
	if form == nil {
		return true
	}
	if r, err := ParseRequest(form); err != nil || s.bounds.of(r) != calls {
		return true
	}
	if calls.enter(start) == nil {
		c.place.Store(calls)
		return true
	}
	c.forget()
	s.account(context.Background(), &exchange{outcome: overloaded}, time.Since(start))
	return false
}

var refusal = []byte("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain; charset=UTF-8\r\n" +
	"Content-Length: " + strconv.Itoa(len(verdicts[overloaded].body)) + "\r\n\r\n" + verdicts[overloaded].body)

// wholeForm returns the form in a request that was posted, nil unless all of it is there.
func wholeForm(request []byte) []byte {
	header, body, whole := bytes.Cut(request, []byte("\r\n\r\n"))
	if !whole || !bytes.HasPrefix(header, []byte(http.MethodPost+" ")) {
		return nil
	}
	_, length, found := bytes.Cut(header, []byte("\r\nContent-Length: "))
	length, _, _ = bytes.Cut(length, []byte("\r\n"))
	if n, err := strconv.Atoi(string(length)); !found || err != nil || n != len(body) {
		return nil
	}
	return body
}

// conn is a connection that FreeSWITCH made.
type conn struct {
	*net.TCPConn
	ahead *ahead                // what was read before the HTTP server reads
	place atomic.Pointer[bound] // that its request holds, until a handler takes it over

	unread  *unread
	waiting *list.Element // of unread, which locks it; nil once the request is here
	sent    int64         // bytes, likewise
	gone    bool          // closed, likewise
}

// ahead is memory for what is read before it is asked for.
type ahead struct {
	bytes    [16 << 10]byte // a call's header and form, which FreeSWITCH's variables make long
	from, to int
}

var aheads = sync.Pool{New: func() any { return new(ahead) }}

func (a *ahead) rest() []byte {
	if a == nil {
		return nil
	}
	return a.bytes[a.from:a.to]
}

// readNow reads what is there, and does not wait.
func readNow(c *net.TCPConn) func([]byte) (int, error) {
	return func(to []byte) (n int, err error) {
		raw, err := c.SyscallConn()
		if err != nil {
			return 0, err
		}
		_ = raw.Read(func(fd uintptr) bool {
			n, err = syscall.Read(int(fd), to)
			return true
		})
		return n, err
	}
}

// readAhead reads what is there.
func (c *conn) readAhead(read func([]byte) (int, error)) {
	c.ahead = aheads.Get().(*ahead)
	n, _ := read(c.ahead.bytes[:])
	if c.ahead.from, c.ahead.to = 0, max(n, 0); n <= 0 { // nothing, or the end, which the next to read sees again
		c.forget()
	}
}

// forget gives up the memory of what was read ahead.
func (c *conn) forget() {
	aheads.Put(c.ahead)
	c.ahead = nil
}

// Read reads what was read ahead first.
func (c *conn) Read(to []byte) (int, error) {
	if c.ahead == nil {
		n, err := c.TCPConn.Read(to)
		c.unread.grew(c, n)
		return n, err
	}
	n := copy(to, c.ahead.rest())
	c.unread.grew(c, n)
	if c.ahead.from += n; c.ahead.from == c.ahead.to {
		c.forget()
	}
	return n, nil
}

// Close gives the place back that no handler took over. It may be called more than once, and beside Read.
func (c *conn) Close() error {
	c.unread.closed(c)
	if place := c.place.Swap(nil); place != nil {
		place.leave()
	}
	return c.TCPConn.Close()
}
