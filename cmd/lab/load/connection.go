//go:build linux

package load

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// IP_BIND_ADDRESS_NO_PORT: the port is chosen at connect, when the other end is known too.
const bindAddressNoPort = 24

// connection is one request under way. Its memory is kept for the next.
type connection struct {
	socket         int
	began          time.Time
	part           int // of a run, in which it was asked
	request, proof template
	sent           int
	answer         []byte
	header, whole  int  // length of the answer's header, and of the answer with it; 0 until the header is here
	refusable      bool // a 503 is an answer, too
	refused        bool // and here it is
}

func (c *connection) prepare(v [values]int) {
	c.request.fill(v)
	c.proof.fill(v)
	c.sent, c.header, c.whole, c.answer, c.refused = 0, 0, 0, c.answer[:0], false
}

func (c *connection) connect(source, to *syscall.SockaddrInet4) (err error) {
	c.socket, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	if err := syscall.SetsockoptInt(c.socket, syscall.IPPROTO_IP, bindAddressNoPort, 1); err != nil {
		return fmt.Errorf("bind without a port: %w", err)
	}
	if err := syscall.Bind(c.socket, source); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := syscall.Connect(c.socket, to); err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

// noSocket is the socket of a connection that was closed.
const noSocket = -1

// isClosed reports whether there is nothing more to come. Epoll may tell of a connection once more after it was closed: when a
// child that was being started had it too, between fork and exec.
func (c *connection) isClosed() bool { return c.socket == noSocket }

func (c *connection) close() error {
	if err := syscall.Close(c.socket); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	c.socket = noSocket
	return nil
}

func (c *connection) isSent() bool { return c.sent == len(c.request.text) }

// send sends as much of the request as goes.
func (c *connection) send() error {
	n, err := syscall.Write(c.socket, c.request.text[c.sent:])
	if errors.Is(err, syscall.EAGAIN) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	c.sent += n
	return nil
}

// receive reads what is there, and says whether that is all.
func (c *connection) receive() (done bool, err error) {
	for {
		if len(c.answer) == cap(c.answer) {
			c.answer = slices.Grow(c.answer, max(4096, len(c.answer)))
		}
		n, err := syscall.Read(c.socket, c.answer[len(c.answer):cap(c.answer)])
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("receive: %w", err)
		case n == 0:
			return false, fmt.Errorf("the server closed after %s", beginning(c.answer))
		}
		c.answer = c.answer[:len(c.answer)+n]
		if c.whole == 0 {
			if err := c.readHeader(); err != nil {
				return false, err
			}
		}
		if c.whole != 0 && len(c.answer) >= c.whole {
			return true, nil
		}
	}
}

var (
	okLine        = []byte("HTTP/1.1 200 ")
	refusedLine   = []byte("HTTP/1.1 503 ")
	contentLength = []byte("\r\nContent-Length: ")
	lineEnd       = []byte("\r\n")
	headerEnd     = []byte("\r\n\r\n")
)

// readHeader learns from the header, once it is complete, how long the answer is.
func (c *connection) readHeader() error {
	end := bytes.Index(c.answer, headerEnd)
	if end < 0 {
		return nil
	}
	header := c.answer[:end+len(lineEnd)]
	at := bytes.Index(header, contentLength)
	c.refused = c.refusable && bytes.HasPrefix(header, refusedLine)
	if !bytes.HasPrefix(header, okLine) && !c.refused || at < 0 {
		return fmt.Errorf("answered with %s", beginning(c.answer))
	}
	digits, _, _ := bytes.Cut(header[at+len(contentLength):], lineEnd)
	length, err := strconv.Atoi(string(digits))
	c.header = end + len(headerEnd)
	c.whole = c.header + length
	return err
}
