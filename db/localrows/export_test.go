package localrows

import (
	"context"
	"errors"

	"go.etcd.io/bbolt"
)

// Follow brings the local rows up to date, as Run does.
func (l *Store) Follow(ctx context.Context) error { return l.follow(ctx) }

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
