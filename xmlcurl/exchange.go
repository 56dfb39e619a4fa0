package xmlcurl

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"xmlcurld/internal/endpoint"
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

// panicError is a handler's panic.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

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
		t.Arrived()
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
	x.sent = t.Reply(x.answer())
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
	xmlHeader   = http.Header{"Content-Type": {"text/xml; charset=UTF-8"}}
	plainHeader = http.Header{"Content-Type": {"text/plain; charset=UTF-8"}}
	challenge   = http.Header{"Content-Type": plainHeader["Content-Type"], "Www-Authenticate": {`Basic realm="xmlcurld", charset="UTF-8"`}}
)

func (x *exchange) answer() endpoint.Answer {
	verdict := &verdicts[x.outcome]
	a := endpoint.Answer{Status: verdict.status, Header: plainHeader, Body: []byte(verdict.body)}
	switch {
	case verdict.status == http.StatusOK:
		a.Header = xmlHeader
	case x.outcome == unauthorized:
		a.Header = challenge
	}
	if x.outcome == found || x.outcome == overLimit {
		a.Body = x.document.out
	}
	if x.document != nil && x.document.stale {
		a.Header = maps.Clone(a.Header)
		a.Header[staleHeader] = []string{strconv.Itoa(int(x.document.age.Seconds()))}
	}
	return a
}

// What a pooled buffer may keep, in bytes: a rare big request or answer must not stay in memory for ever.
const (
	keptForm     = 64 << 10
	keptDocument = 256 << 10
)

var documents = sync.Pool{New: func() any { return new(Document) }}

// release takes back what the handler may have kept against the rules: it then holds an empty request, not somebody
// else's.
func (x *exchange) release() {
	x.request.form = nil
	if cap(x.document.out) <= keptDocument {
		x.document.reset()
		documents.Put(x.document)
	}
}
