//go:build linux

package bench

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/cmd/lab/rig"
)

func rounds(answers ...int) []round {
	var all []round
	for _, n := range answers {
		all = append(all, round{sample: sample{answers: n, took: time.Second}})
	}
	return all
}

// A ratio is taken within a round, since the machine differs from round to round.
func TestSpread(t *testing.T) {
	t.Parallel()
	of, against := &subject{rounds: rounds(10, 40, 60)}, &subject{rounds: rounds(20, 100, 100)}
	if got, want := of.spread(sample.perSecond, against), (spread{0.5, 0.4, 0.6}); got != want {
		t.Errorf("ratio %v, want %v", got, want)
	}
	if got, want := of.spread(sample.perSecond, nil), (spread{40, 10, 60}); got != want {
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
	if got, want := of.eachAgainst(other, func(r round) time.Duration { return r.server }), (spread{1, 0.5, 1}); got != want {
		t.Errorf("ratio %v, want %v", got, want)
	}
}

func TestBarReached(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		bar    bar
		median float64
		want   bool
	}{
		{"enough", bar{atLeast: true, limit: 0.5}, 0.5, true},
		{"not enough", bar{atLeast: true, limit: 0.5}, 0.499, false},
		{"not too much", bar{limit: 6}, 6, true},
		{"too much", bar{limit: 6}, 6.01, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.bar.reached(spread{median: test.median}); got != test.want {
				t.Errorf("reached %v", got)
			}
		})
	}
}

// A bar about a subject that nobody measures would never be missed.
func TestBarsAreMeasured(t *testing.T) {
	t.Parallel()
	questions, err := fullSize.questions()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{"": true, dialplan + smallWorld: true}
	for _, q := range questions {
		names[q.name], names[q.name+byNginx], names[q.name+byOther] = true, true, true
	}
	for _, b := range slices.Concat(bars, notSlower) {
		if !names[b.of] || !names[b.against] {
			t.Errorf("%s: no subject %q or %q", b.what, b.of, b.against)
		}
	}
}

func TestReplaceResults(t *testing.T) {
	t.Parallel()
	const (
		head = "# Head\n<!-- results of calls -->\ncalls\n<!-- end of results of calls -->\n<!-- results -->\n"
		tail = "<!-- end of results -->\ntail\n"
	)
	file := filepath.Join(t.TempDir(), "benchmarks.md")
	for _, text := range []string{"first\n", "second\n"} {
		if text == "first\n" {
			if err := os.WriteFile(file, []byte(head+tail), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := rig.ReplaceResults(file, results, text); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(head+text+tail, string(got)); diff != "" {
			t.Error(diff)
		}
	}
	if err := os.WriteFile(file, []byte("# Head\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := rig.ReplaceResults(file, results, "lost"); err == nil {
		t.Error("a file without a place for results was written to")
	}
}

func TestNginxQuoted(t *testing.T) {
	t.Parallel()
	answer := `<a b="\d$x;"/>`
	if got, want := nginxQuoted([]byte(answer)), `"<a b=\"\\d${dollar}x;\"/>"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The pages have a place for what the verbs write.
func TestDocsTakeTheResults(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{results, callsResults, editsResults, overloadResults} {
		page := filepath.Join(t.TempDir(), "benchmarks.md")
		if err := os.WriteFile(page, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := rig.ReplaceResults(page, kind, "new\n"); err != nil {
			t.Error(err)
		}
	}
}
