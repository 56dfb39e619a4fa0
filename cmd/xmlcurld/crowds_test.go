//go:build slow

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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
