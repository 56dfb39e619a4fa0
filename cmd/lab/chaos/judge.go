//go:build linux

package chaos

import (
	"slices"
	"time"
)

// fresh is how old an answer may be that is not marked as stale; and how long a server may be connected before it must
// know of a commit, so that it never gives again, however marked, what that commit did away with.
const fresh = time.Second

// judged is a record with its verdict.
type judged struct {
	record
	verdict verdict
	since   time.Time // it had to be right at some time after that
}

// judgeAll judges all records. An answer is wrong in two ways. Either it never was right for this node and question. Or it
// was, but is outdated: one that is not marked as stale, by more than a second; one that is marked, by a commit after which
// the server was connected for a second. It was connected while all its answers of that kind were unmarked.
func judgeAll(t *truth, records []record) []judged {
	records = slices.SortedFunc(slices.Values(records), func(a, b record) int { return a.answered.Compare(b.answered) })
	all := make([]judged, 0, len(records))
	var connected [kinds]connection
	for _, r := range records {
		on := &connected[r.question.kind]
		j := judged{record: r}
		if r.outcome == answered {
			j.since = r.asked.Add(-fresh)
			if r.stale {
				j.since = on.knows
			}
			j.verdict = t.judge(r.question, r.answer, j.since, r.answered)
		}
		on.see(r)
		all = append(all, j)
	}
	return all
}

// connection is what can be seen from outside of whether a server is connected to a database.
type connection struct {
	since time.Time // zero: it is not
	knows time.Time // all that was committed before
}

// see takes note of an answer. Those to first-time questions may come by other ways.
func (c *connection) see(r record) {
	switch {
	case r.question.first:
	case r.outcome != answered || r.stale:
		c.since = time.Time{}
	case c.since.IsZero():
		c.since = r.answered
	case r.asked.Sub(c.since) >= fresh:
		c.knows = r.asked.Add(-fresh)
	}
}
