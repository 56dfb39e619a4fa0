package localrows

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"

	"xmlcurld/db"
	"xmlcurld/db/localrows/disk"
)

// view is the local rows at one moment, and what of them may not be answered.
type view struct {
	disk.View
	local  *Store
	unread changes
}

// Row implements db.Rows.
func (v view) Row(table, key string) ([]byte, error) {
	n := change{Relation: table, Key: key}
	switch table {
	case db.NodeTable:
		n.Key = ""
	case db.ContextTable:
		n.Key = ""
		if v.unread.table("context_extension") {
			return nil, errNotHeld
		}
	case db.NumberTable:
		n.Scope, n.Key, _ = strings.Cut(key, db.Separator)
	}
	if v.unread[n] {
		return nil, errNotHeld
	}
	if table == db.NumberTable { // there may be millions
		return v.Get(table, key), nil
	}
	return v.local.common.get(v.View, disk.At(table, key)), nil
}

// rowCache keeps rows in memory that many calls need. Whoever keeps edits takes them out of it, while nobody looks.
type rowCache struct {
	mu   sync.Mutex
	rows map[disk.Place][]byte
}

// rowsCached bounds the rows in memory.
const rowsCached = 10_000

func (c *rowCache) get(v disk.View, at disk.Place) []byte {
	c.mu.Lock()
	row, ok := c.rows[at]
	c.mu.Unlock()
	if ok {
		return row
	}
	row = bytes.Clone(v.Get(at.Bucket, at.Key))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows == nil || len(c.rows) >= rowsCached {
		c.rows = make(map[disk.Place][]byte)
	}
	c.rows[at] = row
	return row
}

func (c *rowCache) forget(edits map[disk.Place][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for at := range edits {
		delete(c.rows, at)
	}
}

func (c *rowCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows = nil
}

// changes are rows that changed and were not read yet.
type changes map[change]bool

// table reports whether a table without keys changed.
func (c changes) table(relation string) bool { return c[change{Relation: relation}] }

// any reports whether any row of a table changed.
func (c changes) any(relation string) bool {
	for n := range c {
		if n.Relation == relation {
			return true
		}
	}
	return false
}

// user reports whether a user, or the one who has its name for an alias, may have changed.
func (c changes) user(key userKey) bool {
	for n := range c {
		switch n.Relation {
		case "domain_user", "domain_user_param", "domain_user_variable":
			if n.Scope == key.Domain {
				return true
			}
		case "domain", "domain_param", "domain_variable":
			if n.Key == key.Domain {
				return true
			}
		case "context": // a domain's and a variable's may be another tenant's now
			return true
		case "tenant": // it is not known here whose the domain is
			return true
		}
	}
	return false
}

// look calls f with the local rows as they are, if they may answer at all while the database does not.
func (l *Store) look(f func(v view) error) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if _, usable := l.age(); !usable {
		return errNotHeld
	}
	doubtful := changes(nil)
	for n, since := range l.doubt {
		if l.tooOld(since) {
			if doubtful == nil {
				doubtful = make(changes)
			}
			doubtful[n] = true
		}
	}
	return l.view(doubtful, f)
}

func (l *Store) view(unread changes, f func(v view) error) error {
	return notHeld(l.file.View(func(v disk.View) error { return f(view{v, l, unread}) }))
}

// notHeld is err, which says that the local rows cannot answer where their file is damaged.
func notHeld(err error) error {
	if damage := (*disk.Damage)(nil); errors.As(err, &damage) {
		return fmt.Errorf("%w: %w", errNotHeld, err)
	}
	return err
}
