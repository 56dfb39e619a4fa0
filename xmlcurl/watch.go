package xmlcurl

import "time"

// Exchange is one request and its answer, for whoever watches. Request, Form and Answer may not be used after the
// watcher has returned. A request that is not for the one path, or whose sender showed no credentials, was never read.
type Exchange struct {
	Began       time.Time
	Took        time.Duration // from the request's header to the answer's last byte
	Request     *Request      // nil when none was read
	Form        []byte        // what Request was read from
	Claimed     string        // the other node that an authenticated node says it is
	Kind        string        // finer than the section, from a closed set; "" when no handler was asked
	Result      string        // as in the metrics
	Status      int           // of HTTP
	Err         error         // why it was not found
	Stale       bool          // the answer is what was right Age ago, because of Cause
	Age         time.Duration
	Cause       error
	NodeUnknown bool    // the node has no row of its own
	Withheld    []error // what is left out of the answer, and why
	Answer      []byte  // the answer's body
}

// Watch has watcher called with every exchange once it is answered, by the goroutine that answered it. It replaces the one
// before; nil ends it.
func (s *Server) Watch(watcher func(*Exchange)) {
	if watcher == nil {
		s.watcher.Store(nil)
		return
	}
	s.watcher.Store(&watcher)
}

// tellWatcher costs one atomic load while nobody watches.
func (s *Server) tellWatcher(x *exchange, took time.Duration) {
	if watcher := s.watcher.Load(); watcher != nil {
		(*watcher)(x.watched(took))
	}
}

func (x *exchange) watched(took time.Duration) *Exchange {
	verdict := &verdicts[x.outcome]
	w := &Exchange{
		Began: time.Now().Add(-took), Took: took, Request: x.request, Claimed: x.claimed,
		Result: verdict.result, Status: verdict.status, Err: x.err, Answer: x.answer().Body,
	}
	if x.request != nil {
		w.Form = x.request.form
	}
	if d := x.document; d != nil {
		w.Kind, w.Stale, w.Age, w.Cause, w.NodeUnknown, w.Withheld = d.kind, d.stale, d.age, d.cause, d.nodeUnknown, d.withheld
	}
	return w
}
