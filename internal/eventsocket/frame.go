package eventsocket

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

const (
	// headerLimit bounds one frame's header, in bytes. mod_event_socket writes none over 1,024.
	headerLimit = 8 << 10
	// bodyLimit bounds the bodies of one call's replies together, in bytes: what `sofia status gateway` says of 10,000
	// gateways is some MB.
	bodyLimit = 64 << 20
)

const (
	kindAPI   = "api/response" // the reply to an api command: a body
	kindLog   = "log/data"
	kindEvent = "text/event-plain"
	kindReply = "command/reply" // the reply to anything else, and to an api command that is not permitted: a Reply-Text
)

// frame is what mod_event_socket sends at once: a header, an empty line and as many bytes as the header announces.
type frame struct {
	kind   string // Content-Type
	text   string // Reply-Text
	body   string
	header map[string]string
}

// answers reports whether f answers a command. Events and log lines do not. A notice that the switch disconnects is ErrDisconnected, for it sends nothing after it.
func (f frame) answers() (bool, error) {
	switch {
	case f.kind == kindAPI, f.kind == kindReply:
		return true, nil
	case f.kind == kindLog, strings.HasPrefix(f.kind, "text/event-"):
		return false, nil
	case f.kind == "text/disconnect-notice":
		return false, ErrDisconnected
	}
	return false, fmt.Errorf("a frame of another kind: %w", ErrProtocol)
}

// readReply reads up to the next frame that answers a command.
func (c *Conn) readReply(limit int) (frame, error) {
	for {
		if f, answer, err := c.read(limit); answer || err != nil {
			return f, err
		}
	}
}

// read reads the next frame and reports whether it answers a command. If not, it is a notice, which it tells of.
func (c *Conn) read(limit int) (f frame, answer bool, err error) {
	if f, err = readFrame(c.reader, limit); err != nil {
		return frame{}, false, err
	}
	if answer, err = f.answers(); !answer && err == nil {
		c.tell(f)
	}
	return f, answer, err
}

// readFrame reads one frame whose body has at most limit bytes. Its errors never show what the peer says: that could be
// the password.
func readFrame(r *bufio.Reader, limit int) (frame, error) {
	header, err := readHeader(r)
	if err != nil {
		return frame{}, err
	}
	f := frame{kind: header["content-type"], text: header["reply-text"], header: header}
	length, ok := header["content-length"]
	if !ok {
		if f.kind == kindAPI {
			return frame{}, fmt.Errorf("an api response without length: %w", ErrProtocol)
		}
		return f, nil
	}
	n, err := strconv.ParseUint(length, 10, 32)
	if err != nil {
		return frame{}, fmt.Errorf("a length that is no number: %w", ErrProtocol)
	}
	if n > uint64(limit) {
		return frame{}, fmt.Errorf("a body over the limit: %w", ErrProtocol)
	}
	f.body, err = readBody(r, int64(n))
	return f, err
}

// bodyPiece is how much of a body is read, and copied, at a time. A slice that grows to megabytes is copied as a whole over
// and over, and as long as one copy takes Go can begin no collection: calls wait.
const bodyPiece = 256 << 10

// readBody reads n bytes. Memory grows with what arrives, not with what was announced.
func readBody(r *bufio.Reader, n int64) (string, error) {
	var pieces [][]byte
	for left := n; left > 0; left -= bodyPiece {
		piece := make([]byte, min(left, bodyPiece))
		if _, err := io.ReadFull(r, piece); err != nil {
			return "", fmt.Errorf("read body: %w", ended(err))
		}
		pieces = append(pieces, piece)
	}
	var body strings.Builder
	body.Grow(int(n))
	for _, piece := range pieces {
		body.Write(piece)
	}
	return body.String(), nil
}

// readHeader reads the lines up to an empty one. The names are lower-cased.
func readHeader(r *bufio.Reader) (map[string]string, error) {
	header := make(map[string]string)
	for size := 0; size <= headerLimit; {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read header: %w", ended(err))
		}
		size += len(line)
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" && len(header) > 0 {
			return header, nil
		}
		name, value, ok := strings.Cut(text, ":")
		name = strings.ToLower(name)
		if _, again := header[name]; !ok || again || !wordOf(name, "-_") {
			return nil, fmt.Errorf("a line that is no header: %w", ErrProtocol)
		}
		header[name] = strings.TrimSpace(value)
	}
	return nil, fmt.Errorf("a header over the limit: %w", ErrProtocol)
}

// ended is err, an end of the stream as whose doing it is: the peer's, or this program's own.
func ended(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrDisconnected
	case errors.Is(err, net.ErrClosed):
		return net.ErrClosed
	}
	return err
}
