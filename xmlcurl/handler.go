package xmlcurl

import (
	"context"
	"errors"
)

// Handler answers one kind of lookup. It writes the inside of the answer's section to d and returns nil, or an error
// instead, and then nothing of what it wrote is sent:
//
//   - ErrNotFound: there is nothing to say; FreeSWITCH looks in its other bindings, then on its own disk;
//   - ErrUnavailable, or any other error once ctx is done: 503, FreeSWITCH tries its next binding;
//   - anything else: 500, logged as a fault of this program or its rows.
//
// ctx ends at the request's deadline. Neither r nor d may be used after ServeXML has returned.
type Handler interface {
	ServeXML(ctx context.Context, r *Request, d *Document) error
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(ctx context.Context, r *Request, d *Document) error

// ServeXML calls f.
func (f HandlerFunc) ServeXML(ctx context.Context, r *Request, d *Document) error {
	return f(ctx, r, d)
}

var (
	// ErrNotFound is a handler's word for "I have nothing to say".
	ErrNotFound = errors.New("not found")
	// ErrUnavailable is a handler's word for "I cannot say now": the database is away.
	ErrUnavailable = errors.New("unavailable")
)

// Render returns the very document that a node would get for r. The handler's errors pass through, ErrNotFound too.
func Render(ctx context.Context, h Handler, r *Request) ([]byte, error) {
	var d Document
	if err := d.fill(ctx, h, r); err != nil {
		return nil, err
	}
	return d.out, nil
}
