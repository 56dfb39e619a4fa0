package localrows

import (
	"errors"
	"fmt"

	"xmlcurld/db/localrows/disk"
)

// view is the local rows at one moment, and what of them may not be answered.
type view struct {
	disk.View
	local  *Store
	unread changes
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
