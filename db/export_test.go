package db

import (
	"context"
	"errors"

	"go.etcd.io/bbolt"
)

// Ask asks whatever a test wants, as every question is asked.
func Ask(ctx context.Context, s *Store, query string) error {
	_, err := collect[Setting](ctx, s, "ask", query)
	return err
}

// Answered is when a host answered last, as far as s knows, in ns; 0: never.
func (s *Store) Answered() int64 { return s.answered.Load() }

// Follow brings the copy up to date, as Run does.
func (c *Copy) Follow(ctx context.Context) error { return c.follow(ctx) }

// Hurry has answers read as soon as rows.
func (c *Copy) Hurry() { c.patience = 0 }

// AgeCopy makes the file one of a version of this program that wrote it another way.
func AgeCopy(path string) error {
	bolt, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	err = bolt.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(ofState)).Put([]byte("format"), []byte("0")) })
	return errors.Join(err, bolt.Close())
}

// RefuseWrites has the file refuse what is written to it from now on, as a disk does that turned read-only.
func (c *Copy) RefuseWrites() error {
	if err := c.file.bolt.Close(); err != nil {
		return err
	}
	options := *bbolt.DefaultOptions
	options.ReadOnly = true
	bolt, err := bbolt.Open(c.path, 0o600, &options)
	c.file.bolt = bolt
	return err
}
