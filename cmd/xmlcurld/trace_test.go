package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/trace"
)

// tracing is a run of verb trace.
type tracing struct {
	begun  string // its first line
	lines  chan string
	ended  chan int
	stderr *safeBuffer
}

// startTrace returns when the trace has begun.
func startTrace(ctx context.Context, t *testing.T, args ...string) *tracing {
	t.Helper()
	out, in := io.Pipe()
	tr := &tracing{lines: make(chan string, 1000), ended: make(chan int, 1), stderr: &safeBuffer{}}
	go func() {
		tr.ended <- run(ctx, append([]string{"trace"}, args...), nil, in, tr.stderr)
		_ = in.Close()
	}()
	go func() {
		defer close(tr.lines)
		for lines := bufio.NewReader(out); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			tr.lines <- line
		}
	}()
	tr.begun = tr.next(t)
	return tr
}

func (tr *tracing) next(t *testing.T) string {
	t.Helper()
	select {
	case line, open := <-tr.lines:
		if !open {
			t.Fatalf("the trace ended: %s", tr.stderr)
		}
		return line
	case <-time.After(patience):
		t.Fatal("nothing comes")
	}
	return ""
}

func (tr *tracing) end(t *testing.T) int {
	t.Helper()
	select {
	case code := <-tr.ended:
		return code
	case <-time.After(patience):
		t.Fatal("the trace does not end")
	}
	return 0
}

// postAsSwitch sends a form in the few words of HTTP that FreeSWITCH has, for which the server has a way of its own, and
// returns header and answer.
func (p *program) postAsSwitch(t *testing.T, form string) string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(p.xml, "http://"), "/xml"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, _ = fmt.Fprintf(c, "POST /xml HTTP/1.1\r\nHost: x\r\nUser-Agent: freeswitch-xml/1.0\r\nAccept: */*\r\nContent-Length: %d\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\n\r\n%s", len(form), form)
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestTrace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := boot(t, "--database-url", dbtest.DemoURL(t), "--data-dir", dir)
	p.awaitReady(t, http.StatusOK, "ready")
	register, call := captured(t, "register.jsonl", "directory"), captured(t, "call-to-known-number.jsonl", "dialplan")
	untraced := map[string]string{register: "", call: ""}
	for form := range untraced {
		status, answer, err := p.post(form)
		if err != nil || status != http.StatusOK {
			t.Fatalf("%d %v", status, err)
		}
		untraced[form] = answer
	}
	user := startTrace(t.Context(), t, "--user", "1000@acme.example", "--json", "--data-dir", dir)
	number := startTrace(t.Context(), t, "--number", "+27123456789", "--data-dir", dir)
	for form, want := range untraced {
		if _, got, err := p.post(form); err != nil || got != want {
			t.Errorf("%v; traced, the answer is %s, else %s", err, got, want)
		}
		if got := p.postAsSwitch(t, form); !strings.HasSuffix(got, "\r\n\r\n"+want) {
			t.Errorf("traced, a switch gets %s, else %s", got, want)
		}
	}

	for range 2 {
		text := user.next(t)
		var line trace.Line
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		if x := line.Exchange; x == nil || x.User != "1000@acme.example" || x.Result != "found" || x.Stale ||
			!strings.Contains(x.Answer, `<param name="password" value="secret:`) || strings.Contains(text, "demo-1000") {
			t.Errorf("the trace of a user: %s", text)
		}
	}
	if line := number.next(t); !strings.Contains(line, " dialplan +27123456789 in public: found, 200, ") {
		t.Errorf("the trace of a number: %s", line)
	}
	shown := ""
	for !strings.Contains(shown, "</document>") {
		shown += number.next(t)
	}
	if !strings.Contains(shown, `  <extension name="twilio.inbound"`) {
		t.Errorf("the trace of a number: %s", shown)
	}

	p.shutDown(t)
	for name, tr := range map[string]*tracing{"user": user, "number": number} {
		if code := tr.end(t); code != exitFault || !strings.Contains(tr.stderr.String(), "the trace ends: the server shuts down") {
			t.Errorf("%s: exit %d, %s", name, code, tr.stderr)
		}
	}
	if code, _, stderr := runOnce(t, nil, "trace", "--node", "fs1", "--data-dir", dir); code != exitFault || !strings.Contains(stderr, "no server runs that has its socket") {
		t.Errorf("without a server: exit %d, %s", code, stderr)
	}
}

var (
	momentShown = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}`)
	tookShown   = regexp.MustCompile(`\d+\.\d{3} ms`)
)

// The transcript in docs/explain.md is what is printed, but for times.
func TestTraceAsDocumented(t *testing.T) {
	t.Parallel()
	blocks, _, err := readBlocks(readFromRoot(t, "docs/explain.md"))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(blocks, func(b block) bool { return strings.HasPrefix(b.text, "$ xmlcurld trace ") })
	if i < 0 {
		t.Fatal("no transcript of a trace")
	}
	command, want, _ := strings.Cut(blocks[i].text, "\n")
	dir := t.TempDir()
	p := boot(t, "--database-url", dbtest.DemoURL(t), "--data-dir", dir)
	p.awaitReady(t, http.StatusOK, "ready")
	tr := startTrace(t.Context(), t, append(strings.Fields(command)[3:], "--data-dir", dir)...)
	if status, _, err := p.post(captured(t, "call-to-known-number.jsonl", "dialplan")); err != nil || status != http.StatusOK {
		t.Fatalf("%d %v", status, err)
	}
	got := tr.begun
	for range strings.Count(want, "\n") - 1 {
		got += tr.next(t)
	}
	same := func(text string) string {
		return tookShown.ReplaceAllString(momentShown.ReplaceAllString(text, "TIME"), "TOOK")
	}
	if diff := cmp.Diff(same(want), same(got)); diff != "" {
		t.Errorf("(-docs +printed)\n%s\n%s", diff, got)
	}
}

func TestTraceEndsByItself(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	boot(t, "--database-url", dbtest.DemoURL(t), "--trace-socket", socket)
	code, stdout, stderr := runOnce(t, nil, "trace", "--node", "fs1", "--time", "10ms", "--trace-socket", socket)
	if code != exitOK || !strings.Contains(stdout, "the trace ends: the time is over\n") {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
}

// What stops a trace stops it alone.
func TestTraceIsInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	boot(t, "--database-url", dbtest.DemoURL(t), "--data-dir", dir)
	ctx, cancel := context.WithCancel(t.Context())
	tr := startTrace(ctx, t, "--node", "fs1", "--data-dir", dir)
	cancel()
	if code := tr.end(t); code != exitOK {
		t.Errorf("exit %d, %s", code, tr.stderr)
	}
}
