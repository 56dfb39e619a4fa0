//go:build linux

package load

import (
	"slices"
	"time"

	"xmlcurld/cmd/lab/report"
)

// Outcome is what became of a load.
type Outcome struct {
	Answered, Refused []time.Duration // how long each took, sorted
	Skipped           int             // not asked, since too many were waiting already
	Took              time.Duration
}

func (o *Outcome) add(other Outcome) {
	o.Answered = append(o.Answered, other.Answered...)
	o.Refused = append(o.Refused, other.Refused...)
	o.Skipped += other.Skipped
}

// PerSecond is how many requests were answered in a second.
func (o Outcome) PerSecond() float64 { return float64(len(o.Answered)) / o.Took.Seconds() }

// Asked is how many requests were made.
func (o Outcome) Asked() int { return len(o.Answered) + len(o.Refused) }

// Lost is how many requests were refused or skipped.
func (o Outcome) Lost() int { return len(o.Refused) + o.Skipped }

// Sample is what an outcome comes to.
type Sample struct {
	Answers  int
	Took     time.Duration
	P50, P99 float64 // of the time of one request, in ms
	Longest  float64 // of these times
}

// PerSecond is how many requests were answered in a second.
func (s Sample) PerSecond() float64 { return float64(s.Answers) / s.Took.Seconds() }

// Sample is what o comes to. A request that is lost waits as long as any may.
func (o Outcome) Sample() Sample {
	times := append(slices.Clone(o.Answered), slices.Repeat([]time.Duration{Patience}, o.Lost())...)
	return Sample{len(o.Answered), o.Took, report.Percentile(times, 50), report.Percentile(times, 99), report.Percentile(times, 100)}
}
