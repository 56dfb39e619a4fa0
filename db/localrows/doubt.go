package localrows

import "time"

// doubtTime is how long after it was known of the database must have answered for a change to be in doubt. Together with
// the time in which it becomes known that is less than a second: what was committed that long before the database went
// away is not answered as if it had not been.
const doubtTime = 500 * time.Millisecond

// expect takes note of what changed, before it is read.
func (l *Store) expect(news []change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, n := range news {
		if _, known := l.doubt[n]; !known {
			l.doubt[n] = now
		}
		if n.everything() {
			l.overtake()
		}
	}
}

// hasUnread reports whether there is something that has to be read, and is not only looked for.
func (l *Store) hasUnread() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.doubt) > 0
}

// overtake takes note that the local rows as a whole are no longer right.
func (l *Store) overtake() {
	if l.overtaken.IsZero() {
		l.overtaken = time.Now()
	}
}

// tooOld reports whether the database answered long after a change was known of, which was not read.
func (l *Store) tooOld(since time.Time) bool {
	return !since.IsZero() && l.pg.LastAnswer().Sub(since) > doubtTime
}
