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
# HELP xmlcurld_answer_bytes Size of answers. The last two bounds are 80 % and all of xmlcurld_answer_limit_bytes.
# TYPE xmlcurld_answer_bytes histogram
xmlcurld_answer_bytes_bucket{kind="acl.conf",section="configuration",le="1024"} 1
xmlcurld_answer_bytes_bucket{kind="acl.conf",section="configuration",le="1600"} 1
xmlcurld_answer_bytes_bucket{kind="acl.conf",section="configuration",le="2000"} 1
xmlcurld_answer_bytes_bucket{kind="acl.conf",section="configuration",le="+Inf"} 1
xmlcurld_answer_bytes_sum{kind="acl.conf",section="configuration"} 175
xmlcurld_answer_bytes_count{kind="acl.conf",section="configuration"} 1
xmlcurld_answer_bytes_bucket{kind="dialplan",section="dialplan",le="1024"} 2
xmlcurld_answer_bytes_bucket{kind="dialplan",section="dialplan",le="1600"} 3
xmlcurld_answer_bytes_bucket{kind="dialplan",section="dialplan",le="2000"} 3
xmlcurld_answer_bytes_bucket{kind="dialplan",section="dialplan",le="+Inf"} 3
xmlcurld_answer_bytes_sum{kind="dialplan",section="dialplan"} 1504
xmlcurld_answer_bytes_count{kind="dialplan",section="dialplan"} 3
xmlcurld_answer_bytes_bucket{kind="other",section="configuration",le="1024"} 0
xmlcurld_answer_bytes_bucket{kind="other",section="configuration",le="1600"} 0
xmlcurld_answer_bytes_bucket{kind="other",section="configuration",le="2000"} 0
xmlcurld_answer_bytes_bucket{kind="other",section="configuration",le="+Inf"} 0
xmlcurld_answer_bytes_sum{kind="other",section="configuration"} 0
xmlcurld_answer_bytes_count{kind="other",section="configuration"} 0
xmlcurld_answer_bytes_bucket{kind="other",section="other",le="1024"} 0
xmlcurld_answer_bytes_bucket{kind="other",section="other",le="1600"} 0
xmlcurld_answer_bytes_bucket{kind="other",section="other",le="2000"} 0
xmlcurld_answer_bytes_bucket{kind="other",section="other",le="+Inf"} 0
xmlcurld_answer_bytes_sum{kind="other",section="other"} 0
xmlcurld_answer_bytes_count{kind="other",section="other"} 0
# HELP xmlcurld_answer_limit_bytes Size from which on FreeSWITCH drops an answer.
# TYPE xmlcurld_answer_limit_bytes gauge
xmlcurld_answer_limit_bytes 2000
# HELP xmlcurld_requests_in_flight Requests being read or answered now.
# TYPE xmlcurld_requests_in_flight gauge
xmlcurld_requests_in_flight 0
# HELP xmlcurld_unknown_node_requests_total Requests of nodes that have no row and got the common answer.
# TYPE xmlcurld_unknown_node_requests_total counter
xmlcurld_unknown_node_requests_total 1
`
	if err := testutil.GatherAndCompare(f.reg, strings.NewReader(want), "xmlcurld_answer_bytes",
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
	if got := testutil.ToFloat64(f.metrics.degraded.WithLabelValues("directory", "user", "withheld")); got != 3 {
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
		if tell, untold := line.tell(at, time.Second); tell != step.tell || untold != step.untold {
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
