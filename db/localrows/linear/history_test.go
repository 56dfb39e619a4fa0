package linear_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// object is something in the database, with all its versions so far. Versions are made one after the other.
type object struct {
	kind *kind
	i    string // which one of its kind
	asks []ask  // of the kind's questions

	wanted []atomic.Pointer[wanted] // for each question, the answer that was wanted last

	writing   sync.Mutex   // held by who makes a version
	started   atomic.Int64 // the last version whose making has begun
	committed atomic.Int64 // the last version whose COMMIT has returned
	seen      atomic.Int64 // the last version that an answer showed

	mu       sync.Mutex
	made     []made          // the last ones
	restored map[int64]int64 // versions that a restore made: each shows as the one that was backed up
}

// made is how a version was made.
type made struct {
	version               int64
	how                   string
	begun, asked, commits time.Time // the making, and the COMMIT: asked for, and returned
}

// madeKept is how many versions a report tells of.
const madeKept = 6

func (o *object) String() string { return o.kind.name + " " + o.i }

// begin begins another version, which answers may show from now on.
func (o *object) begin() (v int64) { return o.started.Add(1) }

// end takes note that the COMMIT of version v has returned: from now on no answer may show an earlier one.
func (o *object) end(m made) {
	o.mu.Lock()
	o.made = append(o.made[max(0, len(o.made)-madeKept+1):], m)
	o.mu.Unlock()
	o.committed.Store(m.version)
}

// shows is the version that v shows as.
func (o *object) shows(v int64) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if former, ok := o.restored[v]; ok {
		return former
	}
	return v
}

// least is the version that an answer has to show that is asked for now, or a later one.
func (o *object) least() int64 { return max(o.committed.Load(), o.seen.Load()) }

// versionOf returns the version that an answer to question q shows: the earliest from least on that has this answer. It
// returns false if no version from least to the last one has.
func (o *object) versionOf(q int, shown string, least int64) (int64, bool) {
	for v := least; v <= o.started.Load(); v++ {
		if o.want(q, o.shows(v)) == shown {
			return v, true
		}
	}
	return 0, false
}

// saw takes note that an answer showed version v.
func (o *object) saw(v int64) {
	for seen := o.seen.Load(); v > seen && !o.seen.CompareAndSwap(seen, v); seen = o.seen.Load() {
	}
}

// report tells how an answer to question q, asked for and given then, is wrong.
func (o *object) report(q int, shown string, least int64, asked, answered time.Time) string {
	const clock = "15:04:05.000000"
	var text strings.Builder
	last := o.started.Load()
	fmt.Fprintf(&text, "%v, question %d, asked at %s, answered at %s: version %d was committed or seen before, version %d has begun\n  answer: %s",
		o, q, asked.Format(clock), answered.Format(clock), least, last, shown)
	for v := max(1, least-2); v <= last; v++ {
		fmt.Fprintf(&text, "\n  version %d is %s", v, o.want(q, o.shows(v)))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.made {
		fmt.Fprintf(&text, "\n  version %d: %s, begun at %s, COMMIT from %s to %s", m.version, m.how,
			m.begun.Format(clock), m.asked.Format(clock), m.commits.Format(clock))
	}
	return text.String()
}
