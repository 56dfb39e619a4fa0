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

// transport is one HTTP request and the way back, by net/http or without it.
type transport interface {
	// BasicAuth returns the user and password of HTTP's Basic scheme, if they were sent.
	BasicAuth() (user, password string, sent bool)
	// form returns what is asked for. It may use the buffer for it.
	form(buffer *formBuffer, limit int64) ([]byte, error)
	// arrived is told that the request has arrived as a whole.
	arrived()
	// reply sends the answer, and returns how much of its body was taken. When that is less, the caller is gone, and there is
	// nobody to tell.
	reply(answer) (sent int)
}

// httpTransport is a request that net/http read.
type httpTransport struct {
	*http.Request
	w http.ResponseWriter
}

// exchange takes one request from its header to the last byte of the answer. Nothing is written before the whole answer
// is known, and memory for it is taken when the body is here, so that slow senders cost little.
func (s *Server) exchange(t transport) {
	start := time.Now()
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	// Whoever answers in another's place, when that took all of this, needs a little of the deadline, too.
	// That a caller has closed its side of the connection ends nothing. It may well be reading.
	ctx, cancel := context.WithTimeout(context.Background(), s.deadline-s.deadline/8)
	defer cancel()
	buffer := forms.Get().(*formBuffer)
	defer buffer.release()

	var x exchange
	if x.err = s.read(ctx, &x, buffer, t); x.err == nil {
		t.arrived()
		limiter := s.limiters.of(x.request)
		if x.err = limiter.acquire(start); x.err == nil {
			defer limiter.release()
			x.document = documents.Get().(*Document)
			defer x.release()
			x.err = limiter.work(ctx, func() error { return s.fill(ctx, x.document, x.request) })
		}
	}
	if x.outcome = outcomeOf(ctx, x.err); x.outcome == found && int64(len(x.document.out)) > s.answerLimit {
		x.outcome = overLimit
	}
	x.sent = t.reply(x.answer())
	s.account(ctx, &x, time.Since(start))
}

// read checks who is there, then reads and parses what is asked for. A node that showed who it is asks for itself, whatever
// it says.
func (s *Server) read(ctx context.Context, x *exchange, buffer *formBuffer, t transport) error {
	node, err := s.credentials.node(ctx, t)
	if err != nil {
		return err
	}
	form, err := t.form(buffer, s.bodyLimit)
	if err != nil {
		return err
	}
	if x.request, err = ParseRequest(form); err == nil && node != "" && x.request.Hostname != node {
		x.claimed, x.request.Hostname = x.request.Hostname, node
	}
	return err
}

// arrived implements transport.
func (t httpTransport) arrived() {
	if c, ok := t.Context().Value(connKey{}).(*conn); ok {
		c.all.arrived(c)
	}
}

// form reads the query of a GET, the body of a POST.
func (t httpTransport) form(buffer *formBuffer, limit int64) (_ []byte, err error) {
	switch {
	case t.Method == http.MethodGet:
		err = buffer.query(t.URL.RawQuery, limit)
	case !formType(t.Header.Get("Content-Type")):
		err = ErrNotForm
	default:
		err = buffer.body(t.Request, limit)
	}
	return buffer.bytes, err
}

// formType reports whether a body of contentType can be a form; none at all is taken for one.
func formType(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.TrimSpace(media)
	return media == "" || strings.EqualFold(media, "application/x-www-form-urlencoded")
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

// answer is what is sent back.
type answer struct {
	status      int
	contentType []string
	challenge   bool   // for user and password
	stale       string // how old it may be, in seconds; "": it is today's
	body        []byte
}

func (x *exchange) answer() answer {
	verdict := &verdicts[x.outcome]
	a := answer{status: verdict.status, contentType: plainType, challenge: x.outcome == unauthorized}
	if verdict.status == http.StatusOK {
		a.contentType = xmlType
	}
	if x.outcome == found || x.outcome == overLimit {
		a.body = x.document.out
	} else {
		a.body = []byte(verdict.body)
	}
	if x.document != nil && x.document.stale {
		a.stale = strconv.Itoa(int(x.document.age.Seconds()))
	}
	return a
}

// reply implements transport.
func (t httpTransport) reply(a answer) (sent int) {
	header := t.w.Header()
	header["Date"] = nil // nobody reads it
	header["Content-Type"] = a.contentType
	if a.challenge {
		header["Www-Authenticate"] = challenge
	}
	if a.stale != "" {
		header[staleHeader] = []string{a.stale}
	}
	header["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	t.w.WriteHeader(a.status)
	sent, _ = t.w.Write(a.body)
	return sent
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
