//go:build linux

package calls

import (
	"fmt"
	"strings"
	"time"

	"xmlcurld/cmd/lab/report"
	"xmlcurld/cmd/lab/rig"
)

// Results is where docs/benchmarks.md has what a run came to.
const Results = "results of calls"

// delays are the times from INVITE to answer of some calls, sorted.
type delays []time.Duration

func (d delays) p50() float64 { return report.Percentile(d, 50) }
func (d delays) p95() float64 { return report.Percentile(d, 95) }

var (
	aboveOneNumber   = report.Limit{What: "p50 with xmlcurld, above that with static XML of one number", Limit: 2, Unit: "ms"}
	belowManyNumbers = report.Limit{What: "p50 with static XML of 10,000 numbers, against that with xmlcurld", AtLeast: true, Limit: 5}
)

func (b *bench) Report() report.Report {
	var out strings.Builder
	fmt.Fprintf(&out, "%d rounds of %v for each line, %d calls a second; median (lowest–highest) of the rounds.\n\n%s, %s.\n\n",
		b.options.rounds, b.options.duration, callsPerSecond, rig.Machine(),
		rig.Versions([]string{b.options.FreeSWITCH, "-version"}, []string{"sipp", "-v"}))
	out.WriteString("| dialplan | numbers | p50 ms | p95 ms |\n| --- | --: | --: | --: |\n")
	for _, f := range b.switches() {
		fmt.Fprintf(&out, "| %s | %d | %s | %s |\n", f.dialplan, f.numbers,
			report.Over(f.rounds, delays.p50).Format("%.1f"), report.Over(f.rounds, delays.p95).Format("%.1f"))
	}
	out.WriteString("\n")
	above, times := b.comparisons()
	return report.New(out.String(), []report.Bar{aboveOneNumber.Bar(above), belowManyNumbers.Bar(times)})
}

// comparisons are made within a round: how much more the p50 with xmlcurld is than with one number, in ms, and how many
// times it is that with many.
func (b *bench) comparisons() (above, times report.Spread) {
	var differences, ratios []float64
	for r, asking := range b.asking.rounds {
		differences = append(differences, asking.p50()-b.oneNumber.rounds[r].p50())
		ratios = append(ratios, b.manyNumbers.rounds[r].p50()/asking.p50())
	}
	return report.SpreadOf(differences), report.SpreadOf(ratios)
}
