package localrows

import (
	"context"
	"errors"

	"go.etcd.io/bbolt"
)

// AskedMost bounds the questions that are kept for a node.
const AskedMost = askedMost

// Asked returns the questions whose answers the local rows keep, by who asks them, and Kept those in its file.
func (l *Store) Asked() map[string]int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return count(l.asked)
}

func (l *Store) Kept() map[string]int {
	kept, _ := l.questions()
	return count(kept)
}

func count(questions askedQuestions) map[string]int {
	counts := make(map[string]int)
	for q := range questions {
		counts[q.node()]++
	}
	return counts
}

// Relations are the tables that the answers to each operation are made of.
func Relations() map[string][]string {
	relations := make(map[string][]string)
	for name, operation := range keptOperations {
		relations[name] = operation.relations
	}
	return relations
}

// Follow brings the local rows up to date, as Run does.
func (l *Store) Follow(ctx context.Context) error { return l.follow(ctx) }

// Hurry has answers read as soon as rows.
func (l *Store) Hurry() { l.debounce = 0 }

// AgeFile makes the file one of a version of this program that wrote it another way.
func AgeFile(path string) error {
	bolt, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	err = bolt.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("state")).Put([]byte("format"), []byte("0")) })
	return errors.Join(err, bolt.Close())
}

// RefuseWrites has the file refuse what is written to it from now on.
func (l *Store) RefuseWrites() error { return l.file.RefuseWrites() }
