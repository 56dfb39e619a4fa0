// Package pace is for work that takes milliseconds, beside calls that take less than one. Linux lets whoever has a
// processor keep it for up to 4 ms, whoever else wakes up to use it. So long work is done in turns that are hardly felt,
// and after each it lets go of the processor, for as long as it takes whoever waits there to get it.
package pace

import (
	"context"
	"runtime"
	"time"
)

const (
	// length is how long a turn is.
	length = 250 * time.Microsecond
	// pause is how long a processor is let go of. Linux adds some 50 µs of its own.
	pause = 50 * time.Microsecond
	// pieces are done between two looks at the clock.
	pieces = 32
)

// Turn is long work. It is not for concurrent use.
type Turn struct {
	done  uint // pieces
	began time.Time
}

// Rest lets others go first if the turn was long enough, and begins another. It is to be called after each piece of the work,
// such as a row or a line, and looks at the clock after some of them only.
func (t *Turn) Rest() {
	if t.done++; t.done%pieces != 0 {
		return
	}
	switch now := time.Now(); {
	case t.began.IsZero():
		t.began = now
	case now.Sub(t.began) >= length:
		runtime.Gosched() // whoever waits for Go's place on a processor
		sleep(pause)      // and for the processor
		t.began = time.Now()
	}
}

// Sleep waits for d, or until ctx is done.
func Sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
