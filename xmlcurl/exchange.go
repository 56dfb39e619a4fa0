package xmlcurl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// exchange is one request and its answer.
type exchange struct {
	request  *Request  // nil until it is parsed
	document *Document // nil when there was nothing to ask a handler
	claimed  string    // the other node that an authenticated node says it is
	outcome  outcome
	err      error // why it is not found
	sent     int   // bytes of the answer's body
}

var (
	errBodyTooLarge = errors.New("body too large")
	errBodyBroken   = errors.New("body broken off")
)

// panicError is a handler's panic.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// exchange takes one request from its header to the last byte of the answer. Nothing is written before the whole answer
// is known, and memory for it is taken when the body is here, so that slow senders cost little.
func (s *Server) exchange(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	// Whoever answers in another's place, when that took all of this, needs a little of the deadline, too.
	// Not that a caller has closed its side of the connection: net/http takes that for its end, though it may well be reading.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.deadline-s.deadline/8)
	defer cancel()
	form := forms.Get().(*formBuffer)
	defer form.release()

	var x exchange
	if x.err = s.read(ctx, &x, form, r); x.err == nil {
		place := s.bounds.of(x.request)
		if x.err = enter(r, place, start); x.err == nil {
			defer place.leave()
			x.document = documents.Get().(*Document)
			defer x.release()
			x.err = s.fillInTurn(ctx, place, &x)
		}
	}
	if x.outcome = outcomeOf(ctx, x.err); x.outcome == found && int64(len(x.document.out)) > s.answerLimit {
		x.outcome = overLimit
	}
	x.reply(w)
	s.account(ctx, &x, time.Since(start))
}

// read checks who is there, then reads and parses what is asked for. A node that showed who it is asks for itself, whatever
// it says.
func (s *Server) read(ctx context.Context, x *exchange, form *formBuffer, r *http.Request) error {
	node, err := s.credentials.node(ctx, r)
	if err != nil {
		return err
	}
	if err := s.fetch(form, r); err != nil {
		return err
	}
	if x.request, err = ParseRequest(form.bytes); err == nil && node != "" && x.request.Hostname != node {
		x.claimed, x.request.Hostname = x.request.Hostname, node
	}
	return err
}

// fetch reads what is asked for.
func (s *Server) fetch(form *formBuffer, r *http.Request) error {
	switch {
	case r.Method == http.MethodGet:
		return form.query(r.URL.RawQuery, s.bodyLimit)
	case !formType(r.Header.Get("Content-Type")):
		return ErrNotForm
	}
	return form.body(r, s.bodyLimit)
}

// formType reports whether a body of contentType can be a form; none at all is taken for one.
func formType(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.TrimSpace(media)
	return media == "" || strings.EqualFold(media, "application/x-www-form-urlencoded")
}

// enter takes over the place that the connection was given when it was accepted, or takes one.
func enter(r *http.Request, place *bound, start time.Time) error {
	if c, ok := r.Context().Value(connKey{}).(*conn); ok {
		c.unread.remove(c)
		if given := c.place.Swap(nil); given == place {
			return nil
		} else if given != nil {
			given.leave()
		}
	}
	return place.enter(start)
}

// fillInTurn waits for a turn where one is needed, and keeps it until the document is there; not until it is sent, since
// the caller may be slow to read.
func (s *Server) fillInTurn(ctx context.Context, place *bound, x *exchange) error {
	if place.takeTurn(ctx) {
		defer place.endTurn()
	}
	// Who waited in vain is let in with its time over: the database is not asked any more, but local rows may still answer.
	return s.fill(ctx, x.document, x.request)
}

// fill runs the handler; its panic is this request's fault only.
func (s *Server) fill(ctx context.Context, d *Document, r *Request) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return d.fill(ctx, s.handler, r)
}

// staleHeader stands with an answer that is not today's, and says how old it may be, in seconds.
const staleHeader = "X-Xmlcurld-Stale"

var (
	xmlType   = []string{"text/xml; charset=UTF-8"}
	plainType = []string{"text/plain; charset=UTF-8"}
	challenge = []string{`Basic realm="xmlcurld", charset="UTF-8"`}
)

// reply sends the answer. A write that fails means that the caller is gone, and there is nobody to tell.
func (x *exchange) reply(w http.ResponseWriter) {
	verdict, header := &verdicts[x.outcome], w.Header()
	header["Date"] = nil // nobody reads it
	header["Content-Type"] = plainType
	if verdict.status == http.StatusOK {
		header["Content-Type"] = xmlType
	}
	if x.outcome == unauthorized {
		header["Www-Authenticate"] = challenge
	}
	body := []byte(verdict.body)
	if x.outcome == found || x.outcome == overLimit {
		body = x.document.out
	}
	if x.document != nil && x.document.stale {
		header[staleHeader] = []string{strconv.Itoa(int(x.document.age.Seconds()))}
	}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(verdict.status)
	x.sent, _ = w.Write(body)
}

// What a pooled buffer may keep, in bytes: a rare big request or answer must not stay in memory for ever.
const (
	keptForm     = 64 << 10
	keptDocument = 256 << 10
)

var (
	forms     = sync.Pool{New: func() any { return new(formBuffer) }}
	documents = sync.Pool{New: func() any { return new(Document) }}
)

// release takes back what the handler may have kept against the rules: it then holds an empty request, not somebody
// else's.
func (x *exchange) release() {
	x.request.form = nil
	if cap(x.document.out) <= keptDocument {
		x.document.reset()
		documents.Put(x.document)
	}
}

// formBuffer is memory for one form. It grows with what arrives, not with what is announced.
type formBuffer struct{ bytes []byte }

func (f *formBuffer) release() {
	if cap(f.bytes) <= keptForm {
		f.bytes = f.bytes[:0]
		forms.Put(f)
	}
}

func (f *formBuffer) query(query string, limit int64) error {
	if int64(len(query)) > limit {
		return errBodyTooLarge
	}
	f.bytes = append(f.bytes, query...)
	return nil
}

func (f *formBuffer) body(r *http.Request, limit int64) error {
	if r.ContentLength > limit {
		return errBodyTooLarge
	}
	for {
		if len(f.bytes) == cap(f.bytes) {
			f.bytes = slices.Grow(f.bytes, max(1024, len(f.bytes)))
		}
		end := min(int64(cap(f.bytes)), limit+1)
		n, err := r.Body.Read(f.bytes[len(f.bytes):end])
		f.bytes = f.bytes[:len(f.bytes)+n]
		switch {
		case int64(len(f.bytes)) > limit:
			return errBodyTooLarge
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", errBodyBroken, err)
		}
	}
}
