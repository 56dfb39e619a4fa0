package yield

import (
	"testing"
	"time"
)

// A turn ends when it was long enough, and not before, and costs no garbage.
func TestRest(t *testing.T) {
	t.Parallel()
	var turn Turn
	if turn.Rest(); turn.began.IsZero() {
		t.Error("it has not begun")
	}
	later := time.Now().Add(time.Hour)
	turn.began = later
	if turn.Rest(); !turn.began.Equal(later) {
		t.Error("a turn that was not long enough has ended")
	}
	before := time.Now()
	turn.began = before.Add(-length)
	if turn.Rest(); turn.began.Before(before) {
		t.Error("a turn that was long enough goes on")
	}
}

func TestRestAllocations(t *testing.T) { //nolint:paralleltest // it counts what the program allocates
	if n := testing.AllocsPerRun(100, func() {
		turn := Turn{began: time.Now().Add(-length)}
		turn.Rest()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// To look whether a turn was long enough must cost nothing beside a row.
func BenchmarkRest(b *testing.B) {
	turn := Turn{began: time.Now().Add(time.Hour)}
	for b.Loop() {
		turn.Rest()
	}
}
