package rawsock

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

// pair is a connection from a peer, and the socket that it was accepted as.
func pair(t *testing.T) (peer *net.TCPConn, socket int, from *net.TCPAddr) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	listener := int(file.Fd()) // which makes it one that blocks
	if err := syscall.SetNonblock(listener, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Accept(listener); !errors.Is(err, syscall.EAGAIN) {
		t.Fatalf("nobody waits, and Accept says %v", err)
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	socket, from, err = Accept(listener) // on loopback whoever is connected can be accepted
	if err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn), socket, from
}

func TestAccept(t *testing.T) {
	t.Parallel()
	peer, socket, from := pair(t)
	if from.String() != peer.LocalAddr().String() {
		t.Errorf("from %v, want %v", from, peer.LocalAddr())
	}
	if err := Close(socket); err != nil {
		t.Error(err)
	}
}

func TestAddressOfIPv6(t *testing.T) {
	t.Parallel()
	peer := syscall.RawSockaddrInet6{Family: syscall.AF_INET6, Port: binary.NativeEndian.Uint16([]byte{0x1f, 0x90}), Addr: [16]byte{0xfe, 0x80, 15: 1}}
	if got, want := address(&peer).String(), "[fe80::1]:8080"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	peer.Scope_id = 7
	if got, want := address(&peer).String(), "[fe80::1%7]:8080"; got != want {
		t.Errorf("on a link: %s, want %s", got, want)
	}
}

func TestReadAndSend(t *testing.T) {
	t.Parallel()
	peer, socket, _ := pair(t)
	room := make([]byte, 100)
	if n, err := Read(socket, room); n != 0 || !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("nothing is there: %d, %v", n, err)
	}
	if _, err := peer.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	if n, err := Read(socket, room); string(room[:n]) != "question" || err != nil {
		t.Errorf("%q, %v", room[:n], err)
	}
	sent := 0
	for {
		n, err := Send(socket, make([]byte, 1<<20), 0)
		if sent += n; errors.Is(err, syscall.EAGAIN) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := Close(socket); err != nil {
		t.Error(err)
	}
	if n, err := io.Copy(io.Discard, peer); int(n) != sent || err != nil {
		t.Errorf("%d arrived of %d: %v", n, sent, err)
	}
	if err := Close(-1); !errors.Is(err, syscall.EBADF) {
		t.Errorf("close nothing: %v", err)
	}
	if _, err := Send(-1, room, 0); !errors.Is(err, syscall.EBADF) {
		t.Errorf("send to nothing: %v", err)
	}
}

func TestEndAndHungUp(t *testing.T) {
	t.Parallel()
	peer, socket, _ := pair(t)
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := Read(socket, make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("the end: %d, %v", n, err)
	}
	_, _ = Send(socket, []byte("a"), 0) // which is refused, on loopback at once
	if _, err := Send(socket, []byte("b"), 0); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("to nobody: %v", err)
	}
	_ = Close(socket)
}
