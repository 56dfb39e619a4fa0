//go:build linux

package load

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sources are as many addresses of our own that connections come from in turn. The side that closes keeps a port for a
// minute: those of one address would not last for two seconds.
const sources = 250

// atOnce is how many requests are begun before answers are read again: what waits for us would seem to wait for the server.
const atOnce = 8

// caller is a thread that keeps its share of a load's connections under way. It makes its system calls itself, without
// a goroutine for each connection: what that would cost would be taken from the servers.
type caller struct {
	load        *Load
	address     syscall.SockaddrInet4 // package syscall writes into it
	epoll       int
	connections []connection
	idle        []int         // of them
	pace        time.Duration // from one request to the next; 0: as fast as they are answered
	due         time.Time     // the next
	now         *atomic.Int32 // which part runs
	ended       time.Time     // when it began to wait for the last answers
	outcomes    []Outcome     // of the parts
}

func (c *caller) open(inFlight int) (err error) {
	if c.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for i := range inFlight {
		c.connections = append(c.connections, connection{request: c.load.request.clone(), proof: c.load.proof.clone(), refusable: c.load.Refusable})
		c.idle = append(c.idle, i)
	}
	return nil
}

// run asks from began on until over is closed, and waits for the last answers.
func (c *caller) run(began time.Time, over <-chan struct{}) error {
	runtime.LockOSThread() // the thread ends with the goroutine, since it stays locked
	if err := yieldBy(c.load.Nice); err != nil {
		return err
	}
	c.due = began
	events := make([]syscall.EpollEvent, 256)
	for c.ended.IsZero() || len(c.idle) < len(c.connections) {
		if c.ended.IsZero() && closed(over) {
			c.ended = time.Now()
		}
		wait := 1 // ms, which is the least
		if c.ended.IsZero() {
			more, err := c.beginDue()
			if err != nil {
				return err
			}
			if more {
				wait = 0
			}
		}
		if err := c.advanceSome(events, wait); err != nil {
			return err
		}
		if !c.ended.IsZero() && time.Since(c.ended) > Patience {
			return fmt.Errorf("no answer within %v", Patience)
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

// yieldBy makes this thread so much nicer than it is.
func yieldBy(nice int) error {
	if nice == 0 {
		return nil
	}
	priority, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // of this thread: 20 less what it is called elsewhere
	if err == nil {
		err = unix.Setpriority(unix.PRIO_PROCESS, 0, 20-priority+nice)
	}
	if err != nil {
		return fmt.Errorf("be nice: %w", err)
	}
	return nil
}

// beginDue begins some of the requests that are due, and reports whether there are more.
func (c *caller) beginDue() (more bool, err error) {
	now := time.Now()
	for begun := 0; c.due.Before(now); c.due = c.due.Add(c.pace) {
		switch {
		case len(c.idle) == 0 && c.pace == 0:
			return false, nil
		case len(c.idle) == 0:
			c.outcomes[c.now.Load()].Skipped++
			continue
		case begun == atOnce:
			return true, nil
		}
		if err := c.begin(); err != nil {
			return false, err
		}
		begun++
	}
	return false, nil
}

// begin begins a request on an idle connection.
func (c *caller) begin() error {
	last := len(c.idle) - 1
	i := c.idle[last]
	c.idle = c.idle[:last]
	n := int(c.load.begun.Add(1) - 1)
	on := &c.connections[i]
	on.prepare(pick(c.load.sizes, n))
	on.part = int(c.now.Load())
	on.began = time.Now()
	if err := on.connect(&syscall.SockaddrInet4{Addr: [4]byte{127, 0, 1, byte(1 + n%sources)}}, &c.address); err != nil {
		return err
	}
	if err := on.send(); err != nil { // on loopback the connection is there by now
		return err
	}
	return c.watch(i, syscall.EPOLL_CTL_ADD)
}

// watch wants to know of an answer on connection i, and until the request is sent of room for the rest of it.
func (c *caller) watch(i, operation int) error {
	on := &c.connections[i]
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}
	if !on.isSent() {
		event.Events |= syscall.EPOLLOUT
	}
	if err := syscall.EpollCtl(c.epoll, operation, on.socket, &event); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// advanceSome goes on with the connections on which something came; for that it waits so many ms.
func (c *caller) advanceSome(events []syscall.EpollEvent, wait int) error {
	n, err := waitRaw(c.epoll, events, wait)
	if err != nil && !errors.Is(err, syscall.EINTR) {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, event := range events[:n] {
		if err := c.advance(int(event.Fd)); err != nil {
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

// advance goes on with connection i, and counts its answer when that is here.
func (c *caller) advance(i int) error {
	on := &c.connections[i]
	if on.isClosed() {
		return nil
	}
	if !on.isSent() {
		if err := on.send(); err != nil || !on.isSent() {
			return err
		}
		return c.watch(i, syscall.EPOLL_CTL_MOD)
	}
	done, err := on.receive()
	if err != nil || !done {
		return err
	}
	took := time.Since(on.began)
	c.idle = append(c.idle, i)
	if err := on.close(); err != nil {
		return err
	}
	o := &c.outcomes[on.part]
	if on.refused {
		o.Refused = append(o.Refused, took)
		return nil
	}
	o.Answered = append(o.Answered, took)
	if err := c.load.verify(on); err != nil || c.pace > 0 || !c.ended.IsZero() {
		return err
	}
	return c.begin()
}
