package trace

import (
	"encoding/json"
	"io"
	"net"
	"sync"
	"time"

	"xmlcurld/internal/mask"
	"xmlcurld/xmlcurl"
)

const (
	// mostQueued is how many exchanges wait to be read, and mostQueuedBytes how large they may be together.
	mostQueued      = 256
	mostQueuedBytes = 2 << 20
	// lastTime is how long a client may take to read the last lines.
	lastTime = time.Second
)

// session is one client's trace.
type session struct {
	order  Order
	masker *mask.Masker
	more   chan struct{} // holds one when there is something to write

	mu     sync.Mutex
	queue  []*seen
	queued int // bytes
	lost   int
}

func newSession(order Order, random io.Reader) (*session, error) {
	masker, err := mask.New(random)
	return &session{order: order, masker: masker, more: make(chan struct{}, 1)}, err
}

// offer takes an exchange that fits the order, if there is room for it. Whoever answers calls it, so it never waits.
func (s *session) offer(x *xmlcurl.Exchange) {
	if !s.order.fits(x.Request) {
		return
	}
	if s.hasRoom() {
		s.put(see(x))
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// hasRoom reports whether an exchange more can wait, and counts it as lost if not.
func (s *session) hasRoom() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) < mostQueued && s.queued < mostQueuedBytes {
		return true
	}
	s.lost++
	return false
}

func (s *session) put(x *seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, x)
	s.queued += x.size()
}

func (s *session) take() (queue []*seen, lost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue, lost = s.queue, s.lost
	s.queue, s.queued, s.lost = nil, 0, 0
	return queue, lost
}

// run writes lines until over tells why there are no more, or the client is gone.
func (s *session) run(c net.Conn, until time.Time, over <-chan string) {
	if tell(c, &Line{Time: now(), Until: &until}) != nil {
		return
	}
	for {
		select {
		case <-s.more:
			if s.write(c, rest) != nil {
				return
			}
		case why := <-over:
			if s.write(c, func(time.Duration) {}) == nil {
				_ = tell(c, &Line{Time: now(), End: why})
			}
			return
		}
	}
}

// write writes what waits, and rests after each piece of work.
func (s *session) write(c net.Conn, rest func(time.Duration)) error {
	queue, lost := s.take()
	for _, x := range queue {
		began := time.Now()
		line := x.line(s.masker)
		rest(time.Since(began))
		if err := tell(c, &line); err != nil {
			return err
		}
	}
	if lost == 0 {
		return nil
	}
	return tell(c, &Line{Time: now(), Lost: lost})
}

// rest leaves four fifths of a processor, or more, to those who answer calls.
func rest(worked time.Duration) { time.Sleep(min(4*worked, 100*time.Millisecond)) }

func tell(w io.Writer, line *Line) error {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	return lines.Encode(line)
}

func now() time.Time { return time.Now().UTC() }
