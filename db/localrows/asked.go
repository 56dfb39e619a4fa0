package localrows

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"xmlcurld/db"
	"xmlcurld/db/localrows/disk"
)

const (
	// noNode is the node of questions that come from nodes without a row: the answers are the same for all of them.
	noNode = ""
	// askedMost bounds the questions that are kept for one node, which asks a few dozen, and those that are the same for all
	// nodes: a few for each domain. Of more, those that were asked longest ago are forgotten.
	askedMost       = 500
	askedMostCommon = 5000
)

// askedQuestions are those whose answers are kept, and when each was asked last, in ns.
type askedQuestions map[question]*atomic.Int64

func (a askedQuestions) add(q question, at time.Time) {
	a[q] = new(atomic.Int64)
	a[q].Store(at.UnixNano())
}

// oldest returns which of node's questions was asked longest ago, and how many it has.
func (a askedQuestions) oldest(node string) (oldest question, count int) {
	for q, at := range a {
		if q.node() != node {
			continue
		}
		if count++; count == 1 || at.Load() < a[oldest].Load() {
			oldest = q
		}
	}
	return oldest, count
}

// latestFirst sorts questions, those that were asked last first.
func (a askedQuestions) latestFirst(questions iter.Seq[question]) []question {
	at := func(q question) int64 {
		if a[q] == nil {
			return 0
		}
		return a[q].Load()
	}
	times := make(map[question]int64)
	for q := range questions {
		times[q] = at(q) // which changes while they are sorted
	}
	return slices.SortedFunc(maps.Keys(times), func(p, q question) int { return cmp.Compare(times[q], times[p]) })
}

// note takes note that node asked a question. nodeKnown says whether the node has a row.
func (l *Store) note(nodeKnown bool, operation, node string, args ...string) {
	if !nodeKnown {
		node = noNode
	}
	q, ok := questionOf(operation, node, args...)
	if !ok {
		return
	}
	now := time.Now()
	l.mu.RLock()
	last := l.asked[q]
	if last != nil {
		last.Store(now.UnixNano())
	}
	l.mu.RUnlock()
	if last == nil {
		l.ask(q, now)
	}
}

// noteDomains is note about domains that are the same for all nodes. What was not found is not kept: whoever makes names up
// would fill the local rows.
func (l *Store) noteDomains(found []db.Domain, withUsers bool, operation string, args ...string) {
	has := func(d db.Domain) bool { return !withUsers || len(d.Users) > 0 }
	if slices.ContainsFunc(found, has) {
		l.note(true, operation, db.Common, args...)
	}
}

// ask adds q to the questions whose answers are kept, and has it read.
func (l *Store) ask(q question, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked[q] != nil {
		return
	}
	l.asked.add(q, now)
	l.waiting[q] = now
	most := askedMost
	if q.node() == db.Common {
		most = askedMostCommon
	}
	if oldest, count := l.asked.oldest(q.node()); count > most {
		l.forget(oldest)
	}
	l.awake()
}

// forget forgets q, at once where it is answered, and with the next write in the file.
func (l *Store) forget(q question) {
	delete(l.asked, q)
	delete(l.waiting, q)
	l.forgotten[q] = true
}

// forgetNodes forgets the questions of nodes that edits remove.
func (l *Store) forgetNodes(edits map[disk.Place][]byte) {
	for q := range l.asked {
		value, edited := edits[disk.At(db.NodeTable, q.node())]
		if edited && value == nil {
			l.forget(q)
		}
	}
}

// eraseForgotten adds to edits that what was forgotten is no longer in the file.
func (l *Store) eraseForgotten(edits map[disk.Place][]byte) {
	for q := range l.forgotten {
		if l.asked[q] == nil { // else it was asked again since
			edits[disk.At(ofAnswers, string(q))] = nil
			edits[disk.At(ofWaiting, string(q))] = nil
		}
	}
	clear(l.forgotten)
}
