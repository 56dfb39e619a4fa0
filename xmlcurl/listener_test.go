package xmlcurl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"xmlcurld/xmlcurl/accept"
)

// sent is a request with form, as FreeSWITCH sends it.
func sent(form string) string {
	return fmt.Sprintf("POST /xml HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(form), form)
}

// accepted is a connection that was accepted after sends was sent on it.
func accepted(t *testing.T, f *fixture, sends string) (*conn, net.Conn) {
	t.Helper()
	l, err := accept.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	caller, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = caller.Close() })
	if _, err := io.WriteString(caller, sends); err != nil {
		t.Fatal(err)
	}
	one, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = one.Close() })
	c := &conn{Conn: one.(*accept.Conn), unread: &f.unread}
	c.unread.add(c)
	return c, caller
}

// Where there is no room, a call is refused before it is read as HTTP, and counted. Whatever else was read is kept for
// whoever reads next.
func TestAdmitWhenFull(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, sends    string
		whole, refused bool
	}{
		{"a call", sent("hostname=a&section=dialplan&key_value="), true, true},
		{"a registration", sent("section=directory&user=1000&domain=a"), true, true},
		{"a document", sent("section=configuration&key_value=switch.conf"), true, false},
		{"half a call", sent("section=dialplan&key_value=")[:70], false, false},
		{"no form", sent("nothing"), true, false},
		{"TLS", "\x16\x03\x01\x02\x00", false, false},
		{"nothing yet", "", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(Options{MaxInFlight: 1})
			for range burst {
				if err := f.bounds.calls.enter(time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			c, caller := accepted(t, f, tc.sends)
			r, form := c.Request(t.Context())
			if whole := r != nil; whole != tc.whole {
				t.Fatalf("whole: %v", whole)
			}
			if !tc.whole {
				kept := make([]byte, len(tc.sends))
				if _, err := io.ReadFull(c, kept); err != nil || string(kept) != tc.sends {
					t.Errorf("%q is kept, want %q, %v", kept, tc.sends, err)
				}
				return
			}
			if admitted := f.admit(c, form); admitted == tc.refused || c.place.Load() != nil {
				t.Fatalf("admitted: %v, with a place: %v", admitted, c.place.Load() != nil)
			}
			if !tc.refused {
				return
			}
			if answer, err := io.ReadAll(caller); err != nil || string(answer) != string(refusal) {
				t.Errorf("%q, %v", answer, err)
			}
			if got := f.results(t)["overloaded"]; got != 1 {
				t.Errorf("%v counted, want 1", got)
			}
		})
	}
}

// Requests that are about to be read count, too: of many that come at once, those for which there will be no room are
// refused when they are accepted.
func TestAdmitCountsWhoIsNotReadYet(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{MaxInFlight: 4})
	for i, place := range []bool{false, false, true, true} {
		c, _ := accepted(t, f, sent("section=dialplan"))
		_, form := c.Request(t.Context())
		if !f.admit(c, form) || (c.place.Load() != nil) != place {
			t.Errorf("connection %d has a place: %v", i, c.place.Load() != nil)
		}
	}
}

// answeredAhead returns what f answers to requests that were all sent before they were accepted, and the channel on which
// those who answered wait for more, when the listener is closed.
func answeredAhead(t *testing.T, f *fixture, sends ...string) (answers []string, next <-chan ahead) {
	t.Helper()
	tcp, err := accept.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := f.AnswerAhead(f.Listen(tcp)).(*aheadListener)
	next = l.next
	var callers []net.Conn
	for _, one := range sends {
		caller, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = caller.Close() }()
		if _, err := io.WriteString(caller, one); err != nil {
			t.Fatal(err)
		}
		callers = append(callers, caller)
	}
	ended := make(chan error)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	for _, caller := range callers {
		answer, err := io.ReadAll(caller)
		if err != nil {
			t.Error(err)
		}
		answers = append(answers, string(answer))
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	return answers, next
}

// Whoever answers ahead is there as long as the listener, and no longer.
func TestAnswerAhead(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{})
	one := sent("section=dialplan")
	answers, next := answeredAhead(t, f, one, one, one)
	for _, answer := range answers {
		if !strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\n") {
			t.Errorf("%q", answer)
		}
	}
	if _, open := <-next; open {
		t.Error("whoever waits for a request is not told that none comes")
	}
}

// panics is an Authenticator with a fault.
type panics struct{}

func (panics) Authenticate(context.Context, string, string) (string, error) { panic("a fault") }

// A fault outside the handlers costs one connection, and is logged; others are answered.
func TestAnswerAheadSurvivesAFault(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{Nodes: panics{}})
	one := sent("section=dialplan")
	answers, _ := answeredAhead(t, f, strings.Replace(one, "Host: a", "Host: a\r\nAuthorization: Basic YTpi", 1), one)
	if answers[0] != "" || !strings.HasPrefix(answers[1], "HTTP/1.1 200 OK\r\n") {
		t.Errorf("%q", answers)
	}
	if got := f.log.String(); strings.Count(got, "an answer broke off") != 1 {
		t.Errorf("logged: %s", got)
	}
	if n := f.unread.open(); n != 0 {
		t.Errorf("%d connections are open", n)
	}
}
