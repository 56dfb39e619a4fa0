package xmlcurl

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"
)

// account counts, times and logs one exchange, and tells who watches: the only place that does.
func (s *Server) account(ctx context.Context, x *exchange, took time.Duration) {
	m := s.metrics.kind(x.labels())
	m.observe(x.outcome, took)
	s.tellWatcher(x, took)
	if x.document != nil {
		s.accountAnswer(ctx, x, m)
		s.accountNode(ctx, x)
		s.accountStale(ctx, x)
		s.accountWithheld(ctx, x)
	}
	if x.outcome == overloaded {
		s.accountRefusal(ctx)
	}
	level := verdicts[x.outcome].level
	if !s.log.Enabled(ctx, level) {
		return
	}
	attrs := x.attrs(took)
	if verdicts[x.outcome].strangers {
		tell, untold := s.strangers[x.outcome].tell(time.Now(), strangersEvery)
		if !tell {
			return
		}
		attrs = append(attrs, slog.Int64("like_it_before", untold))
	}
	s.log.LogAttrs(ctx, level, "request", attrs...)
}

// strangersEvery is the least time between two lines in the log about what anybody may send as often as he likes, of one
// outcome each.
const strangersEvery = time.Second

// refusalsEvery is likewise for requests for which there was no room: to write a line for each would take what is needed for
// answers.
const refusalsEvery = 10 * time.Second

// throttle lets one line through at a time and counts the others.
type throttle struct{ told, untold atomic.Int64 }

// tell reports whether the line may be written, the first in so much time, and how many were not since the last one.
func (t *throttle) tell(now time.Time, every time.Duration) (tell bool, untold int64) {
	last := t.told.Load()
	if now.UnixNano()-last < int64(every) || !t.told.CompareAndSwap(last, now.UnixNano()) {
		t.untold.Add(1)
		return false, 0
	}
	return true, t.untold.Swap(0)
}

// labels are words from closed sets, whatever the caller sent.
func (x *exchange) labels() labels {
	l := labels{section: other, kind: other}
	if x.request != nil && knownSection(x.request.Section) {
		l.section = x.request.Section
	}
	if x.document != nil {
		l.kind = x.document.kind
	}
	return l
}

// accountAnswer keeps the size of an answer, and warns once per kind when it comes near to the limit: past it, FreeSWITCH
// drops the answer with a line in its log that does not say which.
func (s *Server) accountAnswer(ctx context.Context, x *exchange, m *kindMetrics) {
	if x.outcome != found && x.outcome != overLimit {
		return
	}
	size := int64(len(x.document.out))
	m.bytes.Observe(float64(size))
	if x.outcome == found && size > warnPart(s.answerLimit) && m.nearLimit.CompareAndSwap(false, true) {
		s.log.LogAttrs(ctx, slog.LevelWarn, "answer past 80 % of what FreeSWITCH accepts: raise the limit at both ends",
			slog.String("kind", x.document.kind), slog.Int64("bytes", size), slog.Int64("limit", s.answerLimit))
	}
}

// accountRefusal tells, now and then, that there is no room.
func (s *Server) accountRefusal(ctx context.Context) {
	if tell, _ := s.refusals.tell(time.Now(), refusalsEvery); !tell {
		return
	}
	s.log.LogAttrs(ctx, slog.LevelWarn, "more is asked than can be answered, the rest is refused",
		slog.Int64("in_flight", s.limiters.calls.inUse.Load()), slog.Int64("limit", s.limiters.calls.limit))
}

func (s *Server) accountNode(ctx context.Context, x *exchange) {
	node := x.request.Hostname
	if x.claimed != "" {
		s.metrics.misnamedRequests.Inc()
		if s.metrics.misnamed.add(node + " " + x.claimed) {
			s.log.LogAttrs(ctx, slog.LevelWarn, "node says that it is another, and gets its own documents",
				slog.String("node", node), slog.String("says", printable(x.claimed)))
		}
	}
	switch {
	case x.document.nodeUnknown:
		s.metrics.unknownNodeRequests.Inc()
		if s.metrics.unknownNodes.add(node) {
			s.log.LogAttrs(ctx, slog.LevelInfo, "node without a row of its own gets the common answers",
				slog.String("node", printable(node)))
		}
	case x.outcome == found && x.request.Section == "configuration":
		s.metrics.nodeAsked(node, x.document.kind)
	}
}

// staleAgain is how long no stale answer was given before the next is logged again.
const staleAgain = time.Minute

// accountStale counts a stale answer, and logs the first of many.
func (s *Server) accountStale(ctx context.Context, x *exchange) {
	d := x.document
	if !d.stale {
		return
	}
	s.metrics.degraded.WithLabelValues(x.request.Section, d.kind, "stale").Inc()
	now := time.Now()
	if last := s.lastStale.Swap(now.UnixNano()); now.Sub(time.Unix(0, last)) > staleAgain {
		s.log.LogAttrs(ctx, slog.LevelWarn, "stale answers are given until the database answers",
			slog.Duration("age", d.age.Round(time.Second)), slog.String("error", printable(d.cause.Error())))
	}
}

// accountWithheld counts an answer that left something out, and logs once what its row says.
func (s *Server) accountWithheld(ctx context.Context, x *exchange) {
	d := x.document
	if len(d.withheld) == 0 {
		return
	}
	s.metrics.degraded.WithLabelValues(x.request.Section, d.kind, "withheld").Inc()
	for _, err := range d.withheld {
		if s.metrics.withheldRows.add(err.Error()) {
			s.log.LogAttrs(ctx, slog.LevelError, "left out of an answer because of what its row says",
				slog.String("kind", d.kind), slog.String("error", printable(err.Error())))
		}
	}
}

// attrs tells what was asked and how it ended. The form is never told: it can hold hashes and passwords.
func (x *exchange) attrs(took time.Duration) []slog.Attr {
	attrs := make([]slog.Attr, 0, 10)
	attrs = append(attrs, slog.String("result", verdicts[x.outcome].result), slog.Int("status", verdicts[x.outcome].status),
		slog.Duration("took", took))
	if x.request != nil {
		attrs = append(attrs, slog.String("node", printable(x.request.Hostname)),
			slog.String("section", printable(x.request.Section)), slog.String("asked", printable(x.request.KeyValue)))
	}
	if x.document != nil {
		attrs = append(attrs, slog.String("kind", x.document.kind), slog.Int("bytes", x.sent))
	}
	if x.err != nil {
		attrs = append(attrs, slog.String("error", printable(x.err.Error())))
	}
	if p := new(panicError); errors.As(x.err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	return attrs
}

// printable is s cut to 256 bytes, with whatever is not plain ASCII escaped as in a Go string.
func printable(s string) string {
	const most = 256
	more := ""
	if len(s) > most {
		s, more = s[:most], "..."
	}
	quoted := strconv.QuoteToASCII(s)
	return quoted[1:len(quoted)-1] + more
}
