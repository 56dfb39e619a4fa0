package xmlcurl

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{AnswerLimit: 2000})
	f.do(post("hostname=fs1&section=configuration&key_value=acl.conf"))
	f.do(post("hostname=fs1&section=configuration&key_value=nonsense.conf"))
	f.do(post("hostname=fs2&section=dialplan&Hunt-Context=big"))
	f.do(post("hostname=fs2&section=dialplan&Hunt-Context=public"))
	f.do(post("hostname=fs3&section=dialplan&Hunt-Context=stranger"))
	f.do(post("section=made-up"))
	if problems, err := testutil.GatherAndLint(f.reg); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	want := `
# HELP xmlcurld_answer_bytes Size of the last answer.
# TYPE xmlcurld_answer_bytes gauge
xmlcurld_answer_bytes{kind="acl.conf",section="configuration"} 175
xmlcurld_answer_bytes{kind="dialplan",section="dialplan"} 164
xmlcurld_answer_bytes{kind="other",section="configuration"} 0
xmlcurld_answer_bytes{kind="other",section="other"} 0
# HELP xmlcurld_answer_limit_bytes Size from which on FreeSWITCH drops an answer.
# TYPE xmlcurld_answer_limit_bytes gauge
xmlcurld_answer_limit_bytes 2000
# HELP xmlcurld_answer_max_bytes Size of the largest answer since the start.
# TYPE xmlcurld_answer_max_bytes gauge
xmlcurld_answer_max_bytes{kind="acl.conf",section="configuration"} 175
xmlcurld_answer_max_bytes{kind="dialplan",section="dialplan"} 1178
xmlcurld_answer_max_bytes{kind="other",section="configuration"} 0
xmlcurld_answer_max_bytes{kind="other",section="other"} 0
# HELP xmlcurld_requests_in_flight Requests being read or answered now.
# TYPE xmlcurld_requests_in_flight gauge
xmlcurld_requests_in_flight 0
# HELP xmlcurld_unknown_node_requests_total Requests of nodes that have no row and got the common answer.
# TYPE xmlcurld_unknown_node_requests_total counter
xmlcurld_unknown_node_requests_total 1
`
	if err := testutil.GatherAndCompare(f.reg, strings.NewReader(want), "xmlcurld_answer_bytes", "xmlcurld_answer_max_bytes",
		"xmlcurld_answer_limit_bytes", "xmlcurld_requests_in_flight", "xmlcurld_unknown_node_requests_total"); err != nil {
		t.Error(err)
	}
	if got := testutil.CollectAndCount(f.metrics.nodeLast); got != 1 {
		t.Errorf("%d series of nodes", got)
	}
	if got := testutil.ToFloat64(f.metrics.nodeLast.WithLabelValues("fs1", "acl.conf")); got < 1e9 {
		t.Errorf("fs1 was given acl.conf at %v", got)
	}
}

// What is left out of an answer is counted each time, and told once.
func TestWithheld(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{Handler: HandlerFunc(func(_ context.Context, _ *Request, d *Document) error {
		d.SetKind("user")
		d.Withhold(errors.New("user 1000@acme.example: a value that cannot be carried"))
		return ErrNotFound
	})})
	for range 3 {
		f.do(post("section=directory&hostname=fs1"))
	}
	if got := testutil.ToFloat64(f.metrics.withheld.WithLabelValues("directory", "user")); got != 3 {
		t.Errorf("%v answers are counted, want 3", got)
	}
	if got := strings.Count(f.log.String(), "user 1000@acme.example"); got != 1 {
		t.Errorf("told %d times: %s", got, f.log.String())
	}
}

// What anybody may send as often as he likes fills no log, and is counted.
func TestStrangersFillNoLog(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{})
	for range 1000 {
		f.do(post("section=made-up"))
	}
	if lines := strings.Count(f.log.String(), "unknown_section"); lines < 1 || lines > 60 {
		t.Errorf("%d lines for 1000 requests", lines)
	}
	if got := testutil.ToFloat64(f.metrics.requests.WithLabelValues("other", "other", "unknown_section")); got != 1000 {
		t.Errorf("%v are counted", got)
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	var line throttle
	at := time.Unix(1000, 0)
	for _, step := range []struct {
		after  time.Duration
		tell   bool
		untold int64
	}{{0, true, 0}, {0, false, 0}, {999 * time.Millisecond, false, 0}, {time.Millisecond, true, 2}, {time.Minute, true, 0}} {
		at = at.Add(step.after)
		if tell, untold := line.tell(at); tell != step.tell || untold != step.untold {
			t.Errorf("after %v: %t, %d", step.after, tell, untold)
		}
	}
}

// Whatever a handler or a caller does, the number of series is bounded.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	calls := 0
	f := newFixture(Options{Handler: HandlerFunc(func(_ context.Context, _ *Request, d *Document) error {
		calls++
		d.SetKind(strconv.Itoa(calls))
		return nil
	})})
	for i := range maxNodeSeries + 10 {
		f.do(post("section=configuration&hostname=" + strconv.Itoa(i)))
	}
	if got := testutil.CollectAndCount(f.metrics.duration); got != maxKinds+1 {
		t.Errorf("%d kinds", got)
	}
	if got := testutil.CollectAndCount(f.metrics.nodeLast); got != maxNodeSeries {
		t.Errorf("%d series of nodes", got)
	}
}
