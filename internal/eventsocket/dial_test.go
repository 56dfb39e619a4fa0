package eventsocket

import (
	"errors"
	"net"
	"strings"
	"testing"
)

func TestDial(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		steps []step
		want  error
	}{
		{"accepted", greeted(hold), nil},
		{"accepted, after noise", []step{
			say(request), hear(auth), say(withBody("Content-Type: log/data\nLog-Level: 7\n", "line\n") + accepted), hold,
		}, nil},
		{"wrong password", []step{
			say(request), hear(auth), say("Content-Type: command/reply\nReply-Text: -ERR invalid\n\n"),
			say(withBody("Content-Type: text/disconnect-notice\n", goodbye)),
		}, ErrPassword},
		{"not allowed by the acl", []step{
			say(withBody("Content-Type: text/rude-rejection\n", "Access Denied, go away.\n")), hold,
		}, ErrRejected},
		{"closed at once", nil, ErrDisconnected},
		{"half a header", []step{say("Content-Type: auth/req")}, ErrDisconnected},
		{"a header without its empty line", []step{say("Content-Type: auth/request\n")}, ErrDisconnected},
		{"a header that never ends", []step{say(strings.Repeat("x: y\n", headerLimit)), hold}, ErrProtocol},
		{"different headers without end", []step{say(manyHeaders()), hold}, ErrProtocol},
		{"a line that never ends", []step{say("x: " + strings.Repeat("y", headerLimit)), hold}, ErrProtocol},
		{"ssh", []step{say("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), hold}, ErrProtocol},
		{"smtp", []step{say("220 mail.example.net: ESMTP\r\n"), hold}, ErrProtocol},
		{"http", []step{say("HTTP/1.1 408 Request Timeout\r\nContent-Type: text/html\r\n\r\n"), hold}, ErrProtocol},
		{"an empty line", []step{say("\n\n"), hold}, ErrProtocol},
		{"another frame than a banner", []step{say(accepted), hold}, ErrProtocol},
		{"a banner too long", []step{say("Content-Type: auth/request\nContent-Length: 4097\n\n"), hold}, ErrProtocol},
		{"disconnected instead of accepted", []step{
			say(request), hear(auth), say(withBody("Content-Type: text/disconnect-notice\n", goodbye)), hold,
		}, ErrDisconnected},
		{"closed instead of accepted", []step{say(request), hear(auth)}, ErrDisconnected},
		{"another reply than to a password", []step{say(request), hear(auth), say(response("+OK\n")), hold}, ErrProtocol},
		{"a reply without a word", []step{say(request), hear(auth), say("Content-Type: command/reply\n\n"), hold}, ErrProtocol},
		{"an echo", []step{say(request), hear(auth), say(auth), hold}, ErrProtocol},
		{"an echo in a reply", []step{
			say(request), hear(auth), say("Content-Type: command/reply\nReply-Text: -ERR " + auth), hold,
		}, ErrPassword},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, err := Dial(soon(t), serve(t, tc.steps...), password)
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			without(t, err)
			if err == nil {
				c.Close()
			}
		})
	}
}

// manyHeaders is a header over the limit, in short lines.
func manyHeaders() string {
	var b strings.Builder
	for name := "a"; b.Len() <= headerLimit; name += "a" {
		b.WriteString(name + ": b\n")
	}
	return b.String()
}

func TestDialShowsAForeignBanner(t *testing.T) {
	t.Parallel()
	_, err := Dial(soon(t), serve(t, say("SSH-2.0-OpenSSH_9.2p1\r\n"), hold), password)
	if err == nil || !strings.Contains(err.Error(), `"SSH-2.0-OpenSSH_9.2p1\r\n"`) {
		t.Errorf("got %v", err)
	}
}

func TestDialNobody(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	var network *net.OpError
	if _, err := Dial(soon(t), l.Addr().String(), password); !errors.As(err, &network) {
		t.Errorf("got %v", err)
	}
}

func TestDialPasswordThatCannotBeSent(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		password + "\n\napi shutdown",
		password + "\r",
		password + "\x00",
		strings.Repeat(password, lineLimit),
	} {
		_, err := Dial(soon(t), serve(t, say(request), hold), secret)
		if !errors.Is(err, ErrArgument) {
			t.Errorf("%.20q: got %v", secret, err)
		}
		without(t, err)
	}
}
