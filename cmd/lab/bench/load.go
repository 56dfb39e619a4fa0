//go:build linux

package bench

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// load asks one server one kind of question, over and over.
type load struct {
	sizes    sizes
	request  template
	proof    template // stands in the right answer
	elements element
	length   int // of every answer's body, in bytes
	inFlight int

	callers []*caller
}

// element counts what a long answer must hold.
type element struct {
	tag   string
	count int
}

// sample is what a run measured.
type sample struct {
	answers    int
	took       time.Duration
	half, most time.Duration // median and 99th percentile of the time of one request
}

func (s sample) perSecond() float64 { return float64(s.answers) / s.took.Seconds() }

// open shares the connections out among as many callers as there are processors, so that no server waits for a caller
// while a processor is idle.
func (l *load) open(address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	callers := min(runtime.NumCPU(), l.inFlight)
	for n := range callers {
		c := &caller{load: l, next: n, step: callers, address: syscall.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}}
		if err := c.open(l.inFlight/callers + min(1, l.inFlight%callers)); err != nil {
			return err
		}
		l.callers = append(l.callers, c)
	}
	return nil
}

// run asks for as long as duration, and waits for the last answers. A wrong answer is an error.
func (l *load) run(duration time.Duration) (sample, error) {
	began := time.Now()
	errs := make([]error, len(l.callers))
	var callers sync.WaitGroup
	for i, c := range l.callers {
		callers.Go(func() { errs[i] = c.run(began.Add(duration)) })
	}
	callers.Wait()
	took := time.Since(began)
	var times []time.Duration
	for _, c := range l.callers {
		times = append(times, c.times...)
	}
	slices.Sort(times)
	if err := errors.Join(errs...); err != nil || len(times) == 0 {
		return sample{}, err
	}
	return sampleOf(times, took), nil
}

// sampleOf is what requests come to that took times, sorted, of which there is one at least.
func sampleOf(times []time.Duration, took time.Duration) sample {
	n := len(times)
	return sample{answers: n, took: took, half: times[n/2], most: times[n*99/100]}
}

// verify reports an answer that is not the right one.
func (l *load) verify(c *connection) error {
	body := c.answer[c.header:]
	switch {
	case len(body) != l.length:
		return fmt.Errorf("an answer is %d bytes long and not %d: %s", len(body), l.length, beginning(c.answer))
	case !bytes.Contains(body, c.proof.text):
		return fmt.Errorf("an answer does not hold %q: %s", c.proof.text, beginning(c.answer))
	case l.elements.tag != "" && bytes.Count(body, []byte(l.elements.tag)) != l.elements.count:
		return fmt.Errorf("an answer does not hold %d times %q", l.elements.count, l.elements.tag)
	}
	return nil
}

// beginning is as much of an answer as an error should show.
func beginning(answer []byte) string { return strconv.Quote(string(answer[:min(1000, len(answer))])) }
