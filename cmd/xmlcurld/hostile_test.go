package main

import (
	"bufio"
	"io"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"xmlcurld/db/dbtest"
)

// serveCommand is serve of the program at path as a process of its own.
func serveCommand(path string, args ...string) *exec.Cmd {
	return exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}, args...)...)
}

// spawn runs a serveCommand until the test ends, or it is told to end before.
func spawn(t *testing.T, command *exec.Cmd) *program {
	t.Helper()
	p := &program{stderr: &safeBuffer{}}
	command.Stderr = p.stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
	p.readHints(t, out)
	return p
}

func (p *program) openConn(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(p.xml, "http://"), "/xml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// What is not HTTP, or lies, gets a refusal or a closed connection soon, and costs nobody else anything.
func TestHostileBytes(t *testing.T) {
	t.Parallel()
	const header = "POST /xml HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	const form = "section=dialplan&Hunt-Context=public"
	whole := header + "Content-Length: 36\r\n\r\n" + form
	p := boot(t, "--database-url", dbtest.DemoURL(t))
	for _, tc := range []struct {
		name, sends string
		hangUp      bool
		want        string // statuses, as a regular expression; empty: the connection is closed without a word
	}{
		{"a call", whole, false, "200"},
		{"chunked", header + "Transfer-Encoding: chunked\r\n\r\n10\r\n" + form[:16] + "\r\n14\r\n" + form[16:] + "\r\n0\r\n\r\n", false, "200"},
		{"a chunk's length is no number", header + "Transfer-Encoding: chunked\r\n\r\n-1\r\n" + form + "\r\n0\r\n\r\n", false, "400"},
		{"a chunk's length overflows", header + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + form, false, "400"},
		{"a chunk is longer than it says", header + "Transfer-Encoding: chunked\r\n\r\n1\r\n" + form + "\r\n0\r\n\r\n", false, "400"},
		{"two lengths", header + "Content-Length: 36\r\nContent-Length: 1\r\n\r\n" + form, false, "400"},
		{"a length and chunks", header + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n24\r\n" + form + "\r\n0\r\n\r\n", false, "200"},
		{"a negative length", header + "Content-Length: -1\r\n\r\n", false, "400"},
		{"a body that is too long", header + "Content-Length: 99999999999\r\n\r\n", false, "413"},
		{"a header that is too long", "POST /xml HTTP/1.1\r\nX: " + strings.Repeat("x", 136<<10) + "\r\n\r\n", false, "431"},
		{"many headers", "POST /xml HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 40_000) + "\r\n", false, "431"},
		{"pipelined", whole + whole, false, "200"},
		{"half closed", whole, true, "200|503"}, // the caller may be gone
		{"half closed in the middle", header + "Content-Length: 99\r\n\r\nsection=", true, "400"},
		{"half closed at once", "", true, ""},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", false, "404"},
		{"an upgrade", header + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 36\r\n\r\n" + form, false, "200"},
		{"TLS", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n", false, "400"},
		{"garbage", "\x00\xff\x00\xff\r\n\r\n", false, "400"},
		{"another protocol", "EHLO a\r\n\r\n", false, "400"},
		{"a method that is none", strings.Repeat("A", 2000) + " /xml HTTP/1.1\r\nHost: a\r\n\r\n", false, "405"},
		{"never ends", "POST /xml HTTP/1.1\r\nHost:", false, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := p.openConn(t)
			go func() { // the server may answer before all is sent
				_, _ = io.WriteString(c, tc.sends)
				if tc.hangUp {
					_ = c.(*net.TCPConn).CloseWrite()
				}
			}()
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil && strings.Contains(err.Error(), "timeout") {
				t.Fatalf("the connection stays: %v", err)
			}
			if want := "^HTTP/1\\.[01] (" + tc.want + ") "; !regexp.MustCompile(want).MatchString(line) && line+tc.want != "" {
				t.Errorf("answered with %q, want %q", line, tc.want)
			}
		})
	}
}
