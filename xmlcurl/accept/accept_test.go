package accept

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/nettest"
	"golang.org/x/sys/unix"
)

func listen(t testing.TB) *Listener {
	t.Helper()
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// pair is a connection that sent something, if sent is not empty, and then was accepted.
func pair(t testing.TB, l *Listener, sent string) (caller *net.TCPConn, accepted *Conn) {
	t.Helper()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dialed.Close() })
	if _, err := io.WriteString(dialed, sent); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return dialed.(*net.TCPConn), c.(*Conn)
}

// A Conn behaves as a connection of package net does, whether something was read ahead or not.
func TestConn(t *testing.T) {
	t.Parallel()
	nettest.TestConn(t, func() (one, other net.Conn, stop func(), err error) {
		l, err := Listen(t.Context(), "127.0.0.1:0")
		if err != nil {
			return nil, nil, nil, err
		}
		if other, err = net.Dial("tcp", l.Addr().String()); err != nil {
			return nil, nil, nil, err
		}
		if one, err = l.Accept(); err != nil {
			return nil, nil, nil, err
		}
		return one, other, func() { _ = errors.Join(one.Close(), other.Close(), l.Close()) }, nil
	})
}

// What was sent first is read ahead, and read first; then comes what was sent later, and the end.
func TestReadAhead(t *testing.T) {
	t.Parallel()
	caller, c := pair(t, listen(t), "first ")
	if got := string(c.ahead); got != "first " {
		t.Errorf("ahead is %q", got)
	}
	if r, _ := c.Request(t.Context()); r != nil {
		t.Error("it is taken for a whole request")
	}
	if _, err := io.WriteString(caller, "later"); err != nil {
		t.Fatal(err)
	}
	if err := caller.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(c); err != nil || string(all) != "first later" {
		t.Errorf("%q, %v", all, err)
	}
}

// More than the kernel takes at once is written as it is read.
func TestWriteMuch(t *testing.T) {
	t.Parallel()
	caller, c := pair(t, listen(t), "all")
	c.last = true
	much := bytes.Repeat([]byte("0123456789"), 2<<20)
	written := make(chan error)
	go func() {
		_, err := c.Write(much)
		written <- errors.Join(err, c.Close())
	}()
	if all, err := io.ReadAll(caller); err != nil || !bytes.Equal(all, much) {
		t.Errorf("%d bytes arrived of %d, %v", len(all), len(much), err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// Who reads nothing does not hold up a writer for longer than the time that it set before.
func TestWriteToNobody(t *testing.T) {
	t.Parallel()
	_, c := pair(t, listen(t), "all")
	c.last = true
	full := make([]byte, 64<<20) // the kernel takes less
	if n, err := c.writeNow(full); n == 0 || n == len(full) || err != nil {
		t.Fatalf("%d bytes are taken at once, %v", n, err)
	}
	if err := c.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Write(full)
	var network net.Error
	if !errors.As(err, &network) || !network.Timeout() {
		t.Error(err)
	}
}

// Who is refused gets all of the answer, and then the end.
func TestRefuse(t *testing.T) {
	t.Parallel()
	caller, c := pair(t, listen(t), "all")
	c.Refuse([]byte("no"))
	if answer, err := io.ReadAll(caller); err != nil || string(answer) != "no" {
		t.Errorf("%q, %v", answer, err)
	}
}

// http.Server takes its connections for what it knows, whether a request comes at once or in parts.
func TestHTTP(t *testing.T) {
	t.Parallel()
	l := listen(t)
	server := &http.Server{ReadTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
		_, _ = io.WriteString(w, r.RemoteAddr)
	})}
	server.SetKeepAlivesEnabled(false)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	for _, size := range []int{0, 100, 10 << 10, 1 << 20} {
		body := strings.Repeat("x", size)
		answer, err := http.Post("http://"+l.Addr().String(), "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || !strings.HasPrefix(string(content), body+"127.0.0.1:") {
			t.Errorf("%d bytes: %d bytes came back, %v", size, len(content), err)
		}
	}
}

// Whom the kernel connected is accepted before a drained listener ends, and nobody after.
func TestDrain(t *testing.T) {
	t.Parallel()
	l := listen(t)
	const callers = 20
	for range callers {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	drained := make(chan struct{})
	go func() {
		l.Drain(t.Context())
		close(drained)
	}()
	for !l.draining.Load() {
		runtime.Gosched()
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("it still lets others in")
	} else if !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("others are not refused: %v", err)
	}
	accepted := 0
	for {
		c, err := l.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
			break
		}
		accepted++
		_ = c.Close()
	}
	<-drained
	if accepted != callers {
		t.Errorf("%d accepted, want %d", accepted, callers)
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// Close ends an Accept that waits.
func TestClose(t *testing.T) {
	t.Parallel()
	l := listen(t)
	ended := make(chan error)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
