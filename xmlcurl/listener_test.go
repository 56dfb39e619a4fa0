package xmlcurl

import (
	"fmt"
	"io"
	"net"
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
	return &conn{Conn: one.(*accept.Conn), unread: &f.unread}, caller
}

// Where there is no room, a call is refused before it is read as HTTP, and counted. Whatever else was read is kept for
// whoever reads next.
func TestAdmitWhenFull(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, sends string
		refused     bool
	}{
		{"a call", sent("hostname=a&section=dialplan&key_value="), true},
		{"a registration", sent("section=directory&user=1000&domain=a"), true},
		{"a document", sent("section=configuration&key_value=switch.conf"), false},
		{"half a call", sent("section=dialplan&key_value=")[:70], false},
		{"no form", sent("nothing"), false},
		{"TLS", "\x16\x03\x01\x02\x00", false},
		{"nothing yet", "", false},
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
			if admitted := f.admit(c); admitted == tc.refused || c.place.Load() != nil {
				t.Fatalf("admitted: %v, with a place: %v", admitted, c.place.Load() != nil)
			}
			if !tc.refused {
				if got := string(c.Ahead()); got != tc.sends {
					t.Errorf("%q is kept, want %q", got, tc.sends)
				}
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
		if !f.admit(c) || (c.place.Load() != nil) != place {
			t.Errorf("connection %d has a place: %v", i, c.place.Load() != nil)
		}
		f.unread.add(c)
	}
}
