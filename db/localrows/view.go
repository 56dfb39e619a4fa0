package localrows

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"xmlcurld/db/localrows/disk"
	"xmlcurld/db/table"
)

// view is the local rows at one moment, and what of them may not be answered.
type view struct {
	disk.View
	local  *Store
	unread *unread
}

var _ table.Rows = (*view)(nil)

// Row implements table.Rows.
func (v *view) Row(of, key string) ([]byte, error) {
	if v.unread.row(of, key) {
		return nil, errNotHeld
	}
	switch of {
	case table.Number, table.User, table.AliasIndex: // there may be millions
		return v.Get(of, key), nil
	}
	return v.local.common.get(v.View, disk.At(of, key)), nil
}

// Each implements table.Rows.
func (v *view) Each(of, prefix string, f func(key string, value []byte) error) error {
	if v.unread.rowsWith(of, prefix) {
		return errNotHeld
	}
	return v.View.Each(of, prefix, f)
}

// Version implements table.Rows.
func (v *view) Version(tables ...string) uint64 {
	if v.unread.anyOf(tables) {
		return 0
	}
	sum := uint64(1)
	for _, of := range tables {
		sum += v.local.versions[of]
	}
	return sum
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

// view calls f with the local rows. An error says that they cannot answer, if their file is damaged.
func (l *Store) view(unread *unread, f func(table.Rows) error) error {
	err := l.file.View(func(v disk.View) error { return f(&view{v, l, unread}) })
	if damage := (*disk.Damage)(nil); errors.As(err, &damage) {
		return fmt.Errorf("%w: %w", errNotHeld, err)
	}
	return err
}
