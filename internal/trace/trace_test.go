package trace_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/internal/trace"
	"xmlcurld/xmlcurl"
)

// patience is how long a test waits for what takes a moment.
const patience = time.Minute

// rig is a server that answers without a database, and can be traced.
type rig struct {
	answers *xmlcurl.Server
	traces  *trace.Server
	path    string
	ends    chan chan time.Time // where each trace takes the end of its time from
}

func newRig(t testing.TB) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "trace-") // the folder of t.TempDir is shut to other users
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &rig{answers: xmlcurl.NewServer(xmlcurl.Options{Handler: xmlcurl.HandlerFunc(answer)}), path: filepath.Join(dir, "trace.sock")}
	r.ends = make(chan chan time.Time, 100)
	r.traces, err = trace.Serve(trace.Options{
		Path: r.path, Watched: r.answers, Log: slog.New(slog.DiscardHandler), After: func(time.Duration) <-chan time.Time {
			end := make(chan time.Time, 1)
			r.ends <- end
			return end
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r.traces != nil {
			_ = r.traces.Close()
		}
	})
	return r
}

// answer is a document with a secret. A request for long gets one that fills the queue of a trace.
func answer(_ context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
	if r.KeyValue == "gone" {
		return xmlcurl.ErrNotFound
	}
	d.SetKind("sip_auth")
	d.Empty("param", xmlcurl.A("name", "password"), xmlcurl.A("value", "s3cr3t"))
	if r.KeyValue == "long" {
		d.Empty("param", xmlcurl.A("name", "x"), xmlcurl.A("value", strings.Repeat("x", 600<<10)))
	}
	return nil
}

const register = "hostname=fs1&section=directory&tag_name=domain&key_name=name&key_value=acme.example&action=sip_auth&key=id&user=1001" +
	"&domain=acme.example&sip_auth_response=s3cr3t&sip_auth_nonce=n0nce&VM-User-Password=s3cr3t&sip_user_agent=a%20phone"

// ask sends a form and returns the answer.
func (r *rig) ask(t *testing.T, form string) string {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, "/xml", strings.NewReader(form))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	r.answers.ServeHTTP(w, request)
	return w.Body.String()
}

// following is a trace under way.
type following struct {
	lines chan *trace.Line
	ended chan error
}

// follow returns when the trace has begun.
func (r *rig) follow(ctx context.Context, t testing.TB, order trace.Order) *following {
	t.Helper()
	f := &following{lines: make(chan *trace.Line, 1000), ended: make(chan error, 1)}
	go func() {
		f.ended <- trace.Follow(ctx, r.path, order, func(line *trace.Line) error {
			f.lines <- line
			return nil
		})
	}()
	if line := f.next(t); line.Until == nil {
		t.Fatalf("the first line is %+v", line)
	}
	return f
}

func (f *following) next(t testing.TB) *trace.Line {
	t.Helper()
	select {
	case line := <-f.lines:
		return line
	case err := <-f.ended:
		f.ended <- err
		t.Fatalf("the trace ended: %v", err)
	case <-time.After(patience):
		t.Fatal("nothing comes")
	}
	return nil
}

func (f *following) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-f.ended:
		return err
	case <-time.After(patience):
		t.Fatal("the trace does not end")
	}
	return nil
}

// The shape that is documented: every member of a line, by its name.
func TestLine(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f := r.follow(t.Context(), t, trace.Order{User: "1001@acme.example", Node: "FS1"})
	if got := r.ask(t, register); !strings.Contains(got, "s3cr3t") {
		t.Errorf("the answer itself: %s", got)
	}
	line := f.next(t)
	text, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"s3cr3t", "n0nce"} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("%s stands in %s", secret, text)
		}
	}
	if age := time.Since(line.Time); age < 0 || age > patience || line.Exchange.TookMS <= 0 {
		t.Errorf("time %s, took %f", line.Time, line.Exchange.TookMS)
	}
	line.Time, line.Exchange.TookMS = time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC), 0.25
	_, mark, _ := strings.Cut(line.Exchange.Answer, `value="`)
	mark, _, _ = strings.Cut(mark, `"`)
	line.Exchange.Answer = ""
	text, _ = json.MarshalIndent(line, "", " ")
	const want = `{
 "time": "2026-12-01T08:00:00Z",
 "exchange": {
  "node": "fs1",
  "section": "directory",
  "kind": "sip_auth",
  "asked": "acme.example",
  "user": "1001@acme.example",
  "fields": {
   "action": "sip_auth",
   "key": "id",
   "sip_user_agent": "a phone"
  },
  "result": "found",
  "status": 200,
  "took_ms": 0.25,
  "stale": false,
  "bytes": 178,
  "answer": ""
 }
}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(mark, "secret:") {
		t.Errorf("the password is shown as %q", mark)
	}
	var printed strings.Builder
	line.Exchange.Answer = "<a/>\n\u009b"
	if err := line.Print(&printed); err != nil {
		t.Fatal(err)
	}
	const wantPrinted = `2026-12-01 08:00:00.000 fs1 directory 1001@acme.example: found, 200, 0.250 ms, fresh, 178 bytes
    action: sip_auth
    key: id
    sip_user_agent: a phone
  <a/>
  ` + "\ufffd" + `

`
	if diff := cmp.Diff(wantPrinted, printed.String()); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsTraced(t *testing.T) {
	t.Parallel()
	const call = "hostname=fs1&section=dialplan&tag_name=&key_name=&key_value=&"
	const caller = "&Caller-Caller-ID-Number=%2B27820000000&variable_user_name=1001&variable_domain_name=acme.example"
	for _, test := range []struct {
		name, form string
		order      trace.Order
		shown      bool
	}{
		{"number", call + "Hunt-Destination-Number=%2B27123456789", trace.Order{Number: "+27123456789"}, true},
		{"number without plus", call + "Hunt-Destination-Number=27123456789", trace.Order{Number: "+27123456789"}, true},
		{"number with 00", call + "Caller-Destination-Number=0027123456789", trace.Order{Number: "+27123456789"}, true},
		{"another number", call + "Hunt-Destination-Number=%2B27123456780", trace.Order{Number: "+27123456789"}, false},
		{"caller", call + "Hunt-Destination-Number=1000" + caller, trace.Order{Number: "+27820000000"}, true},
		{"a document for a number", "hostname=fs1&section=configuration&key_value=acl.conf", trace.Order{Number: "acl.conf"}, false},
		{"user", register, trace.Order{User: "1001@ACME.example"}, true},
		{"user of another domain", register, trace.Order{User: "1001@other.example"}, false},
		{"user who calls", call + "Hunt-Destination-Number=1000" + caller, trace.Order{User: "1001@acme.example"}, true},
		{"node", "hostname=fs1&section=configuration&key_value=acl.conf", trace.Order{Node: "fs1"}, true},
		{"another node", "hostname=fs10&section=configuration&key_value=acl.conf", trace.Order{Node: "fs1"}, false},
		{"number of another node", call + "Hunt-Destination-Number=1000", trace.Order{Number: "1000", Node: "fs2"}, false},
		{"not found", "hostname=fs1&section=configuration&key_value=gone", trace.Order{Node: "fs1"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			f := r.follow(t.Context(), t, test.order)
			r.ask(t, test.form)
			(<-r.ends) <- time.Now()
			if line := f.next(t); (line.Exchange != nil) != test.shown {
				t.Errorf("line %+v", line)
			}
		})
	}
}

func TestEndOfTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f := r.follow(t.Context(), t, trace.Order{Node: "fs1", Time: time.Minute})
	(<-r.ends) <- time.Now()
	if line := f.next(t); line.End != trace.EndOfTime {
		t.Errorf("last line %+v", line)
	}
	if err := f.end(t); err != nil {
		t.Error(err)
	}
}

func TestClientEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	f := r.follow(ctx, t, trace.Order{Node: "fs1"})
	cancel()
	if err := f.end(t); err != nil {
		t.Error(err)
	}
}

func TestServerEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f := r.follow(t.Context(), t, trace.Order{Node: "fs1"})
	if err := r.traces.Close(); err != nil {
		t.Error(err)
	}
	r.traces = nil
	if err := f.end(t); err == nil || !strings.Contains(err.Error(), "the server shuts down") {
		t.Errorf("the trace ended with %v", err)
	}
	if err := trace.Follow(t.Context(), r.path, trace.Order{Node: "fs1"}, nil); err == nil || !strings.Contains(err.Error(), "no server runs") {
		t.Errorf("then: %v", err)
	}
}

// A client that does not read loses exchanges, which are counted, and holds up nobody.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c, err := net.Dial("unix", r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := json.NewEncoder(c).Encode(trace.Order{Node: "fs1"}); err != nil {
		t.Fatal(err)
	}
	lines := json.NewDecoder(bufio.NewReader(c))
	var line trace.Line
	if err := lines.Decode(&line); err != nil || line.Until == nil {
		t.Fatalf("%+v %v", line, err)
	}
	const asked = 300
	for range asked { // it would not come to an end if the reader counted
		r.ask(t, "hostname=fs1&section=configuration&key_value=long")
	}
	shown, lost, cut := 0, 0, 0
	for shown+lost < asked {
		line = trace.Line{}
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lost += line.Lost
		if line.Exchange != nil {
			shown++
		}
		if line.Exchange != nil && line.Exchange.Cut {
			cut++
		}
	}
	if shown+lost != asked || lost == 0 || shown == 0 || cut != shown {
		t.Errorf("of %d exchanges %d were shown, %d of them cut, %d lost", asked, shown, cut, lost)
	}
}

func TestManyTraces(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var all []*following
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 8 {
		all = append(all, r.follow(ctx, t, trace.Order{Node: "fs1"}))
	}
	err := trace.Follow(t.Context(), r.path, trace.Order{Node: "fs1"}, func(*trace.Line) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "8 traces run already") {
		t.Errorf("one more: %v", err)
	}
	r.ask(t, register)
	marks := map[string]bool{}
	for _, f := range all {
		marks[f.next(t).Exchange.Answer] = true
	}
	if len(marks) != 8 {
		t.Errorf("8 traces mark the same secret in %d ways", len(marks))
	}
	cancel()
	for _, f := range all {
		_ = f.end(t)
	}
	deadline := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithCancel(t.Context())
		err := trace.Follow(ctx, r.path, trace.Order{Node: "fs1"}, func(*trace.Line) error { cancel(); return nil })
		if cancel(); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no place is free again: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Traces that come and go while requests are answered change no answer.
func TestTracesComeAndGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	want := r.ask(t, register)
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := r.ask(t, register); got != want {
					t.Errorf("answer %q", got)
					return
				}
			}
		})
	}
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		f := r.follow(ctx, t, trace.Order{User: "1001@acme.example"})
		f.next(t)
		cancel()
		_ = f.end(t)
	}
	close(stop)
	callers.Wait()
}

func TestOrdersThatAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, test := range []struct{ name, sent, want string }{
		{"nothing to trace", `{"time":1}`, "names no number, user or node"},
		{"no JSON", `hello`, "no order"},
		{"too long", `{"node":"` + strings.Repeat("x", 5000) + `"}`, "no order"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := net.Dial("unix", r.path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_, _ = fmt.Fprintln(c, test.sent)
			var line trace.Line
			if err := json.NewDecoder(c).Decode(&line); err != nil || !strings.Contains(line.End, test.want) {
				t.Errorf("%+v, %v", line, err)
			}
		})
	}
}

func TestSockets(t *testing.T) {
	t.Parallel()
	serve := func(path string) error {
		s, err := trace.Serve(trace.Options{Path: path, Watched: xmlcurl.NewServer(xmlcurl.Options{}), Log: slog.New(slog.DiscardHandler)})
		return errors.Join(err, s.Close())
	}
	r := newRig(t)
	if info, err := os.Stat(r.path); err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("the socket is %v, %v", info, err)
	}
	if err := serve(r.path); err == nil || !strings.Contains(err.Error(), "another server has it") {
		t.Errorf("where another server listens: %v", err)
	}
	dir := filepath.Dir(r.path)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := serve(file); err == nil || !strings.Contains(err.Error(), "it is no socket") {
		t.Errorf("where a file is: %v", err)
	}
	left := filepath.Join(dir, "left")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: left, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	if err := serve(left); err != nil {
		t.Errorf("where a server left a socket: %v", err)
	}
	if err := serve(filepath.Join(dir, strings.Repeat("x", 200))); err == nil || !strings.Contains(err.Error(), "at most some 100 bytes") {
		t.Errorf("with a long path: %v", err)
	}
	if err := serve(filepath.Join(dir, "new/folder/trace.sock")); err != nil {
		t.Errorf("in a folder that is not there: %v", err)
	}
}

func TestServerBreaksOff(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, _ = bufio.NewReader(c).ReadString('\n')
			_ = c.Close()
		}
	}()
	err = trace.Follow(t.Context(), path, trace.Order{Node: "fs1"}, func(*trace.Line) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "broke the trace off") {
		t.Errorf("ended with %v", err)
	}
}

// What a request pays when nobody traces, while a trace of another number runs, and when it is traced itself.
func BenchmarkRequest(b *testing.B) {
	form := "hostname=fs1&section=dialplan&Hunt-Destination-Number=%2B27000000000&" + strings.Repeat("variable_x=y&", 400)
	for name, number := range map[string]string{"untraced": "", "another": "+27123456789", "traced": "+27000000000"} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b)
			if number != "" {
				go func() {
					_ = trace.Follow(b.Context(), r.path, trace.Order{Number: number}, func(*trace.Line) error { return nil })
				}()
				<-r.ends // its session has begun
			}
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest(http.MethodPost, "/xml", strings.NewReader(form))
				r.answers.ServeHTTP(httptest.NewRecorder(), request)
			}
		})
	}
}
