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
)

// stream asks one server at a steady pace, whether it keeps up or not, as switches full of callers do. What it is asked
// beyond its means it may refuse with a 503.
type stream struct {
	load       load
	perSecond  float64
	processors []int // that it asks from
}

// flood is what became of a stream.
type flood struct {
	answered, refused []time.Duration // how long each took
	skipped           int             // not asked, since too many were waiting already
	took              time.Duration
}

func (f flood) perSecond() float64 { return float64(len(f.answered)) / f.took.Seconds() }

// waitingLimit is how many requests of a stream may wait: more than the server lets in, and fewer than it has ports.
const waitingLimit = 4096

// run asks for as long as duration, and waits for the last answers.
func (s *stream) run(address string, duration time.Duration) (flood, error) {
	return s.runWhile(address, func() error { time.Sleep(duration); return nil })
}

// runWhile asks for as long as something else takes, and waits for the last answers.
func (s *stream) runWhile(address string, something func() error) (flood, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return flood{}, err
	}
	callers := len(s.processors)
	pacers := make([]*pacer, callers)
	for n := range pacers {
		c := &caller{load: &s.load, next: n, step: callers, address: syscall.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}}
		if err := c.open(waitingLimit / callers); err != nil {
			return flood{}, err
		}
		pacers[n] = &pacer{caller: c, pace: time.Duration(float64(callers) / s.perSecond * float64(time.Second))}
	}
	began, errs, over := time.Now(), make([]error, callers), make(chan struct{})
	var running sync.WaitGroup
	for i, p := range pacers {
		running.Go(func() { errs[i] = errors.Join(p.run(s.processors, began, over), syscall.Close(p.epoll)) })
	}
	errs = append(errs, something())
	close(over)
	running.Wait()
	all := flood{took: time.Since(began)}
	for _, p := range pacers {
		all.answered = append(all.answered, p.answered...)
		all.refused = append(all.refused, p.refused...)
		all.skipped += p.skipped
	}
	slices.Sort(all.answered)
	slices.Sort(all.refused)
	return all, errors.Join(errs...)
}

// pacer is a caller that asks by the clock and not by the answers.
type pacer struct {
	*caller
	pace time.Duration // from one request to the next
	idle []int         // connections
	flood
}

// run asks from began on until over is closed.
func (p *pacer) run(processors []int, began time.Time, over <-chan struct{}) error {
	runtime.LockOSThread()
	if err := stayOn(processors); err != nil { // the thread ends with the goroutine, since it stays locked
		return err
	}
	for i := range p.connections {
		p.connections[i].refusable = true
		p.idle = append(p.idle, i)
	}
	events, due := make([]syscall.EpollEvent, 256), began
	var ended time.Time
	for ended.IsZero() || p.underWay > 0 {
		if ended.IsZero() && closed(over) {
			ended = time.Now()
		}
		for now := time.Now(); due.Before(now) && ended.IsZero(); due = due.Add(p.pace) {
			if err := p.begin(); err != nil {
				return err
			}
		}
		n, err := syscall.EpollWait(p.epoll, events, 1)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("epoll: %w", err)
		}
		for _, event := range events[:max(n, 0)] {
			if err := p.settle(int(event.Fd)); err != nil {
				return err
			}
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

// begin asks on an idle connection, if there is one.
func (p *pacer) begin() error {
	last := len(p.idle) - 1
	if last < 0 {
		p.skipped++
		return nil
	}
	i := p.idle[last]
	p.idle = p.idle[:last]
	return p.ask(i)
}

// settle goes on with connection i, and counts its answer when that is here.
func (p *pacer) settle(i int) error {
	on := &p.connections[i]
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
	if err := syscall.Close(on.socket); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if on.refused {
		p.refused = append(p.refused, took)
		return nil
	}
	p.answered = append(p.answered, took)
	return p.load.verify(on)
}
