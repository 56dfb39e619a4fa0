package switchstate

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"xmlcurld/db/fingerprint"
	"xmlcurld/db/pg"
	"xmlcurld/internal/pace"
)

const (
	// fetchesWaiting bounds the fetches that are not saved yet. Further ones are forgotten.
	fetchesWaiting = 4096
	// fetchAgain is how long the same fetch need not be saved again: some documents are fetched at each call.
	fetchAgain = time.Second
	// fetchRetry is the pause before fetches that could not be saved are tried again.
	fetchRetry = time.Second
	saveTime   = 5 * time.Second
)

// Recorder keeps what switches were given, in table node_fetch. Nobody waits for it: it saves one fetch after the other
// in a goroutine of its own, of fetches of one document the latest.
type Recorder struct {
	pg    *pg.DB
	stop  context.CancelFunc
	ended chan struct{}
	more  chan struct{} // full when something waits

	mu      sync.Mutex
	waiting map[fetchKey]fetched
	saved   map[fetchKey]fetched
}

type fetchKey struct{ node, document, about string }

type fetched struct {
	parts fingerprint.Parts
	at    time.Time
}

// NewRecorder starts a Recorder, to be closed before database.
func NewRecorder(database *pg.DB) *Recorder {
	ctx, stop := context.WithCancel(context.Background())
	r := &Recorder{
		pg: database, stop: stop, ended: make(chan struct{}), more: make(chan struct{}, 1),
		waiting: make(map[fetchKey]fetched), saved: make(map[fetchKey]fetched),
	}
	go r.run(ctx)
	return r
}

// Close forgets what is not saved yet.
func (r *Recorder) Close() {
	r.stop()
	<-r.ended
}

// Fetched notes that node was given parts of document. about tells apart questions for one document that do not replace
// each other's parts. It never blocks.
func (r *Recorder) Fetched(node, document, about string, parts fingerprint.Parts) {
	if len(parts) == 0 {
		return
	}
	key, now := fetchKey{node, document, about}, time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.saved[key]; ok && now.Sub(last.at) < fetchAgain && maps.Equal(last.parts, parts) {
		return
	}
	if _, ok := r.waiting[key]; !ok && len(r.waiting) >= fetchesWaiting {
		return
	}
	r.waiting[key] = fetched{parts, now}
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *Recorder) run(ctx context.Context) {
	defer close(r.ended)
	for {
		select {
		case <-r.more:
		case <-ctx.Done():
			return
		}
		for key, f, ok := r.oldest(); ok && ctx.Err() == nil; key, f, ok = r.oldest() {
			r.save(ctx, key, f)
		}
	}
}

// oldest is the fetch that waits longest: what is fetched when a switch starts is kept after the fetch that tells of the start.
func (r *Recorder) oldest() (oldest fetchKey, f fetched, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, waiting := range r.waiting {
		if !ok || waiting.at.Before(f.at) {
			oldest, f, ok = key, waiting, true
		}
	}
	return oldest, f, ok
}

// save saves a fetch, which waits no longer then, or waits a while when the database is away.
func (r *Recorder) save(ctx context.Context, key fetchKey, f fetched) {
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	err := saveFetch(ctx, r.pg, key.node, key.document, f.parts, time.Since(f.at).Seconds(), false)
	if errors.Is(err, pg.ErrUnavailable) {
		pace.Sleep(ctx, fetchRetry)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting[key].at.Equal(f.at) { // or a newer one waits
		delete(r.waiting, key)
	}
	if len(r.saved) >= fetchesWaiting {
		clear(r.saved)
	}
	r.saved[key] = f
}
