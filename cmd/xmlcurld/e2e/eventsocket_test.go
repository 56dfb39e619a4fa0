//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// eventSocket is a connection to mod_event_socket, whoever made it: we, to command the switch, or the switch, to have a
// call commanded.
type eventSocket struct {
	conn net.Conn
	in   *bufio.Reader
}

// message is what the switch says: a reply or an event.
type message struct {
	header map[string]string // decoded, names as FreeSWITCH writes them
	body   string
}

// dialEventSocket connects and proves that it knows the password. All that is done on the connection has to be over
// within limit.
func dialEventSocket(address, password string, limit time.Duration) (*eventSocket, error) {
	conn, err := net.DialTimeout("tcp", address, limit)
	if err != nil {
		return nil, err
	}
	s, err := newEventSocket(conn, limit)
	if err != nil {
		return nil, err
	}
	if _, err := s.receive(); err != nil { // auth/request
		s.close()
		return nil, err
	}
	if _, err := s.command("auth " + password); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func newEventSocket(conn net.Conn, limit time.Duration) (*eventSocket, error) {
	return &eventSocket{conn: conn, in: bufio.NewReader(conn)}, conn.SetDeadline(time.Now().Add(limit))
}

func (s *eventSocket) close() { _ = s.conn.Close() }

// command sends lines and returns the reply. Events that come in between are dropped.
func (s *eventSocket) command(lines ...string) (message, error) {
	if _, err := io.WriteString(s.conn, strings.Join(lines, "\n")+"\n\n"); err != nil {
		return message{}, err
	}
	m, err := s.await(func(m message) bool {
		kind := m.header["Content-Type"]
		return kind == "command/reply" || kind == "api/response"
	})
	if err != nil {
		return message{}, fmt.Errorf("%s: %w", lines[0], err)
	}
	if reply := m.header["Reply-Text"]; strings.HasPrefix(reply, "-ERR") {
		return message{}, fmt.Errorf("%s: %s", lines[0], reply)
	}
	return m, nil
}

// await returns the next message that is wanted.
func (s *eventSocket) await(wanted func(message) bool) (message, error) {
	for {
		m, err := s.receive()
		if err != nil || wanted(m) {
			return m, err
		}
	}
}

// receive reads one message. Of an event, which comes as the body of a message, it returns the inside.
func (s *eventSocket) receive() (message, error) {
	m, err := s.read()
	if err == nil && m.header["Content-Type"] == "text/event-plain" {
		inner := &eventSocket{in: bufio.NewReader(strings.NewReader(m.body))}
		return inner.read()
	}
	return m, err
}

func (s *eventSocket) read() (message, error) {
	m := message{header: map[string]string{}}
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			return m, err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ": ")
		if decoded, err := url.PathUnescape(value); err == nil {
			value = decoded
		}
		m.header[name] = value
	}
	length, _ := strconv.Atoi(m.header["Content-Length"])
	body := make([]byte, length)
	_, err := io.ReadFull(s.in, body)
	m.body = string(body)
	return m, err
}
