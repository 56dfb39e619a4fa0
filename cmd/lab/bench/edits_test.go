//go:build linux

package bench

import (
	"strings"
	"testing"
	"time"
)

// measured is a bench that measured something.
func measured(one, many, call time.Duration) *editBench {
	b := &editBench{edits: allEdits(), loads: allLoads()}
	for _, e := range b.edits {
		e.one, e.many = []time.Duration{one, one, one}, []time.Duration{many, many, many}
	}
	for _, k := range b.loads {
		before := sample{answers: 1000, took: time.Second, half: 100 * time.Microsecond}
		meanwhile := before
		if k.insert != "" {
			meanwhile.half = call
		}
		k.steady = []loadRound{{sample: meanwhile, before: before}}
	}
	return b
}

// Every bar can be missed, and each of its own kind.
func TestEditBars(t *testing.T) {
	t.Parallel()
	const ms, call = time.Millisecond, 105 * time.Microsecond
	for name, tc := range map[string]struct {
		bench  *editBench
		missed int
	}{
		"all reached":               {measured(300*ms, 600*ms, call), 0},
		"an edit takes long":        {measured(4001*ms, 600*ms, call), 4},
		"many nodes take too long":  {measured(300*ms, 601*ms, call), 1},
		"even for a registration":   {measured(300*ms, 8001*ms, call), 4},
		"calls are answered slowly": {measured(300*ms, 600*ms, call+time.Microsecond), 2},
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
