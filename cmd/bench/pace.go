package main

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// stream asks one server at a steady pace, whether it keeps up or not, as switches full of callers do. What it is asked
// beyond its means it may refuse with a 503.
type stream struct {
	load      load
	perSecond float64 // 0: as fast as it is answered
	most      int     // requests under way; what is due beyond is skipped
	callers   int     // threads
	nice      int     // of them, above that of the program
}

// flood is what became of a stream.
type flood struct {
	answered, refused []time.Duration // how long each took
	skipped           int             // not asked, since too many were waiting already
	took              time.Duration
}

func (f flood) perSecond() float64 { return float64(len(f.answered)) / f.took.Seconds() }
func (f flood) asked() int         { return len(f.answered) + len(f.refused) }

// waitingLimit is how many requests of a load may wait: more than the server lets in, and fewer than it has ports.
const waitingLimit = 4096

// run asks for as long as duration, and waits for the last answers.
func (s *stream) run(address string, duration time.Duration) (flood, error) {
	return s.runWhile(address, nil, func() error { time.Sleep(duration); return nil })
}

// runWhile asks for as long as something else takes, and waits for the last answers. It asks while lead runs before,
// if there is one, and what is asked then does not count.
func (s *stream) runWhile(address string, lead func(), something func() error) (flood, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return flood{}, err
	}
	// A pacer keeps its place on a processor when it waits for answers: there are others for the rest of the program.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + s.callers))
	pacers, counts := make([]*pacer, s.callers), make(chan struct{})
	for n := range pacers {
		c := &caller{load: &s.load, next: n, step: s.callers, address: syscall.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}}
		if err := c.open(s.most / s.callers); err != nil {
			return flood{}, err
		}
		pacers[n] = &pacer{caller: c, nice: s.nice, pace: s.pace(), counts: counts}
	}
	if lead == nil {
		close(counts)
	}
	began, errs, over := time.Now(), make([]error, s.callers), make(chan struct{})
	var running sync.WaitGroup
	for i, p := range pacers {
		running.Go(func() { errs[i] = errors.Join(p.run(began, over), syscall.Close(p.epoll)) })
	}
	if lead != nil {
		lead()
		close(counts)
	}
	counted := time.Now()
	errs = append(errs, something())
	close(over)
	running.Wait()
	all := flood{took: time.Since(counted)}
	for _, p := range pacers {
		all.answered = append(all.answered, p.answered...)
		all.refused = append(all.refused, p.refused...)
		all.skipped += p.skipped
	}
	slices.Sort(all.answered)
	slices.Sort(all.refused)
	return all, errors.Join(errs...)
}

// pace is the time from one request of a caller to its next.
func (s *stream) pace() time.Duration {
	if s.perSecond == 0 {
		return 0
	}
	return time.Duration(float64(s.callers) / s.perSecond * float64(time.Second))
}

// pacer is a caller that asks by the clock and not by the answers.
type pacer struct {
	*caller
	nice   int
	pace   time.Duration   // from one request to the next
	counts <-chan struct{} // closed: what is asked from now on
	due    time.Time       // the next
	idle   []int           // connections
	flood
}

// atOnce is how many requests are begun before answers are read again: what waits for us would seem to wait for the server.
const atOnce = 8

// run asks from began on until over is closed.
func (p *pacer) run(began time.Time, over <-chan struct{}) error {
	runtime.LockOSThread() // the thread ends with the goroutine, since it stays locked
	if err := yieldBy(p.nice); err != nil {
		return err
	}
	for i := range p.connections {
		p.connections[i].refusable = true
		p.idle = append(p.idle, i)
	}
	p.due = began
	events := make([]syscall.EpollEvent, 256)
	var ended time.Time
	for ended.IsZero() || p.underWay > 0 {
		if ended.IsZero() && closed(over) {
			ended = time.Now()
		}
		wait := 1 // ms, which is the least
		if ended.IsZero() {
			more, err := p.beginDue()
			if err != nil {
				return err
			}
			if more {
				wait = 0
			}
		}
		if err := p.settleSome(events, wait); err != nil {
			return err
		}
		if !ended.IsZero() && time.Since(ended) > patience {
			return fmt.Errorf("no answer within %v", patience)
		}
	}
	return nil
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// beginDue begins some of the requests that are due, and reports whether there are more.
func (p *pacer) beginDue() (more bool, err error) {
	now := time.Now()
	for begun := 0; p.due.Before(now); p.due = p.due.Add(p.pace) {
		switch {
		case len(p.idle) == 0 && p.pace == 0:
			return false, nil
		case len(p.idle) == 0:
			if closed(p.counts) {
				p.skipped++
			}
			continue
		case begun == atOnce:
			return true, nil
		}
		if err := p.begin(); err != nil {
			return false, err
		}
		begun++
	}
	return false, nil
}

// begin asks on an idle connection.
func (p *pacer) begin() error {
	last := len(p.idle) - 1
	i := p.idle[last]
	p.idle = p.idle[:last]
	p.connections[i].counts = closed(p.counts)
	return p.ask(i)
}

// settleSome goes on with the connections on which something came; for that it waits so many ms.
func (p *pacer) settleSome(events []syscall.EpollEvent, wait int) error {
	n, err := waitRaw(p.epoll, events, wait)
	if err != nil && !errors.Is(err, syscall.EINTR) {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, event := range events[:n] {
		if err := p.settle(int(event.Fd)); err != nil {
			return err
		}
	}
	return nil
}

// waitRaw is syscall.EpollWait without a word to Go's scheduler, as package socket does it: its thread that looks around
// took a sixth of the machine from those who are measured.
func waitRaw(epoll int, events []syscall.EpollEvent, ms int) (int, error) {
	n, _, fault := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epoll),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(ms), 0, 0)
	if fault != 0 {
		return 0, fault
	}
	return int(n), nil
}

// settle goes on with connection i, and counts its answer when that is here.
func (p *pacer) settle(i int) error {
	on := &p.connections[i]
	if on.isClosed() {
		return nil
	}
	if !on.isSent() {
		return p.sendRest(i)
	}
	done, err := on.receive()
	if err != nil || !done {
		return err
	}
	took := time.Since(on.began)
	p.underWay--
	p.idle = append(p.idle, i)
	if err := on.close(); err != nil {
		return err
	}
	switch {
	case !on.counts:
	case on.refused:
		p.refused = append(p.refused, took)
	default:
		p.answered = append(p.answered, took)
	}
	if on.refused {
		return nil
	}
	return p.load.verify(on)
}
