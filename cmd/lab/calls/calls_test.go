//go:build linux

package calls

import (
	"slices"
	"testing"
	"time"

	"xmlcurld/cmd/lab/world"
)

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
		if middle := numbers[count/2]; middle < world.BareNumber(4500) || middle > world.BareNumber(5500) {
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
			b := &bench{
				asking:      &freeSWITCH{dialplan: "xmlcurld", numbers: 1_000_000, rounds: test.asking},
				constant:    &freeSWITCH{dialplan: "a constant from nginx", numbers: 1, rounds: test.one},
				oneNumber:   &freeSWITCH{dialplan: "static XML", numbers: 1, rounds: test.one},
				manyNumbers: &freeSWITCH{dialplan: "static XML", numbers: manyNumbers, rounds: test.many},
			}
			if r := b.Report(); r.Missed != test.missed {
				t.Errorf("missed %v:\n%s", r.Missed, r.Text)
			}
		})
	}
}
