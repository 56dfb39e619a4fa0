package eventsocket

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

const (
	password = "ClueCon"
	request  = "Content-Type: auth/request\n\n"
	auth     = "auth ClueCon\n\n"
	accepted = "Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
	goodbye  = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
)

// step is one thing that a scripted peer does.
type step func(net.Conn) error

// greeted is the beginning of every script that comes to an api command.
func greeted(then ...step) []step {
	return append([]step{say(request), hear(auth), say(accepted)}, then...)
}

func say(text string) step {
	return func(c net.Conn) error {
		_, err := io.WriteString(c, text)
		return err
	}
}

func hear(text string) step {
	return func(c net.Conn) error {
		got := make([]byte, len(text))
		if _, err := io.ReadFull(c, got); err != nil {
			return fmt.Errorf("want %q: %w", text, err)
		}
		if string(got) != text {
			return fmt.Errorf("got %q, want %q", got, text)
		}
		return nil
	}
}

// hold keeps silent until the client closes.
func hold(c net.Conn) error {
	if n, _ := io.Copy(io.Discard, c); n > 0 {
		return fmt.Errorf("%d bytes more than wanted", n)
	}
	return nil
}

// drip says one byte a second, until the client closes. It is for the fake time of a bubble.
func drip(text string) step {
	return func(c net.Conn) error {
		for i := range text {
			time.Sleep(time.Second)
			if _, err := io.WriteString(c, text[i:i+1]); err != nil {
				break
			}
		}
		return hold(c)
	}
}

// response is the reply to an api command.
func response(body string) string {
	return withBody("Content-Type: api/response\n", body)
}

// withBody is a frame of header and body.
func withBody(header, body string) string {
	return fmt.Sprintf("%sContent-Length: %d\n\n%s", header, len(body), body)
}

// play does steps on c and closes it.
func play(t *testing.T, c net.Conn, steps []step) {
	defer c.Close()
	for i, s := range steps {
		if err := s(c); err != nil {
			t.Errorf("peer, step %d: %v", i, err)
			return
		}
	}
}

// serve plays steps to the first that connects to the address it returns.
func serve(t *testing.T, steps ...step) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		play(t, c, steps)
	}()
	t.Cleanup(func() {
		<-done
		l.Close()
	})
	return l.Addr().String()
}

// dial connects to a scripted peer, which must let it in.
func dial(t *testing.T, steps ...step) *Conn {
	t.Helper()
	c, err := Dial(soon(t), serve(t, greeted(steps...)...), password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// soon is a context that no test is meant to reach the end of.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// without fails if err shows the password.
func without(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), password) {
		t.Errorf("the error shows the password: %v", err)
	}
}

// ask runs one command.
func ask(ctx context.Context, c *Conn, command ...string) (string, error) {
	replies, err := c.Pipeline(ctx, command)
	if err != nil {
		return "", err
	}
	return replies[0].Body, replies[0].Err
}
