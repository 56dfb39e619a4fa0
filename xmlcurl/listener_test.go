package xmlcurl

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// sent is a request with form, as FreeSWITCH sends it.
func sent(form string) string {
	return fmt.Sprintf("POST /xml HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(form), form)
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
			c := &conn{unread: &f.unread}
			admitted := f.admit(c, func(to []byte) (int, error) { return copy(to, tc.sends), nil })
			if admitted == tc.refused || c.place.Load() != nil {
				t.Fatalf("admitted: %v, with a place: %v", admitted, c.place.Load() != nil)
			}
			want, counted := tc.sends, 0.0
			if tc.refused {
				want, counted = "", 1
			}
			if got := string(c.ahead.rest()); got != want {
				t.Errorf("%q is kept, want %q", got, want)
			}
			if got := f.results(t)["overloaded"]; got != counted {
				t.Errorf("%v counted, want %v", got, counted)
			}
		})
	}
}

// Requests that are about to be read count, too: of many that come at once, those for which there will be no room are
// refused when they are accepted.
func TestAdmitCountsWhoIsNotReadYet(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{MaxInFlight: 4})
	read := func(to []byte) (int, error) { return copy(to, sent("section=dialplan")), nil }
	for i, place := range []bool{false, false, true, true} {
		c := &conn{unread: &f.unread}
		if !f.admit(c, read) || (c.place.Load() != nil) != place {
			t.Errorf("connection %d has a place: %v", i, c.place.Load() != nil)
		}
		f.unread.add(c)
	}
}

// Who is turned away gets all of the answer, and then the end.
func TestTurnAway(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	file, err := accepted.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	socket, err := unix.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	_ = accepted.Close()
	turnAway(socket)
	if answer, err := io.ReadAll(c); err != nil || string(answer) != string(refusal) {
		t.Errorf("%q, %v", answer, err)
	}
}
