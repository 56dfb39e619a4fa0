package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"xmlcurld/xmlcurl"
)

// Whom the kernel connected before the listener is closed gets an answer, though nobody had accepted it yet and nothing of
// its request was there; whoever comes later is refused.
func TestClosedListenerLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	answers := xmlcurl.NewServer(xmlcurl.Options{Handler: xmlcurl.HandlerFunc(
		func(_ context.Context, _ *xmlcurl.Request, d *xmlcurl.Document) error {
			d.Empty("context")
			return nil
		})})
	// Nobody accepts while this lock is waited for.
	accept := make(chan struct{})
	late := func(l net.Listener) net.Listener { return lateListener{l, accept} }
	l, err := listen("XML", "127.0.0.1:0", answers, slog.New(slog.DiscardHandler), late, answers.Listen)
	if err != nil {
		t.Fatal(err)
	}
	var waiting []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", l.address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		waiting = append(waiting, c)
	}
	ended := make(chan error)
	go func() { ended <- l.close(t.Context()) }()
	close(accept)
	<-l.drainer.closed
	if c, err := net.Dial("tcp", l.address); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
	for i, c := range waiting {
		if _, err := io.WriteString(c, "POST /xml HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\nsection=dialplan"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("connection %d: %v %v", i, answer, err)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Sockets of those who are unwelcome are closed, of the others those are accepted that are not refused, in their order, and
// nobody is waited for.
func TestAcceptUnless(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := newDrainer(tcp.(*net.TCPListener))
	defer func() { _ = d.Close() }()
	refused := newRefused(prometheus.NewRegistry())
	l := networks{netip.MustParsePrefix("127.0.0.1/32")}.guard(d, slog.New(slog.DiscardHandler), refused).(xmlcurl.Refuser)
	dial := func(last byte) net.Conn {
		from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)}}
		c, err := from.DialContext(t.Context(), "tcp", tcp.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	dial(1)
	stranger := dial(2)
	dial(1)
	third := dial(1)
	seen := 0
	refuse := func(socket int) bool {
		if seen++; seen < 3 {
			_ = syscall.Close(socket)
		}
		return seen < 3
	}
	c, err := l.AcceptUnless(refuse)
	if err != nil || c == nil || c.RemoteAddr().String() != third.LocalAddr().String() {
		t.Fatalf("accepted %v, %v, want %v", c, err, third.LocalAddr())
	}
	_ = c.Close()
	if n, err := stranger.Read(make([]byte, 1)); n > 0 || err == nil || testutil.ToFloat64(refused) != 1 {
		t.Errorf("the stranger got %d bytes, %v; %v counted", n, err, testutil.ToFloat64(refused))
	}
	if c, err := l.AcceptUnless(refuse); c != nil || err != nil || seen != 3 {
		t.Errorf("when nobody waits: %v, %v; %d were seen", c, err, seen)
	}
}

// lateListener accepts nobody before accept is closed.
type lateListener struct {
	net.Listener
	accept chan struct{}
}

func (l lateListener) Accept() (net.Conn, error) {
	<-l.accept
	return l.Listener.Accept()
}
