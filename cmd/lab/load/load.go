//go:build linux

// Package load asks a server what FreeSWITCH asks, the way FreeSWITCH does, and counts what becomes of it.
//
// The requests are captured ones, each about another number, user or node, from all over a world. Each goes over a TCP
// connection of its own, which is closed when the whole answer has been read. Every answer is checked for its status, its
// length and what it must hold. The time of a request is from connect to its last byte.
package load

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"xmlcurld/cmd/lab/world"
)

// Patience is how long the last answers are waited for.
const Patience = 5 * time.Second

// WaitingLimit is how many requests of a load may wait: more than the server lets in, and fewer than it has ports.
const WaitingLimit = 4096

// Load asks one server one kind of question, over and over. One that runs again goes on with other numbers.
type Load struct {
	InFlight  int     // connections; what is due beyond is skipped
	PerSecond float64 // whether the server keeps up or not; 0: as fast as it answers
	Callers   int     // threads that ask; 0: one for each processor
	Nice      int     // of them, above that of the program
	Refusable bool    // a 503 is an answer, too
	Length    int     // of every answer's body, in bytes

	address  string
	sizes    world.Sizes
	request  template
	proof    template // stands in the right answer
	elements element
	begun    atomic.Int64 // requests
}

// element counts what a long answer must hold.
type element struct {
	tag   string
	count int
}

// Run asks for as long as duration, and waits for the last answers. A wrong answer is an error.
func (l *Load) Run(duration time.Duration) (Outcome, error) {
	outcomes, err := l.RunThrough(Pass(duration))
	return outcomes[0], err
}

// Pass is a part of a run in which nothing happens for so long.
func Pass(d time.Duration) func() error {
	return func() error { time.Sleep(d); return nil }
}

// RunThrough asks without a pause while one part after the other runs, and waits for the last answers. What was asked in
// one part is that part's, whenever it is answered. A part that fails is the last.
func (l *Load) RunThrough(parts ...func() error) ([]Outcome, error) {
	outcomes, now := make([]Outcome, len(parts)), new(atomic.Int32)
	callers, err := l.open(now, len(parts))
	if err != nil {
		return outcomes, err
	}
	// A caller keeps its place on a processor when it waits for answers: there are others for the rest of the program.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + len(callers)))
	began, errs, over := time.Now(), make([]error, len(callers)), make(chan struct{})
	var running sync.WaitGroup
	for i, c := range callers {
		running.Go(func() { errs[i] = errors.Join(c.run(began, over), syscall.Close(c.epoll)) })
	}
	for i, part := range parts {
		now.Store(int32(i))
		began := time.Now()
		err := part()
		if outcomes[i].Took = time.Since(began); err != nil {
			errs = append(errs, err)
			break
		}
	}
	waited := time.Now()
	close(over)
	running.Wait()
	outcomes[len(parts)-1].Took += time.Since(waited)
	for i := range outcomes {
		for _, c := range callers {
			outcomes[i].add(c.outcomes[i])
		}
		slices.Sort(outcomes[i].Answered)
		slices.Sort(outcomes[i].Refused)
	}
	return outcomes, errors.Join(errs...)
}

// open shares the connections out among the callers. There are as many as processors, unless somebody wants otherwise, so
// that no server waits for a caller while a processor is idle.
func (l *Load) open(now *atomic.Int32, parts int) ([]*caller, error) {
	to, err := netip.ParseAddrPort(l.address)
	if err != nil {
		return nil, err
	}
	count := l.Callers
	if count == 0 {
		count = min(runtime.NumCPU(), l.InFlight)
	}
	callers := make([]*caller, count)
	for i := range callers {
		c := &caller{load: l, now: now, outcomes: make([]Outcome, parts)}
		c.address = syscall.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}
		if l.PerSecond > 0 {
			c.pace = time.Duration(float64(count) / l.PerSecond * float64(time.Second))
		}
		if err := c.open(l.InFlight/count + min(1, l.InFlight%count)); err != nil {
			return nil, err
		}
		callers[i] = c
	}
	return callers, nil
}

// verify reports an answer that is not the right one.
func (l *Load) verify(c *connection) error {
	body := c.answer[c.header:]
	switch {
	case len(body) != l.Length:
		return fmt.Errorf("an answer is %d bytes long and not %d: %s", len(body), l.Length, beginning(c.answer))
	case !bytes.Contains(body, c.proof.text):
		return fmt.Errorf("an answer does not hold %q: %s", c.proof.text, beginning(c.answer))
	case l.elements.tag != "" && bytes.Count(body, []byte(l.elements.tag)) != l.elements.count:
		return fmt.Errorf("an answer does not hold %d times %q", l.elements.count, l.elements.tag)
	}
	return nil
}

// beginning is as much of an answer as an error should show.
func beginning(answer []byte) string { return strconv.Quote(string(answer[:min(1000, len(answer))])) }
