package db

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"sync/atomic"
	"time"
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

// asked tells the copy, if there is one, that node asked a question. nodeKnown says whether the node has a row.
func (s *Store) asked(nodeKnown bool, operation, node string, args ...string) {
	c := s.copied.Load()
	if c == nil {
		return
	}
	if !nodeKnown {
		node = noNode
	}
	q, ok := questionOf(operation, node, args...)
	if !ok {
		return
	}
	now := time.Now()
	c.mu.RLock()
	last := c.asked[q]
	if last != nil {
		last.Store(now.UnixNano())
	}
	c.mu.RUnlock()
	if last == nil {
		c.ask(q, now)
	}
}

// askedDomains is asked about domains that are the same for all nodes. What was not found is not kept: whoever makes names
// up would fill the copy.
func (s *Store) askedDomains(found []Domain, withUsers bool, operation string, args ...string) {
	has := func(d Domain) bool { return !withUsers || len(d.Users) > 0 }
	if slices.ContainsFunc(found, has) {
		s.asked(true, operation, Common, args...)
	}
}

// ask adds q to the questions whose answers are kept, and has it read.
func (c *Copy) ask(q question, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked[q] != nil {
		return
	}
	c.asked.add(q, now)
	c.waiting[q] = now
	most := askedMost
	if q.node() == Common {
		most = askedMostCommon
	}
	if oldest, count := c.asked.oldest(q.node()); count > most {
		c.forget(oldest)
	}
	c.awake()
}

// forget forgets q, at once where it is answered, and with the next write in the file.
func (c *Copy) forget(q question) {
	delete(c.asked, q)
	delete(c.waiting, q)
	c.forgotten[q] = true
}

// forgetNodes forgets the questions of nodes that edits remove.
func (c *Copy) forgetNodes(edits map[place][]byte) {
	for q := range c.asked {
		value, edited := edits[place{ofNodes, q.node()}]
		if edited && value == nil {
			c.forget(q)
		}
	}
}

// eraseForgotten adds to edits that what was forgotten is no longer in the file.
func (c *Copy) eraseForgotten(edits map[place][]byte) {
	for q := range c.forgotten {
		if c.asked[q] == nil { // else it was asked again since
			edits[place{ofAnswers, string(q)}] = nil
			edits[place{ofWaiting, string(q)}] = nil
		}
	}
	clear(c.forgotten)
}
