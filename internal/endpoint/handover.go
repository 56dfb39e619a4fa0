package endpoint

import (
	"net"
	"sync"
)

// handover is the net.Listener of an http.Server that is given its connections.
type handover struct {
	address net.Addr
	given   chan net.Conn
	ended   chan struct{}
	end     func()
}

func newHandover(address net.Addr) *handover {
	h := &handover{address: address, given: make(chan net.Conn), ended: make(chan struct{})}
	h.end = sync.OnceFunc(func() { close(h.ended) })
	return h
}

// give returns when the http.Server has c, or has ended.
func (h *handover) give(c net.Conn) {
	select {
	case h.given <- c:
	case <-h.ended:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.given:
		return c, nil
	case <-h.ended:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (h *handover) Addr() net.Addr { return h.address }

// Close implements net.Listener.
func (h *handover) Close() error {
	h.end()
	return nil
}
