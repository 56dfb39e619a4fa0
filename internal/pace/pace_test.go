package pace

import (
	"testing"
	"time"
)

// rest is as many pieces as it takes to look at the clock.
func (t *Turn) rest() {
	for range pieces {
		t.Rest()
	}
}

// A turn ends when it was long enough, and not before, and costs no garbage.
func TestRest(t *testing.T) {
	t.Parallel()
	var turn Turn
	if turn.rest(); turn.began.IsZero() {
		t.Error("it has not begun")
	}
	later := time.Now().Add(time.Hour)
	turn.began = later
	if turn.rest(); !turn.began.Equal(later) {
		t.Error("a turn that was not long enough has ended")
	}
	before := time.Now()
	turn.began = before.Add(-length)
	if turn.rest(); turn.began.Before(before) {
		t.Error("a turn that was long enough goes on")
	}
}

func TestRestAllocations(t *testing.T) { //nolint:paralleltest // it counts what the program allocates
	if n := testing.AllocsPerRun(100, func() {
		turn := Turn{began: time.Now().Add(-length)}
		turn.rest()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// It must cost nothing beside a row.
func BenchmarkRest(b *testing.B) {
	turn := Turn{began: time.Now().Add(time.Hour)}
	for b.Loop() {
		turn.Rest()
	}
}
