package reconcile_test

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// listener speaks like an event socket that takes no password, and keeps those that it was told.
type listener struct {
	net.Listener
	mu   sync.Mutex
	told []string
}

func newListener(t *testing.T) *listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	own := &listener{Listener: l}
	go own.serve()
	return own
}

func (l *listener) serve() {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		fmt.Fprint(conn, "Content-Type: auth/request\n\n")
		line, _ := bufio.NewReader(conn).ReadString('\n')
		if password, ok := strings.CutPrefix(strings.TrimSpace(line), "auth "); ok {
			l.mu.Lock()
			l.told = append(l.told, password)
			l.mu.Unlock()
		}
		fmt.Fprint(conn, "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n")
		_ = conn.Close()
	}
}

func (l *listener) passwords() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(l.told)))
}

// A password is told to nobody but whom it is for: an address that a row has by mistake, or that somebody else has now, does
// not learn what the switch took elsewhere.
func TestPasswordsStayAtTheirAddresses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.sql(t, `UPDATE node SET event_socket_password = 'first' WHERE name = 'fs1'`)
	s.Boot()
	stop := r.keep(t, "one")
	r.inSync(t)
	stop()
	elsewhere := newListener(t)
	r.sql(t, `UPDATE node SET event_socket_address = $1, event_socket_password = 'second' WHERE name = 'fs1'`, elsewhere.Addr().String())
	r.keep(t, "two")
	eventually(t, "the address of the row is tried", func() error {
		if len(elsewhere.passwords()) == 0 {
			return fmt.Errorf("nobody came")
		}
		return nil
	})
	r.edit(t, carrier) // the switch is still found where it was
	if got, want := elsewhere.passwords(), []string{"second"}; !slices.Equal(got, want) {
		t.Errorf("it was told %q, want %q", got, want)
	}
}
