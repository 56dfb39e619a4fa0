package endpoint

import (
	"context"
	"net"
)

// handover is the net.Listener of an http.Server that is given its connections.
type handover struct {
	address net.Addr
	given   chan net.Conn
	life    context.Context
	end     context.CancelFunc
}

func newHandover(address net.Addr) *handover {
	h := &handover{address: address, given: make(chan net.Conn)}
	h.life, h.end = context.WithCancel(context.Background())
	return h
}

// give returns when the http.Server has c, or has ended.
func (h *handover) give(c net.Conn) {
	select {
	case h.given <- c:
	case <-h.life.Done():
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.given:
		return c, nil
	case <-h.life.Done():
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
