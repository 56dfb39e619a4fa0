//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"testing"
	"time"
)

// application is what a tenant has at the other end of the action socket: FreeSWITCH connects to it for each call.
type application struct{ listener *net.TCPListener }

func newApplication(t *testing.T) *application {
	l, err := net.Listen("tcp", net.JoinHostPort(localhost, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return &application{l.(*net.TCPListener)}
}

func (a *application) address() string { return a.listener.Addr().String() }

// handedCall is a call that FreeSWITCH has handed over.
type handedCall struct {
	socket *eventSocket
	data   message // the channel, as it was when it was handed over
}

// call waits for the next call.
func (a *application) call(t testing.TB) *handedCall {
	t.Helper()
	if err := a.listener.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	conn, err := a.listener.Accept()
	if err != nil {
		t.Fatalf("no call was handed over: %v", err)
	}
	socket, err := newEventSocket(conn, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(socket.close)
	c := &handedCall{socket: socket}
	c.data = c.command(t, "connect")
	c.command(t, "myevents plain")
	return c
}

func (c *handedCall) command(t testing.TB, lines ...string) message {
	t.Helper()
	m, err := c.socket.command(lines...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// execute runs an application on the call and returns its CHANNEL_EXECUTE_COMPLETE.
func (c *handedCall) execute(t testing.TB, name, data string) message {
	t.Helper()
	c.command(t, "sendmsg", "call-command: execute", "execute-app-name: "+name, "execute-app-arg: "+data)
	m, err := c.socket.await(func(m message) bool {
		return m.header["Event-Name"] == "CHANNEL_EXECUTE_COMPLETE" && m.header["Application"] == name
	})
	if err != nil {
		t.Fatal(fmt.Errorf("%s %s: %w", name, data, err))
	}
	return m
}

func (c *handedCall) hangUp(t testing.TB) {
	t.Helper()
	c.command(t, "sendmsg", "call-command: hangup", "hangup-cause: NORMAL_CLEARING")
	c.socket.close()
}
