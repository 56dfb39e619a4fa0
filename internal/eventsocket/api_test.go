package eventsocket

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAPI(t *testing.T) {
	t.Parallel()
	event := withBody("", "Event-Name: HEARTBEAT\n\n")
	long := strings.Repeat("gateway\n", 1<<20)
	for _, tc := range []struct {
		name, reply, want string
	}{
		{"plain", response("+OK\n"), "+OK\n"},
		{"two lines", response("+OK Reloading XML\n+OK\n"), "+OK Reloading XML\n+OK\n"},
		{"a list with a name like an error", response("Name\n-ERR\n"), "Name\n-ERR\n"},
		{"no line end", response("true"), "true"},
		{"empty", response(""), ""},
		{"8 MiB", response(long), long},
		{"a body that looks like a frame", response(response("x")), response("x")},
		{"carriage returns", "Content-Type: api/response\r\nContent-Length: 4\r\n\r\nyes\n", "yes\n"},
		{"names in other letters", "CONTENT-TYPE: api/response\ncontent-length: 4\n\nyes\n", "yes\n"},
		{"after events and log lines", withBody("Content-Type: log/data\nLog-File: a.c\n", "line\n") +
			event[:len("Content-Length: 23\n")] + "Content-Type: text/event-plain\n\nEvent-Name: HEARTBEAT\n\n" +
			withBody("Content-Type: text/event-json\n", "{}") + response("+OK\n"), "+OK\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, hear("api sofia status gateway\n\n"), say(tc.reply), hear("api status\n\n"), say(response("again")))
			got, err := ask(soon(t), c, "sofia", "status", "gateway")
			if err != nil || got != tc.want {
				t.Errorf("got %.80q %v", got, err)
			}
			if got, err := ask(soon(t), c, "status"); err != nil || got != "again" {
				t.Errorf("then got %.80q %v", got, err)
			}
		})
	}
}

func TestAPIRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, reply, want string }{
		{"unknown", response("-ERR nothing Command not found!\n"), "-ERR nothing Command not found!"},
		{"starting a gateway", response("Reload XML [Success]\n-ERR cannot add gateway g for profile p\n"),
			"Reload XML [Success]\n-ERR cannot add gateway g for profile p"},
		{"loading", response("+OK Reloading XML\n-ERR [no file]\n"), "+OK Reloading XML\n-ERR [no file]"},
		{"reloading", response("+OK Reloading XML\n+OK module unloaded\n-ERR loading\n"),
			"+OK Reloading XML\n+OK module unloaded\n-ERR loading"},
		{"usage", response("-USAGE: <name>\n"), "-USAGE: <name>"},
		{"not permitted", "Content-Type: command/reply\nReply-Text: -ERR permission denied\n\n", "-ERR permission denied"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, hear("api nothing x\n\n"), say(tc.reply), hear("api status\n\n"), say(response("again")))
			_, err := ask(soon(t), c, "nothing", "x")
			var refused *CommandError
			if !errors.As(err, &refused) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(&CommandError{Command: "nothing x", Reply: tc.want}, refused); diff != "" {
				t.Error(diff)
			}
			if got, err := ask(soon(t), c, "status"); err != nil || got != "again" {
				t.Errorf("then got %q %v", got, err)
			}
		})
	}
}

func TestAPIBreaks(t *testing.T) {
	t.Parallel()
	const api = "Content-Type: api/response\n"
	notice := withBody("Content-Type: text/disconnect-notice\n", goodbye)
	for _, tc := range []struct {
		name  string
		reply []step
		want  error
	}{
		{"closed", nil, ErrDisconnected},
		{"closed in the header", []step{say(api + "Content-Le")}, ErrDisconnected},
		{"closed in the body", []step{say(api + "Content-Length: 5\n\nfour")}, ErrDisconnected},
		{"closed in an event", []step{say("Content-Length: 9\nContent-Type: text/event-plain\n\nEvent")}, ErrDisconnected},
		{"disconnected with a notice", []step{say(notice), hold}, ErrDisconnected},
		{"no length", []step{say(api + "\n"), hold}, ErrProtocol},
		{"a negative length", []step{say(api + "Content-Length: -1\n\n"), hold}, ErrProtocol},
		{"a length with a sign", []step{say(api + "Content-Length: +1\n\n."), hold}, ErrProtocol},
		{"a length in words", []step{say(api + "Content-Length: five\n\n"), hold}, ErrProtocol},
		{"an empty length", []step{say(api + "Content-Length:\n\n"), hold}, ErrProtocol},
		{"a length over all numbers", []step{say(api + "Content-Length: 99999999999999999999\n\n"), hold}, ErrProtocol},
		{"a length over the limit", []step{say(api + "Content-Length: 67108865\n\n"), hold}, ErrProtocol},
		{"two lengths", []step{say(api + "Content-Length: 1\nContent-Length: 1\n\n."), hold}, ErrProtocol},
		{"two lengths, in other letters", []step{say(api + "Content-Length: 1\ncontent-length: 2\n\n."), hold}, ErrProtocol},
		{"another kind", []step{say(request), hold}, ErrProtocol},
		{"no kind", []step{say("Content-Length: 1\n\n."), hold}, ErrProtocol},
		{"a reply to another command", []step{say(accepted), hold}, ErrProtocol},
		{"an echo of the password", []step{say(auth), hold}, ErrProtocol},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, append([]step{hear("api status\n\n")}, tc.reply...)...)
			_, err := ask(soon(t), c, "status")
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			without(t, err)
			if _, err := ask(soon(t), c, "status"); !errors.Is(err, ErrBroken) || errors.Is(err, tc.want) {
				t.Errorf("then got %v", err)
			}
		})
	}
}

func TestReplyToNothing(t *testing.T) {
	t.Parallel()
	c := dial(t, hear("api status\n\n"), say(response("one")+response("two")), hold)
	if got, err := ask(soon(t), c, "status"); err != nil || got != "one" {
		t.Fatalf("got %q %v", got, err)
	}
	if got, err := ask(soon(t), c, "version"); !errors.Is(err, ErrProtocol) {
		t.Errorf("got %q %v", got, err)
	}
}

func TestEventBetweenCalls(t *testing.T) {
	t.Parallel()
	event := withBody("Content-Type: text/event-plain\n", "Event-Name: HEARTBEAT\n\n")
	c := dial(t, hear("api status\n\n"), say(response("one")+event), hear("api version\n\n"), say(response("two")))
	if got, err := ask(soon(t), c, "status"); err != nil || got != "one" {
		t.Errorf("got %q %v", got, err)
	}
	if got, err := ask(soon(t), c, "version"); err != nil || got != "two" {
		t.Errorf("got %q %v", got, err)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	c := dial(t, hold)
	c.Close()
	if _, err := ask(soon(t), c, "status"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// answers hears n api commands, one after another, and says the last word of each back.
func answers(n int) step {
	return func(c net.Conn) error {
		for r := bufio.NewReader(c); n > 0; n-- {
			line, err := r.ReadString('\n')
			if err != nil {
				return err
			}
			if _, err := r.Discard(len("\n")); err != nil {
				return err
			}
			words := strings.Fields(line)
			if err := say(response(words[len(words)-1]))(c); err != nil {
				return err
			}
		}
		return nil
	}
}
