package xmlcurl

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"xmlcurld/xmlcurl/accept"
)

func TestBound(t *testing.T) {
	t.Parallel()
	var hampered bool
	b := newBound(4, time.Second, func() bool { return hampered })
	at := func(d time.Duration) time.Time { return b.began.Add(d) }
	enter := func(n int, d time.Duration) (let int) {
		for range n {
			if b.enter(at(d)) == nil {
				let++
			}
		}
		return let
	}
	if let := enter(100, 0); let != 4*burst {
		t.Errorf("a burst: %d are let in, want %d", let, 4*burst)
	}
	for range 4*burst - 10 {
		b.leave()
	}
	if let := enter(5, time.Second); let != 5 {
		t.Errorf("the burst goes on: %d are let in, want 5", let)
	}
	if let := enter(5, time.Second+1); let != 0 {
		t.Errorf("it is no burst any more: %d are let in", let)
	}
	hampered = true
	if let := enter(100, time.Second+1); let != 4*burst-15 {
		t.Errorf("while the database fails: %d are let in, want %d", let, 4*burst-15)
	}
	hampered = false
	for range 4 * burst {
		b.leave()
	}
	if let := enter(100, time.Second+2); let != 4 {
		t.Errorf("none was under way for a moment only: %d are let in, want 4", let)
	}
	for range 4 {
		b.leave()
	}
	if let := enter(100, 3*time.Second); let != 4*burst {
		t.Errorf("a burst after a calm time: %d are let in, want %d", let, 4*burst)
	}
}

// served is f behind a listener of its own.
func served(t *testing.T, f *fixture) (url string) {
	t.Helper()
	l, err := accept.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: f, ConnContext: f.ConnContext}
	server.SetKeepAlivesEnabled(false)
	go func() { _ = server.Serve(f.AnswerAhead(f.Listen(l))) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + l.Addr().String() + "/xml"
}

// ask posts form on a connection of its own.
func ask(t testing.TB, url, form string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, url, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("Content-Type", urlencoded)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return answer.StatusCode, string(content)
}

// Of many times what the server can do it does as much as it can, in the time that this takes; the rest is refused and
// counted, and when it is over, it is over.
func TestOverload(t *testing.T) {
	t.Parallel()
	const most, work = 4, 20 * time.Millisecond
	const enough, tooMany = 100, 5000 // answers: once the burst is over, and in all
	var underWay, highest, later atomic.Int64
	var f *fixture
	f = newFixture(Options{MaxInFlight: most, Deadline: 400 * time.Millisecond, Handler: HandlerFunc(
		func(_ context.Context, _ *Request, d *Document) error {
			n := underWay.Add(1)
			defer underWay.Add(-1)
			calls := f.bounds.calls
			switch lasted := time.Duration(calls.high.Load() - calls.rose.Load()); {
			case lasted <= calls.patience: // once more, perhaps, if the machine is so busy that nobody came for as long
				later.Store(0)
				highest.Store(0)
			case later.Load() > 0 || calls.underWay.Load() <= most: // those that the burst let in are done
				later.Add(1)
				highest.Store(max(highest.Load(), n))
			}
			<-time.After(work)
			d.Empty("context")
			return nil
		})})
	url := served(t, f)
	var answered, refused atomic.Int64
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for later.Load() < enough && answered.Load() < tooMany {
				switch status, body := ask(t, url, "section=dialplan"); {
				case status == http.StatusOK:
					answered.Add(1)
				case status == http.StatusServiceUnavailable && body == verdicts[overloaded].body:
					refused.Add(1)
				default:
					t.Errorf("%d %q", status, body)
				}
			}
		})
	}
	callers.Wait()
	if later.Load() < enough || refused.Load() == 0 || highest.Load() > most {
		t.Errorf("%d answered, %d refused, %d at a time", answered.Load(), refused.Load(), highest.Load())
	}
	if status, _ := ask(t, url, "section=dialplan"); status != http.StatusOK {
		t.Errorf("afterwards: %d", status)
	}
	if got := f.results(t)["overloaded"]; got != float64(refused.Load()) {
		t.Errorf("%v counted, %d refused", got, refused.Load())
	}
	if lines := strings.Count(f.log.String(), "more is asked than can be answered"); lines != 1 {
		t.Errorf("%d lines in the log", lines)
	}
	t.Logf("%d answered, %d refused, %d at a time", answered.Load(), refused.Load(), highest.Load())
}

// Documents that list everything are made a few at a time: all get theirs, and calls go on meanwhile.
func TestListsTakeTurns(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var underWay, highest atomic.Int64
	f := newFixture(Options{MaxInFlight: 64, Deadline: time.Minute, Handler: HandlerFunc(
		func(_ context.Context, r *Request, d *Document) error {
			if r.Section == "configuration" {
				highest.Store(max(highest.Load(), underWay.Add(1)))
				defer underWay.Add(-1)
				<-release
			}
			d.Empty("context")
			return nil
		})})
	url := served(t, f)
	var switches sync.WaitGroup
	for range 50 {
		switches.Go(func() {
			if status, _ := ask(t, url, "section=configuration&key_value=sofia.conf"); status != http.StatusOK {
				t.Errorf("sofia.conf: %d", status)
			}
		})
	}
	for f.bounds.lists.underWay.Load() < 50 {
		runtime.Gosched()
	}
	for range 100 {
		if status, _ := ask(t, url, "section=dialplan"); status != http.StatusOK {
			t.Errorf("a call: %d", status)
		}
	}
	close(release)
	switches.Wait()
	if n := highest.Load(); n > int64(runtime.GOMAXPROCS(0)) {
		t.Errorf("%d at a time", n)
	}
}

// A list waits for its turn until there is no time left to ask anybody for it; what can be had without, is.
func TestListWaitsUntilTheDeadline(t *testing.T) {
	t.Parallel()
	var late atomic.Bool
	f := newFixture(Options{Deadline: 50 * time.Millisecond, Handler: HandlerFunc(func(ctx context.Context, _ *Request, _ *Document) error {
		late.Store(ctx.Err() != nil)
		return nil
	})})
	for range cap(f.bounds.lists.turns) {
		if !f.bounds.lists.takeTurn(t.Context()) {
			t.Fatal("no turn")
		}
	}
	if w := f.do(post("section=configuration&key_value=acl.conf")); w.Code != http.StatusOK || !late.Load() {
		t.Errorf("without a turn: %d, with its time over: %v", w.Code, late.Load())
	}
	f.bounds.lists.endTurn()
	if w := f.do(post("section=configuration&key_value=acl.conf")); w.Code != http.StatusOK || late.Load() {
		t.Errorf("when there is a turn: %d, with its time over: %v", w.Code, late.Load())
	}
}

// What was sent too slowly is dropped when it becomes too many or too much, the oldest first; a request is not.
func TestUnreadIsBounded(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, sends string
		bytes       int64
	}{
		{"too many", "P", 1 << 20},
		{"too much", "POST /xml HTTP/1.1\r\nX: " + strings.Repeat("x", 900), 2500},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(Options{MaxUnread: 3})
			f.unread.mostBytes = tc.bytes
			url := served(t, f)
			var slow []net.Conn
			for range 10 {
				c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/xml"))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = c.Close() }()
				if _, err := io.WriteString(c, tc.sends); err != nil {
					t.Fatal(err)
				}
				slow = append(slow, c)
			}
			_ = slow[0].SetReadDeadline(time.Now().Add(10 * time.Second))
			var timeout net.Error
			if _, err := io.ReadAll(slow[0]); errors.As(err, &timeout) && timeout.Timeout() {
				t.Error("the oldest connection is still there")
			}
			if status, _ := ask(t, url, "section=dialplan"); status != http.StatusOK {
				t.Errorf("a call: %d", status)
			}
			f.unread.mu.Lock()
			defer f.unread.mu.Unlock()
			if n := f.unread.order.Len(); n > 3 || f.unread.bytes > tc.bytes {
				t.Errorf("%d connections, %d bytes", n, f.unread.bytes)
			}
		})
	}
}
