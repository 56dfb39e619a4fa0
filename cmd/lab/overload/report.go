//go:build linux

package overload

import (
	"fmt"
	"strings"
	"time"

	"xmlcurld/cmd/lab/report"
	"xmlcurld/cmd/lab/rig"
)

// Results is where docs/benchmarks.md has what a run came to.
const Results = "results of overload"

// later is how many times as long as on a busy server an accepted call may take when more is asked.
const later = 2

// round is one measurement of everything.
type round struct {
	busy   probed
	floods []probed // by factor
	after  []probed // and right after each
}

func (b *bench) Report() report.Report {
	var out strings.Builder
	o := b.options
	fmt.Fprintf(&out, "%d rounds of %v for each line, %d numbers, answers of %d bytes; median (lowest–highest) of the rounds.\n\n%s.\n\n",
		o.rounds, o.duration, o.sizes.Numbers, b.length, rig.Machine())
	out.WriteString("| asked | a second | answered | refused | accepted: p50 ms | p99 ms | longest ms | refused: p50 ms | p99 ms | µs of server |\n" +
		"| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n")
	b.line(&out, fmt.Sprintf("%d at a time", o.inFlight), func(r round) probed { return r.busy })
	for i, factor := range o.factors {
		b.line(&out, fmt.Sprintf("%.3g times as much", factor), func(r round) probed { return r.floods[i] })
		b.line(&out, fmt.Sprintf("half, the first %v after that", afterTime), func(r round) probed { return r.after[i] })
	}
	out.WriteString("\nThe last column is the server's processor time for each that was asked, be it answered or refused.\n\n")
	return report.New(out.String(), b.bars())
}

// line writes what became of the load and the probes that of names.
func (b *bench) line(out *strings.Builder, name string, of func(round) probed) {
	column := func(measure func(probed) float64, format string) string {
		return report.Over(b.rounds, func(r round) float64 { return measure(of(r)) }).Format(format)
	}
	fmt.Fprintf(out, "| %s | %s | %s | %s %% | %s | %s | %s | %s | %s | %s |\n", name,
		column(func(p probed) float64 { return float64(p.load.Asked()) / p.load.Took.Seconds() }, "%.0f"),
		column(func(p probed) float64 { return p.load.PerSecond() }, "%.0f"),
		column(probed.refused, "%.1f"),
		column(probed.half, "%.1f"),
		column(func(p probed) float64 { return report.Percentile(p.probes.Answered, 99) }, "%.1f"),
		column(func(p probed) float64 { return report.Percentile(p.probes.Answered, 100) }, "%.1f"),
		column(func(p probed) float64 { return report.Percentile(p.probes.Refused, 50) }, "%.1f"),
		column(func(p probed) float64 { return report.Percentile(p.probes.Refused, 99) }, "%.1f"),
		column(probed.each, "%.0f"))
}

// bars are two for each factor.
func (b *bench) bars() []report.Bar {
	var all []report.Bar
	for i, factor := range b.options.factors {
		times := report.Over(b.rounds, func(r round) float64 { return r.floods[i].half() / r.busy.half() })
		refused := report.Over(b.rounds, func(r round) float64 { return r.after[i].refused() })
		all = append(all, report.Bar{
			What: fmt.Sprintf("p50 of accepted calls at %.3g times as much, against the busy server", factor),
			Must: fmt.Sprintf("at most %d", later), Is: times.Format("%.2f"), Reached: times.Median <= later,
		}, report.Bar{
			What: fmt.Sprintf("refused in the first %v after that", afterTime),
			Must: "0 %", Is: refused.Format("%.1f") + " %", Reached: refused.Median == 0,
		})
	}
	return all
}

// refused is how much of the load was refused, in percent.
func (p probed) refused() float64 {
	return 100 * float64(len(p.load.Refused)) / float64(max(1, p.load.Asked()))
}

// each is the server's processor time for one request, in µs.
func (p probed) each() float64 {
	return float64(p.server) / float64(time.Microsecond) / float64(max(1, p.load.Asked()+p.probes.Asked()))
}

// half is the median time of accepted probes, in ms.
func (p probed) half() float64 { return report.Percentile(p.probes.Answered, 50) }
