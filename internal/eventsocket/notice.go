package eventsocket

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// Notice is what the switch says unasked: an event, or a line of its log.
type Notice struct {
	Event  string            // its name, such as MODULE_LOAD; empty: it is a line of the log
	Header map[string]string // of an event its fields, of a log line Log-Func and its like; the names are lower-cased
	Line   string            // of the log
}

// Hear has f called with each notice that comes along with a reply, in order, by the goroutine that asked for the reply. It
// must not ask the Conn anything. It is to be called before the Conn is shared.
func (c *Conn) Hear(f func(Notice)) { c.heard = f }

func (c *Conn) tell(f frame) {
	switch {
	case c.heard == nil:
	case f.kind == kindLog:
		c.heard(Notice{Header: f.header, Line: strings.TrimSpace(f.body)})
	case f.kind == kindEvent:
		fields := make(map[string]string)
		for line := range strings.Lines(f.body) {
			name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
			if !ok {
				continue
			}
			value = strings.TrimSpace(value)
			if plain, err := url.PathUnescape(value); err == nil {
				value = plain
			}
			fields[strings.ToLower(name)] = value
		}
		if name := fields["event-name"]; name != "" {
			c.heard(Notice{Event: name, Header: fields})
		}
	}
}

// Subscribe asks for events of some names. They come as notices along with the replies to later calls.
func (c *Conn) Subscribe(ctx context.Context, events ...string) error {
	return c.say(ctx, "event plain "+strings.Join(events, " "))
}

// LogErrors turns the lines of the switch's log on, from errors on up, or off. They come as notices along with the replies
// to later calls; a line that a command causes may come after the command's reply.
func (c *Conn) LogErrors(ctx context.Context, on bool) error {
	if on {
		return c.say(ctx, "log err")
	}
	return c.say(ctx, "nolog")
}

// say sends a command of the event socket itself and wants it taken.
func (c *Conn) say(ctx context.Context, line string) error {
	if strings.ContainsAny(line, "\r\n\x00") {
		return fmt.Errorf("event socket: %w", ErrArgument)
	}
	word, _, _ := strings.Cut(line, " ")
	return c.during(ctx, func() error {
		if err := c.drain(); err != nil {
			return err
		}
		reply, err := c.request(line)
		if err == nil && !strings.HasPrefix(reply, "+OK") {
			err = ErrProtocol
		}
		if err != nil {
			return fmt.Errorf("%s: %w", word, err)
		}
		return nil
	})
}

// request sends a command of the event socket itself and returns the text of the reply.
func (c *Conn) request(line string) (string, error) {
	if _, err := c.socket.Write([]byte(line + "\n\n")); err != nil {
		return "", ended(err)
	}
	f, err := c.readReply(greetingLimit)
	if err == nil && f.kind != kindReply {
		err = ErrProtocol
	}
	return f.text, err
}
