//go:build linux

package chaos

import (
	"testing"
	"time"
)

// at is a time in seconds of a made-up run.
func at(seconds float64) time.Time {
	return time.Unix(1_000_000, 0).Add(time.Duration(seconds * float64(time.Second)))
}

// given is an answer to q at a time.
func given(q *question, answer string, seconds float64, stale bool) record {
	return record{question: q, asked: at(seconds), answered: at(seconds + 0.01), stale: stale, answer: digestOf([]byte(answer))}
}

// Somebody has the answer "old" until second 10, "new" from then on; the server answers from the database until
// second 20 unless a test says otherwise.
func TestJudge(t *testing.T) {
	t.Parallel()
	q := &question{kind: dialplan, about: "+27123456789", node: "node01"}
	other := &question{kind: directory, about: "1000@t0001.example", node: "node01"}
	connected := func(of *question, answer string, from, until float64) (records []record) {
		for s := from; s < until; s += 0.1 {
			records = append(records, given(of, answer, s, false))
		}
		return records
	}
	for _, test := range []struct {
		name    string
		before  []record
		is      record
		verdict verdict
	}{
		{"as it is", nil, given(q, "new", 15, false), right},
		{"as it was", nil, given(q, "old", 5, false), right},
		{"of the future", nil, given(q, "new", 5, false), neverRight},
		{"of nobody", nil, given(q, "nonsense", 15, false), neverRight},
		{"a moment old", nil, given(q, "old", 10.9, false), right},
		{"old, not marked", nil, given(q, "old", 11.1, false), outdated},
		{"old, marked, never connected since", connected(q, "old", 0, 9), given(q, "old", 30, true), right},
		{"old, marked, connected for less than a second since", connected(q, "old", 0, 10.8), given(q, "old", 30, true), right},
		{"old, marked, connected for a second since", connected(q, "new", 10.1, 11.5), given(q, "old", 30, true), outdated},
		{"the same for other questions only", connected(other, "other", 10.1, 11.5), given(q, "old", 30, true), right},
		{"new, marked", connected(q, "new", 10.1, 11.5), given(q, "new", 30, true), right},
		{"nonsense, marked", nil, given(q, "nonsense", 30, true), neverRight},
		{"a failure", nil, record{question: q, asked: at(15), answered: at(16), outcome: timedOut}, right},
		{"connected now and then, never for a second", append(append(
			connected(q, "new", 10.1, 11), given(q, "old", 11, true)), connected(q, "new", 11.1, 12)...),
			given(q, "old", 30, true), right},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			truth := newTruth()
			learn := func(q *question, answer string, from float64) {
				truth.learn([]*question{q}, []digest{digestOf([]byte(answer))}, at(from), at(from))
			}
			learn(q, "old", 0)
			learn(q, "new", 10)
			learn(other, "other", 0)
			all := judgeAll(truth, append(test.before, test.is))
			if got := all[len(all)-1].verdict; got != test.verdict {
				t.Errorf("verdict %d, want %d", got, test.verdict)
			}
		})
	}
}

// Between the two looks at the clock around a commit both are right.
func TestCommitTakesTime(t *testing.T) {
	t.Parallel()
	q := &question{}
	truth := newTruth()
	old, recent := digestOf([]byte("old")), digestOf([]byte("new"))
	truth.learn([]*question{q}, []digest{old}, at(0), at(0))
	truth.learn([]*question{q}, []digest{recent}, at(10), at(11))
	truth.learn([]*question{q}, []digest{recent}, at(20), at(21)) // changes nothing
	for _, answer := range []digest{old, recent} {
		if got := truth.judge(q, answer, at(10.5), at(10.5)); got != right {
			t.Errorf("verdict %d", got)
		}
	}
	if got := truth.changes(); got != 1 {
		t.Errorf("%d changes", got)
	}
}
