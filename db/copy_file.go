package db

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// copyFile holds the copy: a bbolt file, and in memory what could not be written to it yet.
type copyFile struct {
	bolt *bbolt.DB

	mu      sync.RWMutex
	now     copyState
	written time.Time // when the state was
	pending map[place][]byte
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
	copyFormat = "2"
	// pendingMost bounds what is kept in memory while the file cannot be written.
	pendingMost = 100_000
	// stateTime is how old the state in the file may be for want of anything else to write.
	stateTime = 30 * time.Second
	lockTime  = time.Second
)

// openCopyFile opens or makes the file, for nobody else to read. One that is broken is made anew.
func openCopyFile(path string) (*copyFile, error) {
	f, err := newCopyFile(path)
	if err == nil || errors.Is(err, os.ErrPermission) || errors.Is(err, berrors.ErrTimeout) {
		return f, err
	}
	return createCopyFile(path)
}

// createCopyFile makes the file anew.
func createCopyFile(path string) (*copyFile, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("make the copy: %w", err)
	}
	return newCopyFile(path)
}

func newCopyFile(path string) (*copyFile, error) {
	options := &bbolt.Options{Timeout: lockTime, FreelistType: bbolt.FreelistMapType}
	bolt, err := bbolt.Open(path, 0o600, options)
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("open the copy %s: another server has it, give each its own data_dir: %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the copy: %w", err)
	}
	f := &copyFile{bolt: bolt, pending: map[place][]byte{}}
	if err := f.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the copy: %w", err), bolt.Close())
	}
	return f, nil
}

// prepare reads the state. A file that is new, or written another way, is emptied.
func (f *copyFile) prepare() error {
	return f.bolt.Update(func(tx *bbolt.Tx) error {
		state := tx.Bucket([]byte(ofState))
		if state == nil || string(state.Get([]byte("format"))) != copyFormat {
			return clearCopy(tx)
		}
		if text := state.Get([]byte("now")); text != nil {
			return json.Unmarshal(text, &f.now)
		}
		return nil
	})
}

func clearCopy(tx *bbolt.Tx) error {
	for _, name := range copyBuckets {
		if err := tx.DeleteBucket([]byte(name)); err != nil && !errors.Is(err, berrors.ErrBucketNotFound) {
			return err
		}
		if _, err := tx.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	return tx.Bucket([]byte(ofState)).Put([]byte("format"), []byte(copyFormat))
}

func (f *copyFile) close() error {
	if err := f.bolt.Close(); err != nil {
		return fmt.Errorf("close the copy: %w", err)
	}
	return nil
}

// replace gives the file the name of another one, which it replaces.
func (f *copyFile) replace(path string) error {
	if err := os.Rename(f.bolt.Path(), path); err != nil {
		return fmt.Errorf("replace the copy: %w", err)
	}
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
	if err := f.bolt.Update(f.writePending); err != nil {
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
	return tx.Bucket([]byte(at.bucket)).Put([]byte(at.key), value)
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
	tx      *bbolt.Tx
	pending map[place][]byte
}

// view calls look with the file as it is.
func (f *copyFile) view(look func(v copyView) error) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.bolt.View(func(tx *bbolt.Tx) error { return look(copyView{tx, f.pending}) })
}

// get returns a value, nil if there is none.
func (v copyView) get(bucket, key string) []byte {
	if value, ok := v.pending[place{bucket, key}]; ok {
		return value
	}
	return v.tx.Bucket([]byte(bucket)).Get([]byte(key))
}

// keys returns the keys of a bucket that begin with prefix.
func (v copyView) keys(bucket, prefix string) map[string]bool {
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
func (f *copyFile) questions() (asked map[question]bool, waiting map[question]time.Time) {
	asked, waiting = make(map[question]bool), make(map[question]time.Time)
	_ = f.view(func(v copyView) error { // reads what is mapped, and cannot fail
		for key := range v.keys(ofAnswers, "") {
			asked[question(key)] = true
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
