//go:build linux

package bench

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
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
	floods, err := s.runThrough(address, pass(duration))
	return floods[0], err
}

// runThrough asks without a pause while one part after the other runs, and waits for the last answers. What was asked in
// one part is that part's, whenever it is answered. A part that fails is the last.
func (s *stream) runThrough(address string, parts ...func() error) ([]flood, error) {
	floods := make([]flood, len(parts))
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return floods, err
	}
	// A pacer keeps its place on a processor when it waits for answers: there are others for the rest of the program.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + s.callers))
	pacers, now := make([]*pacer, s.callers), new(atomic.Int32)
	for n := range pacers {
		c := &caller{load: &s.load, next: n, step: s.callers, address: syscall.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}}
		if err := c.open(s.most / s.callers); err != nil {
			return floods, err
		}
		pacers[n] = &pacer{caller: c, nice: s.nice, pace: s.pace(), now: now, floods: make([]flood, len(parts))}
	}
	began, errs, over := time.Now(), make([]error, s.callers), make(chan struct{})
	var running sync.WaitGroup
	for i, p := range pacers {
		running.Go(func() { errs[i] = errors.Join(p.run(began, over), syscall.Close(p.epoll)) })
	}
	for i, part := range parts {
		now.Store(int32(i))
		began := time.Now()
		err := part()
		if floods[i].took = time.Since(began); err != nil {
			errs = append(errs, err)
			break
		}
	}
	waited := time.Now()
	close(over)
	running.Wait()
	floods[len(parts)-1].took += time.Since(waited)
	for i := range floods {
		for _, p := range pacers {
			floods[i].add(p.floods[i])
		}
		slices.Sort(floods[i].answered)
		slices.Sort(floods[i].refused)
	}
	return floods, errors.Join(errs...)
}

func (f *flood) add(other flood) {
	f.answered = append(f.answered, other.answered...)
	f.refused = append(f.refused, other.refused...)
	f.skipped += other.skipped
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
	pace   time.Duration // from one request to the next
	now    *atomic.Int32 // which part runs
	due    time.Time     // the next
	idle   []int         // connections
	floods []flood       // of the parts
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
			p.floods[p.now.Load()].skipped++
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
	p.connections[i].part = int(p.now.Load())
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

// waitRaw is syscall.EpollWait without a word to Go's scheduler, whose thread that looks for long system calls
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
	f := &p.floods[on.part]
	if on.refused {
		f.refused = append(f.refused, took)
		return nil
	}
	f.answered = append(f.answered, took)
	return p.load.verify(on)
}
