//go:build linux

package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		limit  Limit
		median float64
		want   Bar
	}{
		{"enough", Limit{AtLeast: true, Limit: 0.5}, 0.5, Bar{Must: "at least 0.5", Is: "0.50 (0.00–1.00)", Reached: true}},
		{"not enough", Limit{AtLeast: true, Limit: 0.5}, 0.499, Bar{Must: "at least 0.5", Is: "0.50 (0.00–1.00)"}},
		{"not too much", Limit{What: "time", Limit: 6, Unit: "ms"}, 6, Bar{What: "time", Must: "at most 6 ms", Is: "6.00 (0.00–1.00) ms", Reached: true}},
		{"too much", Limit{Limit: 6}, 6.01, Bar{Must: "at most 6", Is: "6.01 (0.00–1.00)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.limit.Bar(Spread{test.median, 0, 1})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// One missed bar is enough.
func TestMissed(t *testing.T) {
	t.Parallel()
	reached, missed := Bar{What: "a", Reached: true}, Bar{What: "b"}
	for want, bars := range map[bool][]Bar{false: {reached, reached}, true: {reached, missed, reached}} {
		if r := New("text\n", bars); r.Missed != want || strings.Contains(r.Text, "**missed**") != want || !strings.HasPrefix(r.Text, "text\n") {
			t.Errorf("missed is %v, want %v:\n%s", r.Missed, want, r.Text)
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	var times []time.Duration
	if got := Percentile(times, 50); got != 0 {
		t.Errorf("p50 of nothing is %v", got)
	}
	for i := range 100 {
		times = append(times, time.Duration(i+1)*time.Millisecond)
	}
	for percent, want := range map[int]float64{50: 51, 95: 96, 100: 100} {
		if got := Percentile(times, percent); got != want {
			t.Errorf("p%d is %v ms, want %v", percent, got, want)
		}
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	const (
		head = "# Head\n<!-- results of calls -->\ncalls\n<!-- end of results of calls -->\n<!-- results -->\n"
		tail = "<!-- end of results -->\ntail\n"
	)
	file := filepath.Join(t.TempDir(), "benchmarks.md")
	if err := os.WriteFile(file, []byte(head+tail), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first\n", "second\n"} {
		if err := Replace(file, "results", text); err != nil {
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
	if err := Replace(file, "results", "lost"); err == nil {
		t.Error("a file without a place for results was written to")
	}
}
