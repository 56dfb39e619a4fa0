package db

import (
	"cmp"
	"encoding/json"
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

// copyFile holds the copy: a bbolt file, and in memory what could not be written to it yet.
type copyFile struct {
	bolt *bbolt.DB
	os   *os.File // bolt's
	path string

	mu      sync.RWMutex
	now     copyState
	written time.Time // when the state was
	pending map[place][]byte

	beginning sync.Mutex             // who begins to read
	stuck     atomic.Bool            // whoever calls bolt waits for ever
	damage    atomic.Pointer[damage] // nil: it is whole, as far as is known
	checking  sync.Mutex             // who writes, or looks whether somebody else wrote
	writing   atomic.Bool
	stamp     time.Time // the file's time of change since it was written or inspected last
	size      int64
}

// place is where a value stands: a bucket of the file and a key in it.
type place struct{ bucket, key string }

// copyState is the moment that the file shows.
type copyState struct {
	Position position
	InStepAt time.Time // by this machine's clock: when it was known to be the database's latest
}

// The buckets, besides the one for the state: the rows of the tables, and answers by their questions.
const (
	ofState      = "state"
	ofNodes      = "node"
	ofTenants    = "tenant"
	ofContexts   = "context"
	ofExtensions = "extension"
	ofNumbers    = "number"
	ofUsers      = "domain_user"
	ofAliases    = "number_alias"
	ofGateways   = "gateway"
	ofAnswers    = "answer"
	ofWaiting    = "waiting" // questions whose answers were overtaken, and since when
)

var copyBuckets = []string{ofState, ofNodes, ofTenants, ofContexts, ofExtensions, ofNumbers, ofUsers, ofAliases, ofGateways, ofAnswers, ofWaiting}

const (
	// copyFormat goes up when what the file holds is written another way: it is then read anew.
	copyFormat = "4"
	formatKey  = "format"
	// pendingMost bounds what is kept in memory while the file cannot be written.
	pendingMost = 100_000
	// stateTime is how old the state in the file may be for want of anything else to write.
	stateTime = 30 * time.Second
	lockTime  = time.Second
)

// openCopyFile opens or makes the file, for nobody else to read. One that is damaged, or of another version, is emptied, and
// lost says why. A file that is only not to be read or written stays as it is.
func openCopyFile(path string) (f *copyFile, lost *damage, err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // such as the folder that Docker makes for a file that is not there
		if err := os.Remove(path); err != nil {
			return nil, nil, fmt.Errorf("open the copy: something else is in its place, move it away: %w", err)
		}
		lost = &damage{reason: "it is no file"}
	}
	f, emptied, err := newCopyFile(path)
	if bad := (*damage)(nil); errors.As(err, &bad) {
		emptied = bad
		f, err = createCopyFile(path)
	}
	return f, cmp.Or(emptied, lost), err
}

// createCopyFile makes the file anew.
func createCopyFile(path string) (*copyFile, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("make the copy: %w", err)
	}
	f, _, err := newCopyFile(path)
	return f, err
}

func newCopyFile(path string) (f *copyFile, lost *damage, err error) {
	f = &copyFile{path: path, pending: map[place][]byte{}}
	options := &bbolt.Options{Timeout: lockTime, FreelistType: bbolt.FreelistMapType}
	options.OpenFile = func(path string, flag int, mode os.FileMode) (file *os.File, err error) {
		file, lost, err = openWhole(path, flag, mode)
		f.os = file
		return file, err
	}
	err = guarded(func() error {
		f.bolt, err = bbolt.Open(path, 0o600, options)
		return err
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, nil, fmt.Errorf("open the copy %s: another server has it, give each its own data_dir: %w", path, err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open the copy: %w", err)
	}
	if err := f.prepare(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open the copy: %w", err), f.close())
	}
	return f, lost, nil
}

// openWhole opens a file for bbolt, which trusts it and crashes over one that is not whole. It is locked first, as bbolt
// would: another server's, half written, is not taken for damaged.
func openWhole(path string, flag int, mode os.FileMode) (file *os.File, lost *damage, err error) {
	if file, err = os.OpenFile(path, flag, mode); err != nil {
		return nil, nil, err
	}
	if err = lockFile(file); err == nil {
		lost, err = emptyDamaged(file)
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

func emptyDamaged(file *os.File) (*damage, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	lost := inspect(file, info.Size())
	if lost == nil {
		return nil, nil
	}
	return lost, file.Truncate(0)
}

// prepare reads the state. A file that is new is given its buckets.
func (f *copyFile) prepare() error {
	fresh := false
	err := guarded(func() error {
		return f.bolt.View(func(tx *bbolt.Tx) error {
			if fresh = tx.Bucket([]byte(ofState)) == nil; fresh {
				return nil
			}
			if text := (copyView{f, tx, nil}).get(ofState, "now"); text != nil {
				return json.Unmarshal(text, &f.now)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	if fresh {
		return f.update(makeBuckets)
	}
	f.remember()
	return nil
}

func makeBuckets(tx *bbolt.Tx) error {
	for _, name := range copyBuckets {
		if _, err := tx.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	return tx.Bucket([]byte(ofState)).Put([]byte(formatKey), []byte(copyFormat))
}

// closeTime is how long bbolt may take to close a damaged file. A crash within it may have left it locked for good.
const closeTime = time.Second

func (f *copyFile) close() error {
	if f.damage.Load() == nil {
		if err := f.bolt.Close(); err != nil {
			return fmt.Errorf("close the copy: %w", err)
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
		case *damage:
			err = crash
		default:
			err = &damage{reason: fmt.Sprint(crash)}
		}
	}()
	return f()
}

// update writes to the file. It is not begun on one that is damaged, and what crashes within it damages the file.
func (f *copyFile) update(write func(tx *bbolt.Tx) error) error {
	f.check()
	if d := f.damage.Load(); d != nil {
		return d
	}
	f.checking.Lock()
	defer f.checking.Unlock()
	f.writing.Store(true)
	defer f.writing.Store(false)
	err := guarded(func() error { return f.bolt.Update(write) })
	if d := (*damage)(nil); errors.As(err, &d) {
		f.harm(&damage{reason: d.reason}) // and half of what was to be written is not there
	}
	f.remember()
	return err
}

// remember marks the file as it is. Its time of change is set to one that no other writer would give it: the clock of file
// systems is coarse.
func (f *copyFile) remember() {
	now := time.Now().Truncate(time.Millisecond).Add(-time.Millisecond + 357*time.Microsecond)
	at := syscall.NsecToTimeval(now.UnixNano())
	_ = syscall.Futimes(int(f.os.Fd()), []syscall.Timeval{at, at}) // where it cannot be set, it is what it is
	if info, err := f.os.Stat(); err == nil {
		f.stamp, f.size = info.ModTime(), info.Size()
	}
}

// check inspects the file if somebody else wrote to it. bbolt reads what is there at the moment.
func (f *copyFile) check() {
	if f.writing.Load() || f.stuck.Load() {
		return
	}
	f.checking.Lock()
	defer f.checking.Unlock()
	info, err := f.os.Stat()
	switch {
	case err != nil:
		f.harm(&damage{reason: err.Error()})
	case !info.ModTime().Equal(f.stamp) || info.Size() != f.size:
		if d := inspect(f.os, info.Size()); d != nil {
			f.harm(d)
		}
		f.stamp, f.size = info.ModTime(), info.Size()
	}
}

// harmed returns what is wrong with the file, nil if nothing is known to be.
func (f *copyFile) harmed() *damage {
	f.check()
	if d := f.damage.Load(); d != nil {
		return d
	}
	own, err := f.os.Stat()
	there, gone := os.Stat(f.path)
	if err == nil && (gone != nil || !os.SameFile(own, there)) {
		return &damage{reason: "it was removed or replaced"}
	}
	return nil
}

// replace gives the file the name of another one, which it replaces.
func (f *copyFile) replace(path string) error {
	if err := os.Rename(f.path, path); err != nil {
		return fmt.Errorf("replace the copy: %w", err)
	}
	f.path = path
	return nil
}

func (f *copyFile) state() copyState {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.now
}

// keep takes edits over, to be seen at once and written by flush. It reports whether there is more than it can hold:
// then everything has to be read again, once the file can be written.
func (f *copyFile) keep(edits map[place][]byte, now copyState) (full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for at, value := range edits {
		f.pending[at] = value
	}
	f.now = now
	if len(f.pending) > pendingMost {
		clear(f.pending)
		return true
	}
	return false
}

// flush writes what is pending. Only one goroutine keeps and flushes.
func (f *copyFile) flush() error {
	f.mu.RLock()
	idle := len(f.pending) == 0 && time.Since(f.written) < stateTime
	f.mu.RUnlock()
	if idle {
		return nil
	}
	if err := f.update(f.writePending); err != nil {
		return fmt.Errorf("write the copy: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.pending)
	f.written = time.Now()
	return nil
}

func (f *copyFile) writePending(tx *bbolt.Tx) error {
	if err := putAll(tx, f.pending); err != nil {
		return err
	}
	text, err := json.Marshal(f.now)
	if err != nil {
		return err
	}
	return put(tx, place{ofState, "now"}, text)
}

// put stores value, or deletes what is there when it is nil.
func put(tx *bbolt.Tx, at place, value []byte) error {
	if value == nil {
		return tx.Bucket([]byte(at.bucket)).Delete([]byte(at.key))
	}
	return tx.Bucket([]byte(at.bucket)).Put([]byte(at.key), sealed(at, value))
}

// putAll stores values in the order of their places, in which bbolt is quickest.
func putAll(tx *bbolt.Tx, values map[place][]byte) error {
	for _, at := range slices.SortedFunc(maps.Keys(values), comparePlaces) {
		if err := put(tx, at, values[at]); err != nil {
			return err
		}
	}
	return nil
}

func comparePlaces(a, b place) int {
	return cmp.Or(strings.Compare(a.bucket, b.bucket), strings.Compare(a.key, b.key))
}

// copyView is the file at one moment. Its values are good until the view ends.
type copyView struct {
	file    *copyFile
	tx      *bbolt.Tx
	pending map[place][]byte
}

// view calls look with the file as it is. Where look comes upon damage, it ends there, and view returns the damage.
func (f *copyFile) view(look func(v copyView) error) error {
	f.check()
	f.mu.RLock()
	defer f.mu.RUnlock()
	tx, err := f.begin()
	if err != nil {
		return err
	}
	err = guarded(func() error { return look(copyView{f, tx, f.pending}) })
	if d := (*damage)(nil); errors.As(err, &d) {
		f.harm(d)
	}
	if !f.stuck.Load() {
		_ = tx.Rollback()
	}
	return err
}

// begin begins to read. A crash within that leaves bbolt locked for good, so then it is not called any more.
func (f *copyFile) begin() (tx *bbolt.Tx, err error) {
	f.beginning.Lock()
	defer f.beginning.Unlock()
	if d := f.damage.Load(); d != nil && d.buckets == nil {
		return nil, d
	}
	err = guarded(func() error {
		tx, err = f.bolt.Begin(false)
		return err
	})
	if d := (*damage)(nil); errors.As(err, &d) {
		f.stuck.Store(true)
		f.harm(d)
	}
	return tx, err
}

// harm takes note of damage, unless worse is known.
func (f *copyFile) harm(d *damage) {
	if !f.damage.CompareAndSwap(nil, d) && d.buckets == nil {
		f.damage.Store(d)
	}
}

// get returns a value, nil if there is none. It panics with the damage, for view to return, if there is no telling.
func (v copyView) get(bucket, key string) []byte {
	if value, ok := v.pending[place{bucket, key}]; ok {
		return value
	}
	stored := v.tx.Bucket([]byte(bucket)).Get([]byte(key))
	if stored == nil {
		v.mustBeWhole(bucket)
		return nil
	}
	value, ok := opened(bucket, key, stored)
	if !ok {
		panic(&damage{reason: fmt.Sprintf("the value of %q in bucket %s is not what was written", key, bucket), buckets: map[string]bool{bucket: true}})
	}
	return value
}

// mustBeWhole panics with the damage if something that bucket should hold may be lost.
func (v copyView) mustBeWhole(bucket string) {
	if d := v.file.damage.Load(); d != nil && d.concerns(bucket) {
		panic(d)
	}
}

// keys returns the keys of a bucket that begin with prefix.
func (v copyView) keys(bucket, prefix string) map[string]bool {
	v.mustBeWhole(bucket)
	keys := make(map[string]bool)
	cursor := v.tx.Bucket([]byte(bucket)).Cursor()
	for key, _ := cursor.Seek([]byte(prefix)); key != nil && strings.HasPrefix(string(key), prefix); key, _ = cursor.Next() {
		keys[string(key)] = true
	}
	for at, value := range v.pending {
		if at.bucket == bucket && strings.HasPrefix(at.key, prefix) {
			keys[at.key] = value != nil
		}
	}
	return keys
}

// questions returns those whose answers are in the file, and which of these were overtaken, since when.
func (f *copyFile) questions() (asked askedQuestions, waiting map[question]time.Time) {
	asked, waiting = make(askedQuestions), make(map[question]time.Time)
	_ = f.view(func(v copyView) error { // fails only where the file is damaged, and is read anew
		for key := range v.keys(ofAnswers, "") {
			asked.add(question(key), f.now.InStepAt)
		}
		for key := range v.keys(ofWaiting, "") {
			since, err := time.Parse(time.RFC3339Nano, string(v.get(ofWaiting, key)))
			if err != nil {
				since = time.Unix(0, 0) // so long ago that its answer is in doubt until it is read; zero would be: not overtaken
			}
			waiting[question(key)] = since
		}
		return nil
	})
	return asked, waiting
}
