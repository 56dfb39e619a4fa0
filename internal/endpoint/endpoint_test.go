package endpoint

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// answers is a PlainHandler that does its work and then answers with the body, by either way.
type answers struct {
	work func()
	body []byte
}

func (answers) Path() string { return "/xml" }

func (h answers) ServePlain(r *PlainRequest) {
	r.Arrived()
	r.Reply(h.answer())
}

func (h answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	Arrived(r.Context())
	a := h.answer()
	a.Write(w)
}

func (h answers) answer() Answer {
	if h.work != nil {
		h.work()
	}
	return Answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/plain"}}, Body: h.body}
}

// served is h at an address of its own.
func served(t *testing.T, h http.Handler, g Guard) *Endpoint {
	t.Helper()
	e := opened(t, h, g)
	e.start()
	return e
}

// opened is like served, but nobody is accepted yet.
func opened(t *testing.T, h http.Handler, g Guard) *Endpoint {
	t.Helper()
	e, err := newEndpoint("127.0.0.1:0", h, g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		at, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := e.Close(at); err != nil {
			t.Error(err)
		}
	})
	return e
}

// dial connects to e.
func dial(t *testing.T, e *Endpoint) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", e.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c.(*net.TCPConn)
}

func send(t *testing.T, c net.Conn, what string) {
	t.Helper()
	if _, err := io.WriteString(c, what); err != nil {
		t.Fatal(err)
	}
}

// raw is a request with form, as FreeSWITCH sends it. Other fields make one that net/http has to read.
func raw(form string, fields ...string) string {
	return fmt.Sprintf("POST /xml HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n%sContent-Length: %d\r\n\r\n%s",
		strings.Join(append(fields, ""), "\r\n"), len(form), form)
}

// asked sends raw bytes on a connection of their own, and returns the answer to the last byte.
func asked(t *testing.T, e *Endpoint, sends string) string {
	t.Helper()
	c := dial(t, e)
	send(t, c, sends)
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Error(err)
	}
	return string(answer)
}

const (
	call = "section=dialplan&Hunt-Context=public"
	good = "HTTP/1.1 200 OK\r\n"
)

// ways is a PlainHandler that says which way a request came.
type ways struct{}

func (ways) Path() string { return "/xml" }

func (ways) ServePlain(r *PlainRequest) {
	r.Reply(Answer{Status: http.StatusOK, Body: []byte("plain")})
}

func (ways) ServeHTTP(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "net/http") }

// FreeSWITCH's requests come without net/http, and no others.
func TestWhoReads(t *testing.T) {
	t.Parallel()
	e := served(t, ways{}, Guard{})
	shortcut := "plain"
	if !fast {
		shortcut = "net/http"
	}
	for sends, want := range map[string]string{
		raw(call):              shortcut,
		raw(call, "Cookie: x"): "net/http",
		strings.Replace(raw(call), "/xml", "/other", 1): "net/http",
	} {
		if answer := asked(t, e, sends); !strings.HasSuffix(answer, want) {
			t.Errorf("%q: %q, want %s", sends, answer, want)
		}
	}
}

// A request is answered in however many pieces it comes.
func TestRequestInPieces(t *testing.T) {
	t.Parallel()
	e := served(t, answers{}, Guard{})
	whole := raw(call)
	for _, pauses := range []bool{false, true} {
		for _, at := range []int{1, 10, 50, strings.Index(whole, "\r\n\r\n") + 2, len(whole) - 1} {
			c := dial(t, e)
			send(t, c, whole[:at])
			if pauses { // for longer than the fast path waits
				time.Sleep(150 * time.Millisecond)
			}
			send(t, c, whole[at:])
			answer, err := io.ReadAll(c)
			if err != nil || !strings.HasPrefix(string(answer), good) {
				t.Errorf("cut at %d, with a pause: %t: %q, %v", at, pauses, answer, err)
			}
		}
	}
}

// Whoever reads nothing of a long answer gets all of it later.
func TestLongAnswerToASlowReader(t *testing.T) {
	t.Parallel()
	c := dial(t, served(t, answers{body: make([]byte, 9<<20)}, Guard{})) // more than the kernel takes
	send(t, c, raw(call))
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil || int64(len(body)) != answer.ContentLength || len(body) < 8<<20 {
		t.Errorf("%d bytes of %d, %v", len(body), answer.ContentLength, err)
	}
}

// A fault of a handler costs one connection, and is logged; others are answered.
func TestServeSurvivesAFault(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	faults := make(chan string, 1)
	faults <- "a fault"
	e := served(t, answers{work: func() {
		select {
		case fault := <-faults:
			panic(fault)
		default:
		}
	}}, Guard{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if answer := asked(t, e, raw(call)); answer != "" {
		t.Errorf("%q", answer)
	}
	if answer := asked(t, e, raw(call)); !strings.HasPrefix(answer, good) {
		t.Errorf("the next one: %q", answer)
	}
	e.connections.idle(t.Context())
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := log.String(); strings.Count(got, "a fault") != 1 {
		t.Errorf("logged: %s", got)
	}
}

// What was sent too slowly is dropped when it becomes too many or too much, the oldest first; a request is not.
func TestIncompleteIsLimited(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, sends string
		most        int
		bytes       int64
	}{
		{"too many", "P", 3, 1 << 20},
		{"too much", "POST /xml HTTP/1.1\r\nX: " + strings.Repeat("x", 900), 1000, 3000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := opened(t, answers{}, Guard{MaxIncomplete: tc.most})
			e.connections.mostBytes = tc.bytes
			e.start()
			var slow []net.Conn
			for range 10 {
				c := dial(t, e)
				send(t, c, tc.sends)
				slow = append(slow, c)
			}
			if _, err := io.ReadAll(slow[0]); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the oldest connection is still there")
			}
			if answer := asked(t, e, raw(call)); !strings.HasPrefix(answer, good) {
				t.Errorf("a call: %q", answer)
			}
			all := &e.connections
			for soon := time.Now().Add(10 * time.Second); testutil.ToFloat64(all.dropped) < 7; time.Sleep(time.Millisecond) {
				if time.Now().After(soon) {
					t.Fatalf("%v dropped", testutil.ToFloat64(all.dropped))
				}
			}
			all.mu.Lock()
			defer all.mu.Unlock()
			if n := all.incomplete.Len(); n > 3 || all.bytes > tc.bytes {
				t.Errorf("%d connections, %d bytes", n, all.bytes)
			}
		})
	}
}

// A request that has arrived is not dropped, however many others are incomplete, and whoever read it.
func TestArrivedIsNotDropped(t *testing.T) {
	t.Parallel()
	for name, sends := range map[string]string{"plain": raw(call), "by net/http": raw(call, "Cookie: x")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, end := make(chan struct{}), make(chan struct{})
			e := served(t, answers{work: func() { close(began); <-end }}, Guard{MaxIncomplete: 1})
			c := dial(t, e)
			send(t, c, sends)
			<-began
			first := dial(t, e)
			dial(t, e)
			if n, err := first.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("an incomplete one is not dropped: %d, %v", n, err)
			}
			close(end)
			if answer, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(answer), good) {
				t.Errorf("%q, %v", answer, err)
			}
		})
	}
}

// A connection that is closed twice is counted once.
func TestClosedTwice(t *testing.T) {
	t.Parallel()
	e := opened(t, answers{}, Guard{})
	one, _ := net.Pipe()
	other, _ := net.Pipe()
	c, left := e.connections.add(one), e.connections.add(other)
	_ = c.Close()
	_ = c.Close()
	if n := e.connections.open(); n != 1 {
		t.Errorf("%d connections are open", n)
	}
	_ = left.Close()
	e.start()
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ allowed, in, out string }{
		{"192.0.2.0/24", "192.0.2.255", "192.0.3.0"},
		{"192.0.2.0/24 2001:db8::/32", "2001:db8::1", "2001:db9::1"},
		{"192.0.2.7/32", "::ffff:192.0.2.7", "192.0.2.8"},
		{"fe80::/10", "fe80::1%7", "127.0.0.1"},
		{"10.0.0.0/8", "10.1.2.3", "127.0.0.1"}, // loopback is not implied
		{"0.0.0.0/0", "127.0.0.1", "::1"},
	} {
		var log bytes.Buffer
		var allowed []netip.Prefix
		for _, network := range strings.Fields(tc.allowed) {
			allowed = append(allowed, netip.MustParsePrefix(network))
		}
		n := newNetworks(allowed, slog.New(slog.NewTextHandler(&log, nil)), newDropped(nil).WithLabelValues("network"))
		for range 2 {
			if !n.admit(comesFrom(tc.in)) || n.admit(comesFrom(tc.out)) {
				t.Errorf("%s: not %s, or %s", tc.allowed, tc.in, tc.out)
			}
		}
		if told := strings.Count(log.String(), tc.out); told != 1 || testutil.ToFloat64(n.refused) != 2 {
			t.Errorf("%s: logged %d times, %v counted", tc.allowed, told, testutil.ToFloat64(n.refused))
		}
	}
}

// peer is a connection from an address.
type peer struct {
	net.Conn
	address net.Addr
}

func comesFrom(address string) peer {
	return peer{address: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 5060))}
}

func (p peer) RemoteAddr() net.Addr { return p.address }

// Whom the kernel connected before Close gets an answer, though nobody had accepted it yet and nothing of its request was
// there; whoever comes later is refused.
func TestCloseLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	e := opened(t, answers{}, Guard{})
	var waiting []net.Conn
	for range 20 {
		waiting = append(waiting, dial(t, e))
	}
	closed := make(chan error)
	go func() { closed <- e.Close(t.Context()) }()
	for !e.socket.draining.Load() {
		time.Sleep(time.Millisecond)
	}
	if runtime.GOOS == "linux" {
		if c, err := net.Dial("tcp", e.Address()); err == nil {
			_ = c.Close()
			t.Error("it still lets others in")
		} else if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("others are not refused: %v", err)
		}
	}
	e.start()
	<-e.socket.ended
	if c, err := net.Dial("tcp", e.Address()); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
	for i, c := range waiting {
		send(t, c, raw(call))
		if answer, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(answer), good) {
			t.Fatalf("connection %d: %q, %v", i, answer, err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// Close gives up those whose answer takes longer than it may, and says so.
func TestCloseWaitsNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	began, end := make(chan struct{}), make(chan struct{})
	e, err := Serve("127.0.0.1:0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(began)
		<-end
	}), Guard{Name: "slow"})
	if err != nil {
		t.Fatal(err)
	}
	defer close(end)
	send(t, dial(t, e), raw(call))
	<-began
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := e.Close(soon); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "drain "+e.Address()) {
		t.Error(err)
	}
}

// Those who serve plain requests end with the endpoint.
func TestCloseEndsTheWorkers(t *testing.T) {
	t.Parallel()
	e := served(t, answers{}, Guard{})
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			if answer := asked(t, e, raw(call)); !strings.HasPrefix(answer, good) {
				t.Errorf("%q", answer)
			}
		})
	}
	callers.Wait()
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, open := <-e.workers; open {
		t.Error("whoever waits for a request is not told that none comes")
	}
}

func TestServeAtAnAddressThatIsTaken(t *testing.T) {
	t.Parallel()
	e := served(t, answers{}, Guard{})
	if _, err := Serve(e.Address(), http.NotFoundHandler(), Guard{Name: "admin"}); !errors.Is(err, syscall.EADDRINUSE) || !strings.HasPrefix(err.Error(), "admin: ") {
		t.Error(err)
	}
}

// TLS and networks guard any handler.
func TestGuardOfAnyHandler(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(nil) // for its certificate
	defer secure.Close()
	said := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "said") })
	for name, handler := range map[string]http.Handler{"of plain requests": answers{}, "another": said} {
		for network, let := range map[string]bool{"127.0.0.0/8": true, "10.0.0.0/8": false} {
			e, err := Serve("127.0.0.1:0", handler, Guard{
				TLS: &tls.Config{Certificates: secure.TLS.Certificates}, Networks: []netip.Prefix{netip.MustParsePrefix(network)},
			})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := secure.Client().Post("https://"+e.Address()+"/xml", "text/plain", strings.NewReader(call))
			if err == nil {
				_ = answer.Body.Close()
			}
			if got := err == nil && answer.StatusCode == http.StatusOK; got != let {
				t.Errorf("%s from %s: %v", name, network, err)
			}
			if c := dial(t, e); let { // without TLS
				send(t, c, raw(call))
				if answer, err := io.ReadAll(c); err != nil || strings.HasPrefix(string(answer), good) {
					t.Errorf("%s without TLS: %q, %v", name, answer, err)
				}
			}
			if err := e.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestTemporary(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{syscall.EMFILE: true, syscall.ENFILE: true, syscall.EINVAL: false, net.ErrClosed: false} {
		if temporary(&net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}) != want {
			t.Error(err)
		}
	}
}
