// Package eventsocket is a small client of FreeSWITCH's inbound event socket (mod_event_socket): it asks api commands
// and returns what the switch answers. What it is told unasked, events and log lines, it reads along with the replies.
//
// Replies carry no number; they belong to the commands by their order alone. So whatever goes wrong between the two
// ends, a missed deadline included, leaves a Conn broken for good: a late reply can never be taken for the next one.
package eventsocket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

var (
	// ErrRejected is Dial's error when the switch's apply-inbound-acl lists turn this host away.
	ErrRejected = errors.New("rejected by the switch's inbound acl")
	// ErrPassword is Dial's error when the switch does not take the password.
	ErrPassword = errors.New("wrong password")
	// ErrArgument is an argument, a command or a password that cannot be sent as it is. Nothing was sent.
	ErrArgument = errors.New("cannot be sent")
	// ErrProtocol is a peer that does not talk like an event socket.
	ErrProtocol = errors.New("not an event socket's words")
	// ErrDisconnected is a connection that the peer ended, with a notice or without.
	ErrDisconnected = errors.New("disconnected by the switch")
	// ErrBroken is the error of every call after one that has failed: dial again.
	ErrBroken = errors.New("connection is broken")
)

const (
	// greetingLimit bounds a body that comes before the password is taken, in bytes.
	greetingLimit = 4 << 10
	// bannerShown is how much of a foreign banner an error shows, in bytes.
	bannerShown = 40
)

// Conn is one authenticated connection. It is for one goroutine.
type Conn struct {
	socket net.Conn
	reader *bufio.Reader
	broken error        // why nothing can be asked any more
	heard  func(Notice) // nil: nobody wants to know
}

// Dial connects to address (host:port), reads the banner and authenticates, all before ctx is done. Its errors are
// ErrRejected, ErrPassword, ErrArgument (a password with a line end), ErrProtocol, ErrDisconnected, ctx's or the
// network's. None holds the password.
func Dial(ctx context.Context, address, password string) (*Conn, error) {
	socket, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("event socket: %w", err)
	}
	return open(ctx, socket, password)
}

// open makes a Conn of socket, which it closes on any error.
func open(ctx context.Context, socket net.Conn, password string) (*Conn, error) {
	c := &Conn{
		socket: socket,
		reader: bufio.NewReaderSize(socket, headerLimit),
	}
	if err := c.during(ctx, func() error { return c.authenticate(password) }); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the connection. A call that is under way fails.
func (c *Conn) Close() error {
	return c.socket.Close()
}

func (c *Conn) authenticate(password string) error {
	if err := c.banner(); err != nil {
		return err
	}
	if strings.ContainsAny(password, "\r\n\x00") || len(password) > lineLimit {
		return fmt.Errorf("password %w", ErrArgument)
	}
	reply, err := c.request("auth " + password)
	switch {
	case err != nil:
		return fmt.Errorf("authenticate: %w", err)
	case strings.HasPrefix(reply, "+OK"):
		return nil
	case strings.HasPrefix(reply, "-ERR"):
		return ErrPassword
	}
	return fmt.Errorf("authenticate: %w", ErrProtocol)
}

// banner reads what the switch says first. A foreign one is shown in the error, which is safe: the password, that a
// peer could say back, is not sent yet.
func (c *Conn) banner() error {
	if _, err := c.reader.Peek(1); err != nil {
		return fmt.Errorf("read banner: %w", ended(err))
	}
	start, _ := c.reader.Peek(min(c.reader.Buffered(), bannerShown))
	shown := string(start)
	f, err := readFrame(c.reader, greetingLimit)
	switch {
	case errors.Is(err, ErrProtocol):
		return fmt.Errorf("banner %q: %w", shown, err)
	case err != nil:
		return fmt.Errorf("read banner: %w", err)
	case f.kind == "text/rude-rejection":
		return ErrRejected
	case f.kind != "auth/request":
		return fmt.Errorf("banner %q: %w", shown, ErrProtocol)
	}
	return nil
}

// during runs f, which writes and reads. When ctx is done the socket is closed, which ends f at once
// whatever the peer does, be it a byte a second. Any error leaves c broken.
func (c *Conn) during(ctx context.Context, f func() error) error {
	if c.broken != nil {
		// Not wrapped: the deadline that a former call missed is not this call's.
		return fmt.Errorf("%w: %s", ErrBroken, c.broken.Error())
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.socket.Close() })
	err := f()
	if !stop() {
		err = overdue(ctx, err)
	}
	if err != nil {
		c.broken = err
		c.socket.Close()
		return fmt.Errorf("event socket %s: %w", c.socket.RemoteAddr(), err)
	}
	return nil
}

// overdue is ctx's error, with where it came upon the call: err, unless the call was just done.
func overdue(ctx context.Context, err error) error {
	if err == nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %s", ctx.Err(), err.Error())
}
