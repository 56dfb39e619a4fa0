package eventsocket

import (
	"context"
	"fmt"
	"strings"
)

// CommandError is a reply that begins with -ERR or -USAGE, or would but for lines of +OK before: load and reload fail
// with "+OK Reloading XML" on the first line and -ERR on the second. The connection is as good as before.
//
// Two replies say less than they seem to: "-ERR name Command not found!" also stands for a command that is there and
// failed, "-ERR no reply" for an empty reply, as sofia_gateway_data gives for a variable that is not set and for a
// gateway that is not there.
type CommandError struct {
	Command string // the command with its arguments
	Reply   string // the whole reply, without blanks around it
}

func (e *CommandError) Error() string {
	return e.Command + ": " + e.Reply
}

// Reply is the switch's answer to one command of a Pipeline.
type Reply struct {
	Body string // as it came, mostly with a line end; many a failure is plain words: "Invalid Gateway!"
	Err  error  // nil or a *CommandError
}

// Pipeline sends all commands at once and returns their replies in the same order, before ctx is done: thousands cost one
// wait. FreeSWITCH runs them one after another. If one of them is ErrArgument none is sent. On any other error the
// replies are those that came before it, and any number of the commands after them may have been run as well.
func (c *Conn) Pipeline(ctx context.Context, commands ...Command) ([]Reply, error) {
	var lines strings.Builder
	for _, command := range commands {
		if err := command.Check(); err != nil {
			return nil, fmt.Errorf("event socket: %w", err)
		}
		lines.WriteString(command.line())
	}
	var replies []Reply
	err := c.during(ctx, func() (err error) {
		replies, err = c.exchange(lines.String(), commands)
		return err
	})
	return replies, err
}

// exchange writes and reads at the same time: a switch whose replies nobody takes would stop taking commands.
func (c *Conn) exchange(lines string, commands []Command) ([]Reply, error) {
	if err := c.drain(); err != nil {
		return nil, err
	}
	written := make(chan error, 1)
	go func() {
		_, err := c.socket.Write([]byte(lines))
		written <- err
	}()
	replies, err := c.receive(commands)
	if err != nil {
		c.socket.Close() // ends the write
		return replies, err
	}
	if err := <-written; err != nil {
		return replies, fmt.Errorf("send commands: %w", ended(err))
	}
	return replies, nil
}

// drain reads what came after the former call's last reply. Another reply there would be taken for the reply to the
// next command.
func (c *Conn) drain() error {
	for c.reader.Buffered() > 0 {
		_, answer, err := c.read(bodyLimit)
		if err != nil {
			return err
		}
		if answer {
			return fmt.Errorf("a reply to nothing: %w", ErrProtocol)
		}
	}
	return nil
}

// receive reads one reply to each of commands.
func (c *Conn) receive(commands []Command) ([]Reply, error) {
	replies := make([]Reply, 0, len(commands))
	room := bodyLimit
	for _, command := range commands {
		f, err := c.readReply(room)
		if err != nil {
			return replies, fmt.Errorf("%s: %w", command[0], err)
		}
		room -= len(f.body)
		reply, err := replyOf(command, f)
		if err != nil {
			return replies, err
		}
		replies = append(replies, reply)
	}
	return replies, nil
}

// replyOf reads f as the reply to command. A command/reply is one only as a refusal: "-ERR permission denied".
func replyOf(command Command, f frame) (Reply, error) {
	body := f.body
	if f.kind == kindReply {
		body = f.text
	}
	if failed(body) {
		return Reply{Body: body, Err: &CommandError{Command: command.String(), Reply: strings.TrimSpace(body)}}, nil
	}
	if f.kind == kindReply {
		return Reply{}, fmt.Errorf("%s: a reply that is no api response: %w", command[0], ErrProtocol)
	}
	return Reply{Body: body}, nil
}

// failed reports whether body tells a failure in the way that most commands have. Some say first how reading the XML anew
// went.
func failed(body string) bool {
	for strings.HasPrefix(body, "+OK") || strings.HasPrefix(body, "Reload XML [") {
		_, body, _ = strings.Cut(body, "\n")
	}
	return strings.HasPrefix(body, "-ERR") || strings.HasPrefix(body, "-USAGE")
}
