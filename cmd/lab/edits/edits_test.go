//go:build linux

package edits

import (
	"testing"
	"time"

	"xmlcurld/cmd/lab/load"
)

// measured is a bench that measured something.
func measured(one, many time.Duration, call float64) *bench {
	b := &bench{edits: allEdits(), loads: allLoads()}
	for _, e := range b.edits {
		e.one, e.many = []time.Duration{one, one, one}, []time.Duration{many, many, many}
	}
	for _, k := range b.loads {
		before := load.Sample{Answers: 1000, Took: time.Second, P50: 0.100}
		meanwhile := before
		if k.insert != "" {
			meanwhile.P50 = call
		}
		k.steady = []loadRound{{Sample: meanwhile, before: before}}
	}
	return b
}

// Every bar can be missed, and each of its own kind.
func TestEditBars(t *testing.T) {
	t.Parallel()
	const ms, call = time.Millisecond, 0.105
	for name, tc := range map[string]struct {
		bench  *bench
		missed int
	}{
		"all reached":               {measured(300*ms, 600*ms, call), 0},
		"an edit takes long":        {measured(4001*ms, 600*ms, call), 4},
		"many nodes take too long":  {measured(300*ms, 601*ms, call), 1},
		"even for a registration":   {measured(300*ms, 8001*ms, call), 4},
		"calls are answered slowly": {measured(300*ms, 600*ms, call+0.001), 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			missed := 0
			for _, b := range tc.bench.bars() {
				if !b.Reached {
					missed++
				}
			}
			if missed != tc.missed {
				t.Errorf("%d bars missed, want %d: %+v", missed, tc.missed, tc.bench.bars())
			}
		})
	}
}
