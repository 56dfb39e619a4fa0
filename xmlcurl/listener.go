package xmlcurl

import (
	"bytes"
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"xmlcurld/xmlcurl/accept"
)

// Listen returns l, whose connections are accept.Conns, for an http.Server that has s as its Handler and ConnContext of s
// as its ConnContext, and that answers one request a connection. On plain TCP it refuses calls for which there is no room
// before anything is spent on them: to read a request as HTTP, to answer it with 503 and to hang up costs two thirds of
// what an answer costs, so that a server which did no more than that under several times the load that it can bear would
// have nothing left for answers. FreeSWITCH sends header and form at once, so a call that had to wait to be accepted is
// there as a whole.
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

type listener struct {
	net.Listener
	server *Server
}

// Accept returns the next connection that is not refused.
func (l *listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted.(*accept.Conn), unread: &l.server.unread}
		if l.server.admit(c) {
			c.unread.add(c)
			return c, nil
		}
	}
}

// admit gives c's request a place if it is a call and all of it is there, and refuses it when there is none. What is no
// call, or comes slowly, gets its place when it has been read. So do calls while few are under way, or about to be: of
// many that come at once, the last would be read only to be refused.
func (s *Server) admit(c *conn) bool {
	form, calls := wholeForm(c.Ahead()), s.bounds.calls
	c.Only(form != nil)
	if form == nil || !calls.busy(s.unread.waiting()) {
		return true
	}
	start := time.Now()
	if r, err := ParseRequest(form); err != nil || s.bounds.of(r) != calls {
		return true
	}
	if calls.enter(start) == nil {
		c.place.Store(calls)
		return true
	}
	c.Refuse(refusal)
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
	*accept.Conn
	place atomic.Pointer[bound] // that its request holds, until a handler takes it over

	unread  *unread
	waiting *list.Element // of unread, which locks it; nil once the request is here
	sent    int64         // bytes, likewise
	gone    bool          // closed, likewise
}

// Read counts what is read.
func (c *conn) Read(to []byte) (int, error) {
	n, err := c.Conn.Read(to)
	c.unread.grew(c, n)
	return n, err
}

// Close gives the place back that no handler took over. It may be called more than once, and beside Read.
func (c *conn) Close() error {
	c.unread.closed(c)
	if place := c.place.Swap(nil); place != nil {
		place.leave()
	}
	return c.Conn.Close()
}
