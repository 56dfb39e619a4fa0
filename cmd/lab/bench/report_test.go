//go:build linux

package bench

import (
	"testing"
	"time"

	"xmlcurld/cmd/lab/load"
	"xmlcurld/cmd/lab/report"
	"xmlcurld/cmd/lab/world"
)

func rounds(answers ...int) []round {
	var all []round
	for _, n := range answers {
		all = append(all, round{Sample: load.Sample{Answers: n, Took: time.Second}})
	}
	return all
}

// A ratio is taken within a round, since the machine differs from round to round.
func TestSpread(t *testing.T) {
	t.Parallel()
	of, against := &subject{rounds: rounds(10, 40, 60)}, &subject{rounds: rounds(20, 100, 100)}
	if got, want := of.spread(round.PerSecond, against), (report.Spread{Median: 0.5, Lowest: 0.4, Highest: 0.6}); got != want {
		t.Errorf("ratio %v, want %v", got, want)
	}
	if got, want := of.spread(round.PerSecond, nil), (report.Spread{Median: 40, Lowest: 10, Highest: 60}); got != want {
		t.Errorf("rate %v, want %v", got, want)
	}
}

// A processor time is one per answer before it is compared.
func TestEachAgainst(t *testing.T) {
	t.Parallel()
	of, other := &subject{rounds: rounds(10, 20)}, &subject{rounds: rounds(20, 20)}
	for i, s := range []*subject{of, other} {
		for r := range s.rounds {
			s.rounds[r].server = time.Duration(i+1) * time.Second
		}
	}
	if got, want := of.spread(each(ofServer), other), (report.Spread{Median: 1, Lowest: 0.5, Highest: 1}); got != want {
		t.Errorf("ratio %v, want %v", got, want)
	}
}

// A bar about a subject that nobody measures would never be missed.
func TestBarsAreMeasured(t *testing.T) {
	t.Parallel()
	questions, err := load.Questions(world.Full)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{"": true, load.Dialplan + smallWorld: true}
	for _, q := range questions {
		names[q.Name], names[q.Name+byNginx], names[q.Name+byOther] = true, true, true
	}
	for _, b := range bars {
		if !names[b.of] || !names[b.against] {
			t.Errorf("%s: no subject %q or %q", b.What, b.of, b.against)
		}
	}
}
