// Package endpoint serves HTTP at an address: sockets, TLS, whose connections are accepted, and draining. FreeSWITCH's plain
// requests are read and answered without net/http.
package endpoint

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const (
	// requestTime is the time for a request to arrive. FreeSWITCH waits less than that for its answer.
	requestTime = 3 * time.Second
	// answerTime is the time for a caller to read its answer.
	answerTime = 30 * time.Second
	// headerLimit is in bytes. A GET has all fields of the form in its first line.
	headerLimit = 128 << 10
)

// PlainHandler is a handler that answers plain requests without net/http, too. For its endpoint, a connection is incomplete
// until the handler says that the request has arrived.
type PlainHandler interface {
	http.Handler
	// Path is where plain requests are posted to. Those for another path go to ServeHTTP.
	Path() string
	// ServePlain answers r, which may not be used after that.
	ServePlain(r *PlainRequest)
}

// DefaultMaxIncomplete holds where a Guard says 0.
const DefaultMaxIncomplete = 2048

// Guard says whom an Endpoint serves. The zero value serves everybody over plain HTTP, and logs nothing.
type Guard struct {
	Name          string                // of the endpoint, in the log and in errors
	Networks      []netip.Prefix        // whose connections are accepted; none: everybody's
	TLS           *tls.Config           // nil: plain HTTP
	MaxIncomplete int                   // connections of a PlainHandler whose request has not arrived as a whole; 0: DefaultMaxIncomplete
	Log           *slog.Logger          // nil: nothing is logged
	Registerer    prometheus.Registerer // nil: nothing is exported
}

// Endpoint is one address that is served, from accepting a connection until the last one is closed. All connections pass
// its accept loop: those from foreign networks are closed, the others are counted; net/http serves them, but for the plain
// requests of FreeSWITCH, which a PlainHandler answers without it (plain.go). Each connection brings one request, as FreeSWITCH
// makes a new one for each lookup.
type Endpoint struct {
	name        string
	socket      *socket
	networks    *networks
	tls         *tls.Config
	plain       PlainHandler // nil: the handler is another one
	http        *http.Server
	forHTTP     *handover
	workers     chan *conn // goroutines that wait for a plain request; closed with the accept loop
	connections connections
	log         *slog.Logger
	failed      chan error
}

// Serve serves handler at address, host:port, until Close.
func Serve(address string, handler http.Handler, g Guard) (*Endpoint, error) {
	e, err := newEndpoint(address, handler, g)
	if err != nil {
		return nil, err
	}
	e.start()
	return e, nil
}

// newEndpoint listens, but accepts nobody yet.
func newEndpoint(address string, handler http.Handler, g Guard) (*Endpoint, error) {
	l, err := listen(address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	e := &Endpoint{
		name: g.Name, socket: l, tls: g.TLS, log: g.Log,
		forHTTP: newHandover(l.Addr()), workers: make(chan *conn), failed: make(chan error, 2),
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	e.http = &http.Server{
		Handler:        handler,
		ReadTimeout:    requestTime,
		WriteTimeout:   answerTime,
		MaxHeaderBytes: headerLimit,
		ErrorLog:       slog.NewLogLogger(e.log.Handler(), slog.LevelWarn),
	}
	// FreeSWITCH closes each connection after its answer. The server does not wait for that.
	e.http.SetKeepAlivesEnabled(false)
	dropped := newDropped(g.Registerer)
	e.networks = newNetworks(g.Networks, e.log, dropped.WithLabelValues("network"))
	if plain, ok := handler.(PlainHandler); ok {
		e.plain, e.http.ConnContext = plain, connContext
		e.connections.mostIncomplete, e.connections.mostBytes = cmp.Or(g.MaxIncomplete, DefaultMaxIncomplete), mostBytes
		e.connections.dropped = dropped.WithLabelValues("incomplete")
	}
	return e, nil
}

// newDropped registers on r, or nowhere when r is nil.
func newDropped(r prometheus.Registerer) *prometheus.CounterVec {
	return promauto.With(r).NewCounterVec(prometheus.CounterOpts{
		Name: "xmlcurld_connections_dropped_total",
		Help: "Connections closed without an answer. network: they came from outside allow_networks; " +
			"incomplete: too many had not sent their request yet, or too much of it.",
	}, []string{"reason"})
}

func (e *Endpoint) start() {
	e.log.Info("listening", "for", e.name, "address", e.Address())
	go e.acceptAll()
	go func() {
		if err := e.http.Serve(e.forHTTP); !errors.Is(err, http.ErrServerClosed) {
			e.fail(err)
		}
	}()
}

func (e *Endpoint) fail(err error) { e.failed <- fmt.Errorf("%s: %w", e.name, err) }

// Address is where it listens, with the port that was found when 0 was asked for.
func (e *Endpoint) Address() string { return e.socket.Addr().String() }

// Failed receives why the endpoint ended by itself.
func (e *Endpoint) Failed() <-chan error { return e.failed }

// Close refuses new connections, answers those that the kernel has made, and returns when the last one is closed. When ctx
// is done before, those that net/http serves are cut off, and that is an error.
func (e *Endpoint) Close(ctx context.Context) error {
	if e == nil {
		return nil
	}
	e.socket.drain(ctx)
	if e.plain != nil { // http.Server.Shutdown would hang up on those whose request has not arrived yet
		e.connections.idle(ctx)
	}
	if err := e.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("drain %s: %w", e.Address(), err), e.http.Close())
	}
	return nil
}

// acceptAll is the accept loop.
func (e *Endpoint) acceptAll() {
	defer close(e.workers)
	pause := time.Duration(0)
	for {
		c, err := e.socket.accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil:
			pause = 0
			e.take(c)
		case temporary(err):
			pause = min(max(5*time.Millisecond, 2*pause), time.Second)
			e.http.ErrorLog.Printf("accept failed, trying again in %v: %v", pause, err)
			time.Sleep(pause)
		default:
			e.fail(err)
			return
		}
	}
}

// temporary reports whether accept may work later: this process has too many files open, or the machine has.
func temporary(err error) bool {
	var fault syscall.Errno
	return errors.As(err, &fault) && fault.Temporary()
}

// take sees to a connection that was accepted.
func (e *Endpoint) take(c net.Conn) {
	if !e.networks.admit(c) {
		_ = c.Close()
		return
	}
	if e.plain != nil {
		counted := e.connections.add(c)
		if fast && e.tls == nil {
			e.takePlain(counted)
			return
		}
		c = counted
	}
	if e.tls != nil {
		c = tls.Server(c, e.tls)
	}
	e.forHTTP.give(c)
}
