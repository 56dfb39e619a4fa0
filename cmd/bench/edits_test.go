package main

import (
	"strings"
	"testing"
	"time"
)

// measured is a bench that measured something.
func measured(one, many time.Duration, answers int) *editBench {
	b := &editBench{edits: allEdits(), loads: allLoads()}
	for _, e := range b.edits {
		e.one = []time.Duration{one, one, one}
		if !e.alone {
			e.many = []time.Duration{many, many, many}
		}
	}
	for i, k := range b.loads {
		n := 1000
		if i > 0 {
			n = answers
		}
		k.rounds = []loadRound{{sample: sample{answers: n, took: time.Second, half: time.Millisecond}}}
	}
	return b
}

// Every bar can be missed, and each of its own kind.
func TestEditBars(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		bench  *editBench
		missed int
	}{
		"all reached":               {measured(100*time.Millisecond, 200*time.Millisecond, 950), 0},
		"an edit takes long":        {measured(5*time.Second, 5*time.Second, 1000), 4},
		"many nodes take too long":  {measured(100*time.Millisecond, 201*time.Millisecond, 1000), 3},
		"calls are answered slowly": {measured(100*time.Millisecond, 100*time.Millisecond, 949), 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if missed := tc.bench.writeBars(&out); missed != (tc.missed > 0) {
				t.Errorf("missed: %v", missed)
			}
			if got := strings.Count(out.String(), "**missed**"); got != tc.missed {
				t.Errorf("%d bars missed, want %d:\n%s", got, tc.missed, out.String())
			}
		})
	}
}
