package xmlcurl

import (
	"log/slog"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestLogEscapesAndCuts(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{})
	f.do(post("hostname=a\nb\x1b[31m&section=dialplan&key_value=" + strings.Repeat("k", 5000) + "&password=hush&Hunt-Context=broken"))
	log := f.log.String()
	if strings.Count(log, "\n") != 1 || strings.Contains(log, "\x1b") || strings.Contains(log, "hush") || len(log) > 1000 {
		t.Errorf("log of %d bytes: %q", len(log), log)
	}
	if want := `a\nb\x1b[31m`; !strings.Contains(log, want) {
		t.Errorf("log has no %s: %s", want, log)
	}
}

func TestInfoIsQuietPerRequest(t *testing.T) {
	t.Parallel()
	log := &lockedBuffer{}
	s := NewServer(Options{Handler: testMux(), Log: slog.New(slog.NewTextHandler(log, nil))})
	for _, in := range []string{"public", "missing"} {
		s.ServeHTTP(httptest.NewRecorder(), post("section=dialplan&Hunt-Context="+in))
	}
	if log.String() != "" {
		t.Errorf("log: %s", log)
	}
}

func TestAnswerNearAndPastTheLimit(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{AnswerLimit: 1400})
	for range 2 {
		if w := f.do(post("section=dialplan&Hunt-Context=big")); w.Code != 200 {
			t.Errorf("got %d", w.Code)
		}
	}
	if got := strings.Count(f.log.String(), "raise the limit"); got != 1 {
		t.Errorf("warned %d times", got)
	}
	f = newFixture(Options{AnswerLimit: 1000})
	if w := f.do(post("section=dialplan&Hunt-Context=big")); w.Code != 200 || w.Body.Len() < 1000 {
		t.Errorf("got %d", w.Code)
	}
	if log := f.log.String(); !strings.Contains(log, "level=ERROR msg=request result=over_limit") || !strings.Contains(log, "kind=dialplan bytes=1178") {
		t.Errorf("log: %s", log)
	}
}

func TestUnknownNode(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{})
	for i := range maxUnknownNodes + 5 {
		for range 2 {
			f.do(post("hostname=n" + strconv.Itoa(i) + "&section=dialplan&Hunt-Context=stranger"))
		}
	}
	if got := strings.Count(f.log.String(), "node without a row"); got != maxUnknownNodes {
		t.Errorf("logged %d names", got)
	}
	if got := testutil.ToFloat64(f.metrics.unknownNodeRequests); got != 2*(maxUnknownNodes+5) {
		t.Errorf("counted %v", got)
	}
}
