package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"xmlcurld/db/dbtest"
)

// buildProgram builds the program as it is installed: with the race detector in it, its memory would say nothing.
func buildProgram(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "xmlcurld")
	if said, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, said)
	}
	return path
}

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

// peak is the most that process had resident so far, in MiB.
func peak(t *testing.T, process *os.Process) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib >> 10
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

// crowd opens as many connections as this process may, up to most, and lets each send what sends returns for it.
func (p *program) crowd(t *testing.T, most int, sends func(i int) string) (opened int) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur < limit.Max {
		limit.Cur = limit.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
	if room := int(min(limit.Cur, 1<<20)) - 500; most > room {
		t.Logf("this process may have %d files open: %d connections instead of %d", limit.Cur, room, most)
		most = room
	}
	for i := range most {
		c := p.openConn(t)
		_ = c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		_, _ = io.WriteString(c, sends(i)) // the server may have hung up on it
	}
	return most
}

// Whatever a crowd sends or does not send, others are answered meanwhile, and memory stays bounded.
func TestCrowds(t *testing.T) {
	const header = "POST /xml HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	call := captured(t, "call-to-known-number.jsonl", "dialplan")
	url, path := dbtest.DemoURL(t), buildProgram(t)
	for _, tc := range []struct {
		name, sends string
		connections int
	}{
		{"idle", "", 10_000},
		{"half a header", "POST /xml HTTP/1.1\r\nHost:", 5000},
		{"half a huge header", "POST /xml HTTP/1.1\r\nX: " + strings.Repeat("x", 100<<10), 1500},
		{"half a body", header + "Content-Length: 7000\r\n\r\nsection=dialplan", 5000},
		{"half a huge body", header + "Content-Length: 1000000\r\n\r\n" + strings.Repeat("x", 300<<10), 800},
		{"half a chunk", header + "Transfer-Encoding: chunked\r\n\r\nfffff\r\nsection=dialplan", 3000},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 2000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			command := serveCommand(path, "--database-url", url, "--data-dir", t.TempDir())
			p, process := spawn(t, command), command.Process
			p.awaitReady(t, http.StatusOK, "")
			before := peak(t, process)
			n := p.crowd(t, tc.connections, func(int) string { return tc.sends })
			longest := time.Duration(0)
			for range 50 {
				asked := time.Now()
				status, body, err := p.post(call)
				if err != nil || status != http.StatusOK || !strings.Contains(body, `<extension name="twilio.inbound"`) {
					t.Fatalf("a call: %d %v %s", status, err, body)
				}
				longest = max(longest, time.Since(asked))
			}
			after := peak(t, process)
			t.Logf("%d connections; a call took at most %v; resident %d MiB before, at most %d MiB", n, longest, before, after)
			if longest > time.Second {
				t.Errorf("a call took %v", longest)
			}
			if after > 256 {
				t.Errorf("resident: %d MiB before, at most %d MiB", before, after)
			}
		})
	}
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
