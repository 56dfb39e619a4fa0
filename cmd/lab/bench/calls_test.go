//go:build linux

package bench

import (
	"slices"
	"testing"
	"time"
)

func TestMost(t *testing.T) {
	t.Parallel()
	var d delays
	for i := range 100 {
		d = append(d, time.Duration(i+1)*time.Millisecond)
	}
	for percent, want := range map[int]float64{50: 51, 95: 96, 100: 100} {
		if got := d.most(percent); got != want {
			t.Errorf("p%d is %v ms, want %v", percent, got, want)
		}
	}
}

// The time that static XML takes goes with the place of the number in it: a round must call as many of the first half
// as of the second.
func TestCalledIsFromAllOver(t *testing.T) {
	t.Parallel()
	const count = 100
	f := &freeSWITCH{numbers: manyNumbers}
	for round := range 5 {
		numbers := f.called(round*(count+callsPerSecond), count)
		slices.Sort(numbers)
		if got := len(slices.Compact(slices.Clone(numbers))); got != count {
			t.Errorf("round %d calls %d numbers, want %d", round, got, count)
		}
		if middle := numbers[count/2]; middle < bareNumber(4500) || middle > bareNumber(5500) {
			t.Errorf("round %d: half of the calls go to numbers below %s", round, middle)
		}
	}
}

func TestCallReport(t *testing.T) {
	t.Parallel()
	ms := func(values ...int) (rounds []delays) {
		for _, v := range values {
			rounds = append(rounds, delays{time.Duration(v) * time.Millisecond})
		}
		return rounds
	}
	for _, test := range []struct {
		name              string
		asking, one, many []delays
		missed            bool
	}{
		{"all is reached", ms(6, 5, 50), ms(4, 4, 49), ms(30, 30, 30), false},
		{"too far above one number", ms(7, 7, 7), ms(4, 4, 4), ms(50, 50, 50), true},
		{"not far enough below many", ms(6, 6, 6), ms(4, 4, 4), ms(29, 29, 31), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := &callBench{
				asking:      &freeSWITCH{dialplan: "xmlcurld", numbers: 1_000_000, rounds: test.asking},
				constant:    &freeSWITCH{dialplan: "a constant from nginx", numbers: 1, rounds: test.one},
				oneNumber:   &freeSWITCH{dialplan: "static XML", numbers: 1, rounds: test.one},
				manyNumbers: &freeSWITCH{dialplan: "static XML", numbers: manyNumbers, rounds: test.many},
			}
			if r := b.report(); r.missed != test.missed {
				t.Errorf("missed %v:\n%s", r.missed, r.text)
			}
		})
	}
}
