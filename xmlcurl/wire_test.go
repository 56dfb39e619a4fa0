package xmlcurl

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// talk sends raw bytes to a server of its own, and returns the answers, until the server hangs up or is silent.
func talk(t *testing.T, f *fixture, raw string, hangUp bool) []*http.Response {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	if hangUp {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	var all []*http.Response
	for in := bufio.NewReader(conn); ; {
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return all
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || int64(len(body)) != answer.ContentLength {
			t.Errorf("%d bytes of %d: %v", len(body), answer.ContentLength, err)
		}
		answer.Body = io.NopCloser(strings.NewReader(string(body)))
		all = append(all, answer)
	}
}

func TestWire(t *testing.T) {
	t.Parallel()
	const header = "POST /xml HTTP/1.1\r\nHost: a\r\nContent-Type: " + urlencoded + "\r\n"
	const one = header + "Content-Length: 16\r\n"
	for _, tc := range []struct {
		name, raw string
		hangUp    bool
		want      []int
	}{
		{"plain", one + "Connection: close\r\n\r\nsection=dialplan", false, []int{200}},
		{"chunked", header + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n8\r\nsection=\r\n8\r\ndialplan\r\n0\r\n\r\n", false, []int{200}},
		{"pipelined", one + "\r\nsection=dialplan" + one + "Connection: close\r\n\r\nsection=dialplan", false, []int{200, 200}},
		{"body broken off", header + "Content-Length: 99\r\n\r\nsection=dialplan", true, []int{400}},
		{"chunk that is none", header + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", false, []int{400}},
		{"announced too large", header + "Content-Length: 2000000\r\n\r\n", true, []int{413}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got []int
			for _, answer := range talk(t, newFixture(Options{}), tc.raw, tc.hangUp) {
				got = append(got, answer.StatusCode)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// A caller that hangs up, or only closes its side, has the handler go on until the deadline, and no longer.
func TestCallerGone(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{Deadline: 200 * time.Millisecond})
	start := time.Now()
	answers := talk(t, f, "POST /xml HTTP/1.1\r\nHost: a\r\nContent-Length: 34\r\n\r\nsection=dialplan&Hunt-Context=slow", true)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v, %d answers", took, len(answers))
	}
}
