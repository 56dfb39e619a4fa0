//go:build linux

package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bar is a figure that must be reached, and whether it was.
type Bar struct {
	What, Must, Is string
	Reached        bool
}

// Limit is what the median of some rounds must reach.
type Limit struct {
	What    string
	AtLeast bool // or at most
	Limit   float64
	Unit    string // "" for a ratio
}

// Bar tells whether s reaches the limit.
func (l Limit) Bar(s Spread) Bar {
	must, reached := "at most", s.Median <= l.Limit
	if l.AtLeast {
		must, reached = "at least", s.Median >= l.Limit
	}
	return Bar{l.What, strings.TrimSpace(fmt.Sprintf("%s %.4g %s", must, l.Limit, l.Unit)), strings.TrimSpace(fmt.Sprintf("%v %s", s, l.Unit)), reached}
}

// Spread is what several rounds came to.
type Spread struct{ Median, Lowest, Highest float64 }

// SpreadOf is the spread of values, of which there is one at least.
func SpreadOf(values []float64) Spread {
	values = slices.Sorted(slices.Values(values))
	return Spread{values[len(values)/2], values[0], values[len(values)-1]}
}

// Over is the spread of measure over all rounds.
func Over[T any](rounds []T, measure func(T) float64) Spread {
	var values []float64
	for _, r := range rounds {
		values = append(values, measure(r))
	}
	return SpreadOf(values)
}

// String shows the median, with the lowest and the highest.
func (s Spread) String() string { return s.Format("%.2f") }

// Format is String with each number in the given format.
func (s Spread) Format(format string) string {
	return fmt.Sprintf(format+" ("+format+"–"+format+")", s.Median, s.Lowest, s.Highest)
}

// Milliseconds is d in ms.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Percentile is what percent of the times are below, in ms; 0 when there are none. They are sorted.
func Percentile(times []time.Duration, percent int) float64 {
	if len(times) == 0 {
		return 0
	}
	return Milliseconds(times[min(len(times)*percent/100, len(times)-1)])
}
