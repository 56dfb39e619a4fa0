package xmlcurl

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"xmlcurld/xmlcurl/accept"
)

// Listen returns l, whose connections are accept.Conns, for an http.Server that has s as its Handler and ConnContext of s
// as its ConnContext, and that answers one request a connection. It knows how many there are, and keeps those few that
// bring no request.
func (s *Server) Listen(l net.Listener) net.Listener { return &listener{Listener: l, server: s} }

// AnswerAhead returns l, less the connections that were accepted with a whole request, as FreeSWITCH's are, which sends
// header and form at once: s answers those by itself. What comes over TLS is not to be seen here, and goes to l's
// http.Server as all the rest does. Calls for which there is no room are refused before anything is spent on them: to read
// a request, to answer it with 503 and to hang up costs two thirds of what an answer costs, so that a server which did no
// more than that under several times the load that it can bear would have nothing left for answers.
func (s *Server) AnswerAhead(l net.Listener) net.Listener {
	return &aheadListener{Listener: l, server: s, next: make(chan ahead)}
}

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

// Accept returns the next connection.
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: accepted.(*accept.Conn), unread: &l.server.unread}
	c.unread.add(c)
	return c, nil
}

type aheadListener struct {
	net.Listener
	server *Server
	next   chan ahead // for a goroutine that has answered one before; closed with the listener
}

// ahead is a request that came with its connection.
type ahead struct {
	conn    *conn
	request *http.Request
}

// Accept returns the next connection that is not answered here. It is for one goroutine, as http.Server has it.
func (l *aheadListener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if errors.Is(err, net.ErrClosed) && l.next != nil {
			close(l.next)
			l.next = nil
		}
		if err != nil {
			return nil, err
		}
		c, ok := accepted.(*conn)
		if !ok {
			return accepted, nil
		}
		r, form := c.Request(l.server.ConnContext(context.Background(), c))
		switch {
		case r == nil:
			return c, nil
		case l.server.admit(c, form):
			l.answer(ahead{c, r})
		}
	}
}

// answer has a goroutine answer a that waits for work, since its stack has grown to what that takes, or a new one.
func (l *aheadListener) answer(a ahead) {
	select {
	case l.next <- a:
	default:
		go l.server.answerAll(a, l.next)
	}
}

// answerAll answers first, and whatever comes next.
func (s *Server) answerAll(first ahead, next <-chan ahead) {
	s.answer(first)
	for a := range next {
		s.answer(a)
	}
}

// AnswerTime is how long a caller may take to read an answer, here and from an http.Server.
const AnswerTime = 30 * time.Second

// answer answers a, and ends its connection.
func (s *Server) answer(a ahead) {
	defer func() {
		if value := recover(); value != nil {
			s.log.LogAttrs(a.request.Context(), slog.LevelError, "an answer broke off",
				slog.Any("panic", value), slog.String("stack", string(debug.Stack())))
		}
		_ = a.conn.Close()
	}()
	_ = a.conn.SetWriteDeadline(time.Now().Add(AnswerTime))
	a.conn.Answer(s, a.request)
}

// admit gives a request with form a place if it is a call, and refuses it when there is none. Whatever is no call gets its
// place later. So do calls while few are under way, or about to be: of many that come at once, the last would be read
// only to be refused.
func (s *Server) admit(c *conn, form []byte) bool {
	calls := s.bounds.calls
	if !calls.busy(s.unread.waiting() - 1) { // but for this one
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

// Refuse says answer and closes the connection.
func (c *conn) Refuse(answer []byte) {
	c.unread.closed(c)
	c.Conn.Refuse(answer)
}

// Close gives the place back that no handler took over. It may be called more than once, and beside Read.
func (c *conn) Close() error {
	c.unread.closed(c)
	if place := c.place.Swap(nil); place != nil {
		place.leave()
	}
	return c.Conn.Close()
}
