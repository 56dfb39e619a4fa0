package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

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
	l.tcp.Drain(t.Context())
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

// lateListener accepts nobody before accept is closed.
type lateListener struct {
	net.Listener
	accept chan struct{}
}

func (l lateListener) Accept() (net.Conn, error) {
	<-l.accept
	return l.Listener.Accept()
}
