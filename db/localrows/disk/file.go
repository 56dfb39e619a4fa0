// Package disk is a file of values, in buckets and by keys, that notices when it is damaged. It is a bbolt file, which is read
// in place: what is looked at costs what it is, however much there is.
package disk

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// File holds the local rows: a bbolt file, and in memory what could not be written to it yet.
type File struct {
	bolt   *bbolt.DB
	os     *os.File // bolt's
	path   string
	layout Layout

	mu      sync.RWMutex
	state   []byte
	written time.Time // when the state was
	pending map[Place][]byte

	beginning sync.Mutex             // who begins to read
	stuck     atomic.Bool            // whoever calls bolt waits for ever
	damage    atomic.Pointer[Damage] // nil: it is whole, as far as is known
	checking  sync.Mutex             // who writes, or looks whether somebody else wrote
	writing   atomic.Bool
	stamp     time.Time // the file's time of change since it was written or inspected last
	size      int64
}

// Place is where a value stands: a bucket of the file and a key in it.
type Place struct{ Bucket, Key string }

// At returns a place.
func At(bucket, key string) Place { return Place{bucket, key} }

// Layout is what a file holds.
type Layout struct {
	Buckets []string
	Format  string // goes up when values are written another way: the file is then made anew
}

// all are the buckets with that of the state. Files have one Layout in common, which nobody may append to.
func (l Layout) all() []string { return append(slices.Clone(l.Buckets), stateBucket) }

const (
	// stateBucket holds what the file says of itself.
	stateBucket = "state"
	stateKey    = "now"
	formatKey   = "format"
	// pendingMost bounds what is kept in memory while the file cannot be written.
	pendingMost = 100_000
	// stateTime is how old the state in the file may be for want of anything else to write.
	stateTime = 30 * time.Second
	lockTime  = time.Second
)

// Open opens or makes the file, for nobody else to read. One that is damaged, or of another version, is emptied, and
// lost says why. A file that is only not to be read or written stays as it is.
func Open(path string, layout Layout) (f *File, lost *Damage, err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // such as the folder that Docker makes for a file that is not there
		if err := os.Remove(path); err != nil {
			return nil, nil, fmt.Errorf("open %s: something else is in its place, move it away: %w", path, err)
		}
		lost = &Damage{Reason: "it is no file"}
	}
	f, emptied, err := open(path, layout)
	if bad := (*Damage)(nil); errors.As(err, &bad) {
		emptied = bad
		f, err = Create(path, layout)
	}
	return f, cmp.Or(emptied, lost), err
}

// Create makes the file anew.
func Create(path string, layout Layout) (*File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("make %s anew: %w", path, err)
	}
	f, _, err := open(path, layout)
	return f, err
}

func open(path string, layout Layout) (f *File, lost *Damage, err error) {
	f = &File{path: path, layout: layout, pending: map[Place][]byte{}}
	options := &bbolt.Options{Timeout: lockTime, FreelistType: bbolt.FreelistMapType}
	options.OpenFile = func(path string, flag int, mode os.FileMode) (file *os.File, err error) {
		file, lost, err = openWhole(path, flag, mode, layout)
		f.os = file
		return file, err
	}
	err = guarded(func() error {
		f.bolt, err = bbolt.Open(path, 0o600, options)
		return err
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, nil, fmt.Errorf("open %s: another server has it, give each its own data_dir: %w", path, err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := f.prepare(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open %s: %w", path, err), f.Close())
	}
	return f, lost, nil
}

// openWhole opens a file for bbolt, which trusts it and crashes over one that is not whole. It is locked first, as bbolt
// would: another server's, half written, is not taken for damaged.
func openWhole(path string, flag int, mode os.FileMode, layout Layout) (file *os.File, lost *Damage, err error) {
	if file, err = os.OpenFile(path, flag, mode); err != nil {
		return nil, nil, err
	}
	if err = lockFile(file); err == nil {
		lost, err = emptyDamaged(file, layout)
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, lost, nil
}

func lockFile(file *os.File) error {
	for until := time.Now().Add(lockTime); ; time.Sleep(lockTime / 20) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if time.Now().After(until) {
			return berrors.ErrTimeout
		}
	}
}

func emptyDamaged(file *os.File, layout Layout) (*Damage, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	lost := inspect(file, info.Size(), layout)
	if lost == nil {
		return nil, nil
	}
	return lost, file.Truncate(0)
}

// prepare reads the state. A file that is new is given its buckets.
func (f *File) prepare() error {
	fresh := false
	err := guarded(func() error {
		return f.bolt.View(func(tx *bbolt.Tx) error {
			if fresh = tx.Bucket([]byte(stateBucket)) == nil; fresh {
				return nil
			}
			f.state = bytes.Clone((View{f, tx, nil}).Get(stateBucket, stateKey))
			return nil
		})
	})
	if err != nil {
		return err
	}
	if fresh {
		return f.update(f.makeBuckets)
	}
	f.remember()
	return nil
}

func (f *File) makeBuckets(tx *bbolt.Tx) error {
	for _, name := range f.layout.all() {
		if _, err := tx.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	return tx.Bucket([]byte(stateBucket)).Put([]byte(formatKey), []byte(f.layout.Format))
}

// closeTime is how long bbolt may take to close a damaged file. A crash within it may have left it locked for good.
const closeTime = time.Second

// Close writes nothing that is pending.
func (f *File) Close() error {
	if f.damage.Load() == nil {
		if err := f.bolt.Close(); err != nil {
			return fmt.Errorf("close %s: %w", f.path, err)
		}
		return nil
	}
	closed := make(chan struct{})
	go func() {
		_ = guarded(f.bolt.Close) // whatever it says is about a file that nobody needs any more
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(closeTime):
	}
	return nil
}

// guarded calls f, which reads what is mapped from the file. Where that was cut off or changed under the program, bbolt
// crashes: that is an error here.
func guarded(f func() error) (err error) {
	before := debug.SetPanicOnFault(true) // else to read past the file's end kills the program
	defer debug.SetPanicOnFault(before)
	defer func() {
		switch crash := recover().(type) {
		case nil:
		case *Damage:
			err = crash
		default:
			err = &Damage{Reason: fmt.Sprint(crash)}
		}
	}()
	return f()
}

// update writes to the file. It is not begun on one that is damaged, and what crashes within it damages the file.
func (f *File) update(write func(tx *bbolt.Tx) error) error {
	f.check()
	if d := f.damage.Load(); d != nil {
		return d
	}
	f.checking.Lock()
	defer f.checking.Unlock()
	f.writing.Store(true)
	defer f.writing.Store(false)
	err := guarded(func() error { return f.bolt.Update(write) })
	if d := (*Damage)(nil); errors.As(err, &d) {
		f.harm(&Damage{Reason: d.Reason}) // and half of what was to be written is not there
	}
	f.remember()
	return err
}

// remember marks the file as it is. Its time of change is set to one that no other writer would give it: the clock of file
// systems is coarse.
func (f *File) remember() {
	now := time.Now().Truncate(time.Millisecond).Add(-time.Millisecond + 357*time.Microsecond)
	at := syscall.NsecToTimeval(now.UnixNano())
	_ = syscall.Futimes(int(f.os.Fd()), []syscall.Timeval{at, at}) // where it cannot be set, it is what it is
	if info, err := f.os.Stat(); err == nil {
		f.stamp, f.size = info.ModTime(), info.Size()
	}
}

// check inspects the file if somebody else wrote to it. bbolt reads what is there at the moment.
func (f *File) check() {
	if f.writing.Load() || f.stuck.Load() {
		return
	}
	f.checking.Lock()
	defer f.checking.Unlock()
	info, err := f.os.Stat()
	switch {
	case err != nil:
		f.harm(&Damage{Reason: err.Error()})
	case !info.ModTime().Equal(f.stamp) || info.Size() != f.size:
		if d := inspect(f.os, info.Size(), f.layout); d != nil {
			f.harm(d)
		}
		f.stamp, f.size = info.ModTime(), info.Size()
	}
}

// Harmed returns what is wrong with the file, nil if nothing is known to be.
func (f *File) Harmed() *Damage {
	f.check()
	if d := f.damage.Load(); d != nil {
		return d
	}
	own, err := f.os.Stat()
	there, gone := os.Stat(f.path)
	if err == nil && (gone != nil || !os.SameFile(own, there)) {
		return &Damage{Reason: "it was removed or replaced"}
	}
	return nil
}

// Replace gives the file the name of another one, which it replaces.
func (f *File) Replace(path string) error {
	if err := os.Rename(f.path, path); err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	f.path = path
	return nil
}

// State returns what was kept last of the file as a whole, nil if nothing was.
func (f *File) State() []byte {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.state
}

// Keep takes edits over, to be seen at once and written by flush. It reports whether there is more than it can hold:
// then everything has to be read again, once the file can be written.
func (f *File) Keep(edits map[Place][]byte, state []byte) (full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for at, value := range edits {
		f.pending[at] = value
	}
	f.state = state
	if len(f.pending) > pendingMost {
		clear(f.pending)
		return true
	}
	return false
}

// Flush writes what is pending. Only one goroutine keeps and flushes.
func (f *File) Flush() error {
	f.mu.RLock()
	idle := len(f.pending) == 0 && time.Since(f.written) < stateTime
	f.mu.RUnlock()
	if idle {
		return nil
	}
	return f.flush()
}

// Finish keeps state and writes it at once.
func (f *File) Finish(state []byte) error {
	f.Keep(nil, state)
	return f.flush()
}

// Write writes edits straight to the file, which nobody reads yet.
func (f *File) Write(edits map[Place][]byte) error {
	return f.update(func(tx *bbolt.Tx) error {
		for _, name := range f.layout.Buckets {
			tx.Bucket([]byte(name)).FillPercent = 0.9 // in order, little is inserted between
		}
		return putAll(tx, edits)
	})
}

func (f *File) flush() error {
	if err := f.update(f.writePending); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.pending)
	f.written = time.Now()
	return nil
}

func (f *File) writePending(tx *bbolt.Tx) error {
	if err := putAll(tx, f.pending); err != nil {
		return err
	}
	return put(tx, Place{stateBucket, stateKey}, f.state)
}

// put stores value, or deletes what is there when it is nil.
func put(tx *bbolt.Tx, at Place, value []byte) error {
	if value == nil {
		return tx.Bucket([]byte(at.Bucket)).Delete([]byte(at.Key))
	}
	return tx.Bucket([]byte(at.Bucket)).Put([]byte(at.Key), sealed(at, value))
}

// putAll stores values in the order of their places, in which bbolt is quickest.
func putAll(tx *bbolt.Tx, values map[Place][]byte) error {
	for _, at := range slices.SortedFunc(maps.Keys(values), comparePlaces) {
		if err := put(tx, at, values[at]); err != nil {
			return err
		}
	}
	return nil
}

func comparePlaces(a, b Place) int {
	return cmp.Or(strings.Compare(a.Bucket, b.Bucket), strings.Compare(a.Key, b.Key))
}

// View is the file at one moment. Its values are good until the view ends.
type View struct {
	file    *File
	tx      *bbolt.Tx
	pending map[Place][]byte
}

// View calls look with the file as it is. Where look comes upon damage, it ends there, and view returns the damage.
func (f *File) View(look func(v View) error) error {
	f.check()
	f.mu.RLock()
	defer f.mu.RUnlock()
	tx, err := f.begin()
	if err != nil {
		return err
	}
	err = guarded(func() error { return look(View{f, tx, f.pending}) })
	if d := (*Damage)(nil); errors.As(err, &d) {
		f.harm(d)
	}
	if !f.stuck.Load() {
		_ = tx.Rollback()
	}
	return err
}

// begin begins to read. A crash within that leaves bbolt locked for good, so then it is not called any more.
func (f *File) begin() (tx *bbolt.Tx, err error) {
	f.beginning.Lock()
	defer f.beginning.Unlock()
	if d := f.damage.Load(); d != nil && d.Buckets == nil {
		return nil, d
	}
	err = guarded(func() error {
		tx, err = f.bolt.Begin(false)
		return err
	})
	if d := (*Damage)(nil); errors.As(err, &d) {
		f.stuck.Store(true)
		f.harm(d)
	}
	return tx, err
}

// harm takes note of damage, unless worse is known.
func (f *File) harm(d *Damage) {
	if !f.damage.CompareAndSwap(nil, d) && d.Buckets == nil {
		f.damage.Store(d)
	}
}

// Get returns a value, nil if there is none. It panics with the damage, for view to return, if there is no telling.
func (v View) Get(bucket, key string) []byte {
	if value, ok := v.pending[Place{bucket, key}]; ok {
		return value
	}
	stored := v.tx.Bucket([]byte(bucket)).Get([]byte(key))
	if stored == nil {
		v.mustBeWhole(bucket)
		return nil
	}
	return mustOpen(bucket, key, stored)
}

// mustBeWhole panics with the damage if something that bucket should hold may be lost.
func (v View) mustBeWhole(bucket string) {
	if d := v.file.damage.Load(); d != nil && d.concerns(bucket) {
		panic(d)
	}
}

// mustOpen returns the value that was sealed.
func mustOpen(bucket, key string, stored []byte) []byte {
	value, ok := opened(bucket, key, stored)
	if !ok {
		panic(&Damage{Reason: fmt.Sprintf("the value of %q in bucket %s is not what was written", key, bucket), Buckets: map[string]bool{bucket: true}})
	}
	return value
}

// Each calls f with every value of a bucket whose key begins with prefix, in the order of the keys, until f fails.
func (v View) Each(bucket, prefix string, f func(key string, value []byte) error) error {
	v.mustBeWhole(bucket)
	pending := v.pendingKeys(bucket, prefix)
	cursor := v.tx.Bucket([]byte(bucket)).Cursor()
	for key, stored := cursor.Seek([]byte(prefix)); key != nil && bytes.HasPrefix(key, []byte(prefix)); key, stored = cursor.Next() {
		at := string(key)
		next, replaced := slices.BinarySearch(pending, at)
		if err := v.eachPending(bucket, pending[:next], f); err != nil {
			return err
		}
		if pending = pending[next:]; replaced {
			continue
		}
		if err := f(at, mustOpen(bucket, at, stored)); err != nil {
			return err
		}
	}
	return v.eachPending(bucket, pending, f)
}

// pendingKeys are those of values that are not written yet, or are to be deleted, in order.
func (v View) pendingKeys(bucket, prefix string) (keys []string) {
	for at := range v.pending {
		if at.Bucket == bucket && strings.HasPrefix(at.Key, prefix) {
			keys = append(keys, at.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (v View) eachPending(bucket string, keys []string, f func(key string, value []byte) error) error {
	for _, key := range keys {
		if value := v.pending[Place{bucket, key}]; value != nil {
			if err := f(key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// RefuseWrites has the file refuse what is written to it from now on, as a disk does that turned read-only. It is for tests.
func (f *File) RefuseWrites() error {
	if err := f.bolt.Close(); err != nil {
		return err
	}
	options := *bbolt.DefaultOptions
	options.ReadOnly = true
	options.OpenFile = func(path string, flag int, mode os.FileMode) (file *os.File, err error) {
		file, err = os.OpenFile(path, flag, mode)
		f.os = file
		return file, err
	}
	bolt, err := bbolt.Open(f.path, 0o600, &options)
	f.bolt = bolt
	return err
}
