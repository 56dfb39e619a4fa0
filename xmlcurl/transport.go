package xmlcurl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"xmlcurld/internal/endpoint"
)

// transport is one HTTP request and the way back, by net/http or without it.
type transport interface {
	// BasicAuth returns the user and password of HTTP's Basic scheme, if they were sent.
	BasicAuth() (user, password string, sent bool)
	// form returns what is asked for. It may use the buffer for it.
	form(buffer *formBuffer, limit int64) ([]byte, error)
	// Arrived is told that the request has arrived as a whole.
	Arrived()
	// Reply sends the answer, and returns how much of its body was taken. When that is less, the caller is gone, and there is
	// nobody to tell.
	Reply(a endpoint.Answer) (sent int)
}

// plainTransport is a request that the endpoint read.
type plainTransport struct{ *endpoint.PlainRequest }

func (t plainTransport) form(_ *formBuffer, limit int64) ([]byte, error) {
	switch {
	case !formType(t.ContentType):
		return nil, ErrNotForm
	case int64(len(t.Posted)) > limit:
		return nil, errBodyTooLarge
	}
	return t.Posted, nil
}

// httpTransport is a request that net/http read.
type httpTransport struct {
	*http.Request
	w http.ResponseWriter
}

// Arrived implements transport.
func (t httpTransport) Arrived() { endpoint.Arrived(t.Context()) }

// Reply implements transport.
func (t httpTransport) Reply(a endpoint.Answer) (sent int) { return a.Write(t.w) }

// form reads the query of a GET, the body of a POST.
func (t httpTransport) form(buffer *formBuffer, limit int64) (_ []byte, err error) {
	switch {
	case t.Method == http.MethodGet && int64(len(t.URL.RawQuery)) > limit:
		err = errBodyTooLarge
	case t.Method == http.MethodGet:
		buffer.WriteString(t.URL.RawQuery)
	case !formType(t.Header.Get("Content-Type")):
		err = ErrNotForm
	case t.ContentLength > limit:
		err = errBodyTooLarge
	default:
		err = buffer.read(t.Body, limit)
	}
	return buffer.Bytes(), err
}

// formType reports whether a body of contentType can be a form; none at all is taken for one.
func formType(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.TrimSpace(media)
	return media == "" || strings.EqualFold(media, "application/x-www-form-urlencoded")
}

var (
	errBodyTooLarge = errors.New("body too large")
	errBodyBroken   = errors.New("body broken off")
)

var forms = sync.Pool{New: func() any { return new(formBuffer) }}

// formBuffer is memory for one form. It grows with what arrives, not with what is announced.
type formBuffer struct {
	bytes.Buffer
	body io.LimitedReader
}

func (f *formBuffer) release() {
	if f.body.R = nil; f.Cap() <= keptForm {
		f.Reset()
		forms.Put(f)
	}
}

// read takes all of body, up to the limit in bytes.
func (f *formBuffer) read(body io.Reader, limit int64) error {
	f.body = io.LimitedReader{R: body, N: limit + 1}
	switch _, err := f.ReadFrom(&f.body); {
	case f.body.N <= 0:
		return errBodyTooLarge
	case err != nil:
		return fmt.Errorf("%w: %w", errBodyBroken, err)
	}
	return nil
}
