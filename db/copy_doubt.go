package db

import (
	"slices"
	"time"
)

// doubtTime is how long after it was known of the database must have answered for a change to be in doubt. Together with
// the time in which it becomes known that is less than a second: what was committed that long before the database went
// away is not answered as if it had not been.
const doubtTime = 500 * time.Millisecond

// expect takes note of what changed, before it is read, and of the questions that have to be asked again.
func (c *Copy) expect(news []change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, relations := time.Now(), make(map[string]bool)
	for _, n := range news {
		if _, known := c.doubt[n]; !known {
			c.doubt[n] = now
		}
		relations[n.Relation] = true
		if n.everything() {
			c.overtake()
		}
	}
	for q := range c.asked {
		if _, waits := c.waiting[q]; !waits && q.concerns(relations) {
			c.waiting[q] = now
		}
	}
}

// unread are the questions whose answers have to be read, and waited long enough: when many nodes are given what changed,
// the copy is not in their way. Those that were asked last come first.
func (c *Copy) unread() (questions []question) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for q, since := range c.waiting {
		if time.Since(since) >= c.patience {
			questions = append(questions, q)
		}
	}
	return c.asked.latestFirst(slices.Values(questions))
}

// hasUnread reports whether there is something that has to be read, and is not only looked for.
func (c *Copy) hasUnread() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.waiting)+len(c.doubt) > 0
}

// overtake takes note that the whole of the copy is no longer right.
func (c *Copy) overtake() {
	if c.overtaken.IsZero() {
		c.overtaken = time.Now()
	}
}

// tooOld reports whether the database answered long after a change was known of, which was not read.
func (c *Copy) tooOld(since time.Time) bool {
	return !since.IsZero() && time.Unix(0, c.store.answered.Load()).Sub(since) > doubtTime
}

// doubts reports whether n changed and was not read yet, although the database answered.
func (c *Copy) doubts(n change) bool {
	return c.tooOld(c.doubt[n])
}

// doubtsTable is doubts for a table without keys.
func (c *Copy) doubtsTable(relation string) bool { return c.doubts(change{Relation: relation}) }

// doubtsAny is doubts for any row of a table.
func (c *Copy) doubtsAny(relation string) bool {
	for n := range c.doubt {
		if n.Relation == relation && c.doubts(n) {
			return true
		}
	}
	return false
}
