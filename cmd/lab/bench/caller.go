//go:build linux

package bench

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// patience is how long all connections of a caller together may be silent.
const patience = 5 * time.Second

// IP_BIND_ADDRESS_NO_PORT: the port is chosen at connect, when the other end is known too.
const bindAddressNoPort = 24

// sources are as many addresses of our own that connections come from in turn. The side that closes keeps a port for a
// minute: those of one address would not last for two seconds.
const sources = 250

// caller is a thread that keeps its share of a load's connections under way. It makes its system calls itself, without
// a goroutine for each connection: what that would cost would be taken from the servers.
type caller struct {
	load        *load
	address     syscall.SockaddrInet4 // package syscall writes into it
	next, step  int                   // of the requests that it makes
	epoll       int
	connections []connection
	underWay    int
	times       []time.Duration // of the requests of one run
}

func (c *caller) open(inFlight int) (err error) {
	if c.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for range inFlight {
		c.connections = append(c.connections, connection{request: c.load.request.clone(), proof: c.load.proof.clone()})
	}
	return nil
}

// run asks on every connection, again and again until it is time to end.
func (c *caller) run(until time.Time) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c.times = c.times[:0]
	for i := range c.connections {
		if err := c.ask(i); err != nil {
			return err
		}
	}
	var events [64]syscall.EpollEvent
	for c.underWay > 0 {
		n, err := syscall.EpollWait(c.epoll, events[:], int(patience.Milliseconds()))
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("epoll: %w", err)
		case n == 0:
			return fmt.Errorf("no answer within %v", patience)
		}
		for _, event := range events[:n] {
			if err := c.advance(int(event.Fd), until); err != nil {
				return err
			}
		}
	}
	return nil
}

// ask begins a request on connection i.
func (c *caller) ask(i int) error {
	to := &c.connections[i]
	to.prepare(c.load.sizes.pick(c.next))
	source := syscall.SockaddrInet4{Addr: [4]byte{127, 0, 1, byte(1 + c.next%sources)}}
	c.next += c.step
	c.underWay++
	to.began = time.Now()
	if err := to.connect(&source, &c.address); err != nil {
		return err
	}
	if err := to.send(); err != nil { // on loopback the connection is there by now
		return err
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}
	if !to.isSent() {
		event.Events |= syscall.EPOLLOUT
	}
	if err := syscall.EpollCtl(c.epoll, syscall.EPOLL_CTL_ADD, to.socket, &event); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// advance goes on with connection i, and when that has its answer begins the next, unless it is time to end.
func (c *caller) advance(i int, until time.Time) error {
	on := &c.connections[i]
	if on.isClosed() {
		return nil
	}
	if !on.isSent() {
		return c.sendRest(i)
	}
	done, err := on.receive()
	if err != nil || !done {
		return err
	}
	now := time.Now()
	c.times = append(c.times, now.Sub(on.began))
	c.underWay--
	if err := on.close(); err != nil {
		return err
	}
	if err := c.load.verify(on); err != nil || now.After(until) {
		return err
	}
	return c.ask(i)
}

// sendRest sends what did not go at once.
func (c *caller) sendRest(i int) error {
	on := &c.connections[i]
	if err := on.send(); err != nil || !on.isSent() {
		return err
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}
	if err := syscall.EpollCtl(c.epoll, syscall.EPOLL_CTL_MOD, on.socket, &event); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}
