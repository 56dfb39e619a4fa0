package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"xmlcurld/db/dbtest"
)

// patience is how long a test waits for what takes a moment on a machine that has time.
const patience = time.Minute

// asProgram makes this test binary the program itself, for tests that need a process to send signals to.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	if checkout := os.Getenv(asCommand); checkout != "" {
		os.Exit(actAs(filepath.Base(os.Args[0]), checkout, os.Args[1:]))
	}
	dbtest.Main(m)
}

// program is one run of the whole program.
type program struct {
	xml, admin string // URLs
	stop       context.CancelFunc
	ended      chan int
	stdout     string
	stderr     *safeBuffer
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// boot runs serve on ports that are free and returns when it serves.
func boot(t *testing.T, args ...string) *program {
	t.Helper()
	return bootIn(t, nil, args...)
}

// bootIn boots in an environment.
func bootIn(t *testing.T, environ []string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &program{stop: cancel, ended: make(chan int, 1), stderr: &safeBuffer{}}
	out, in := io.Pipe()
	// What comes later in args counts.
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", t.TempDir()}, args...)
	go func() {
		code := run(ctx, args, environ, in, p.stderr)
		_ = in.Close()
		p.ended <- code
	}()
	t.Cleanup(func() { p.shutDown(t) })
	p.readHints(t, out)
	return p
}

var (
	xmlURL   = regexp.MustCompile(`https?://[^ ]+/xml`)
	adminURL = regexp.MustCompile(`(http://[^ ]+)/readyz`)
)

// readHints reads what the program prints when it is up.
func (p *program) readHints(t *testing.T, out io.Reader) {
	t.Helper()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.stdout += lines.Text() + "\n"
		if m := adminURL.FindStringSubmatch(lines.Text()); m != nil {
			p.xml, p.admin = xmlURL.FindString(p.stdout), m[1]
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	t.Fatalf("the program ended: %s", p.stderr)
}

// shutDown is what a signal does. It may be called more than once.
func (p *program) shutDown(t *testing.T) {
	t.Helper()
	p.stop()
	select {
	case code := <-p.ended:
		p.ended <- code
		if code != exitOK {
			t.Errorf("exit %d: %s", code, p.stderr)
		}
	case <-time.After(patience):
		t.Fatal("the program does not end")
	}
}

// post sends a form as mod_xml_curl does: a connection of its own, nothing reused.
func (p *program) post(form string) (status int, body string, err error) {
	return fetch(http.MethodPost, p.xml, form)
}

func (p *program) get(path string) (status int, body string) {
	status, body, err := fetch(http.MethodGet, p.admin+path, "")
	if err != nil {
		return 0, err.Error()
	}
	return status, body
}

func fetch(method, url, form string) (int, string, error) {
	request, err := http.NewRequest(method, url, strings.NewReader(form))
	if err != nil {
		return 0, "", err
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// awaitReady polls /readyz until it says what is wanted.
func (p *program) awaitReady(t *testing.T, wanted int, reason string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		status, body := p.get("/readyz")
		if status == wanted && strings.Contains(body, reason) {
			if strings.Count(body, "\n") != 1 {
				t.Errorf("/readyz is not one line: %q", body)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("/readyz stays %d %q, want %d %q; log: %s", status, body, wanted, reason, p.stderr)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// captured is the body of the first request of a kind that a real FreeSWITCH sent.
func captured(t *testing.T, file, section string) string {
	t.Helper()
	f, err := os.Open("../../testdata/requests/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for requests := json.NewDecoder(f); ; {
		var request struct{ Body string }
		if err := requests.Decode(&request); err != nil {
			t.Fatalf("%s: no request for %s: %v", file, section, err)
		}
		if strings.Contains(request.Body, "section="+section+"&") {
			return request.Body
		}
	}
}

// folder is one that the private server's account can reach (the parent of t.TempDir is private to root).
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "xmlcurld-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runOnce runs a verb that ends by itself.
func runOnce(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, environ, &out, &errs)
	return code, out.String(), errs.String()
}

func TestWrongCalls(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, args string
		code       int
		stderr     string
	}{
		{"no verb", "", exitUsage, "usage: xmlcurld VERB"},
		{"unknown verb", "server", exitUsage, `unknown verb "server"`},
		{"unknown flag", "serve --port 1", exitUsage, "unknown flag: --port"},
		{"flag without its value", "serve --listen", exitUsage, "flag needs an argument: --listen"},
		{"a secret flag", "serve --credentials=a:b", exitUsage, "unknown flag: --credentials"},
		{"switch with a wrong value", "serve --demo=perhaps", exitUsage, `invalid argument "perhaps"`},
		{"an operand too many", "migrate now", exitUsage, `unexpected "now"`},
		{"render nothing", "render", exitUsage, "render what?"},
		{"render a wrong field", "render acl.conf --field profile", exitUsage, `--field "profile": not name=value`},
		{"trace nothing", "trace", exitUsage, "trace what?"},
		{"trace no user", "trace --user 1001", exitUsage, `--user "1001": not id@domain`},
		{"trace too long", "trace --node fs1 --time 6m", exitUsage, "--time 6m0s: at most 5m0s"},
		{"help", "help", exitOK, ""},
		{"help of a verb", "serve --help", exitOK, ""},
		{"version", "version", exitOK, ""},
		{"health of nobody", "healthcheck --admin-listen 127.0.0.1:1", exitFault, "connection refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := runOnce(t, nil, strings.Fields(test.args)...)
			if code != test.code || !strings.Contains(stderr, test.stderr) {
				t.Errorf("exit %d, %q; want %d, %q", code, stderr, test.code, test.stderr)
			}
			if (code == exitOK) != (stdout != "") {
				t.Errorf("exit %d with output %q", code, stdout)
			}
			if code == exitUsage && !strings.Contains(stderr, "usage: xmlcurld ") {
				t.Errorf("no usage in %q", stderr)
			}
		})
	}
}

func ExampleSecret() {
	password := NewSecret("ClueCon")
	fmt.Printf("%v %+v %#v %s %q %d %x\n", password, password, password, password, password, password, password)
	fmt.Printf("%v\n", struct{ Open, hidden Secret }{password, password}.Open)
	// Output:
	// *** *** *** *** *** *** ***
	// ***
}
