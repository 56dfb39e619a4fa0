//go:build linux

package bench

import (
	"fmt"
	"strings"
	"time"

	"xmlcurld/cmd/lab/rig"
)

const (
	overloadResults = "results of overload"
	// later is how many times as long as on a busy server an accepted call may take when more is asked.
	later = 2
)

// overloadRound is one measurement of everything.
type overloadRound struct {
	busy   probed
	floods []probed // by factor
	after  []probed // and right after each
}

func (b *overloadBench) report() report {
	var out strings.Builder
	o := b.options
	fmt.Fprintf(&out, "%d rounds of %v for each line, %d numbers, answers of %d bytes; median (lowest–highest) of the rounds.\n\n%s.\n\n",
		o.rounds, o.duration, o.sizes.numbers, b.call.length, rig.Machine())
	out.WriteString("| asked | a second | answered | refused | accepted: p50 ms | p99 ms | longest ms | refused: p50 ms | p99 ms | µs of server |\n" +
		"| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n")
	b.line(&out, fmt.Sprintf("%d at a time", o.inFlight), func(r overloadRound) probed { return r.busy })
	for i, factor := range o.factors {
		b.line(&out, fmt.Sprintf("%.3g times as much", factor), func(r overloadRound) probed { return r.floods[i] })
		b.line(&out, fmt.Sprintf("half, the first %v after that", afterTime), func(r overloadRound) probed { return r.after[i] })
	}
	out.WriteString("\nThe last column is the server's processor time for each that was asked, be it answered or refused.\n\n")
	missed := b.writeBars(&out)
	return report{out.String(), missed}
}

// line writes what became of the load and the probes that of names.
func (b *overloadBench) line(out *strings.Builder, name string, of func(overloadRound) probed) {
	column := func(measure func(probed) float64, format string) string {
		return show(b.spread(func(r overloadRound) float64 { return measure(of(r)) }), format)
	}
	fmt.Fprintf(out, "| %s | %s | %s | %s %% | %s | %s | %s | %s | %s | %s |\n", name,
		column(func(p probed) float64 { return float64(p.load.asked()) / p.load.took.Seconds() }, "%.0f"),
		column(func(p probed) float64 { return p.load.perSecond() }, "%.0f"),
		column(probed.refused, "%.1f"),
		column(probed.half, "%.1f"),
		column(func(p probed) float64 { return percentile(p.probes.answered, 99) }, "%.1f"),
		column(func(p probed) float64 { return percentile(p.probes.answered, 100) }, "%.1f"),
		column(func(p probed) float64 { return percentile(p.probes.refused, 50) }, "%.1f"),
		column(func(p probed) float64 { return percentile(p.probes.refused, 99) }, "%.1f"),
		column(probed.each, "%.0f"))
}

// writeBars writes which bars were reached, and reports whether one was missed.
func (b *overloadBench) writeBars(out *strings.Builder) (missed bool) {
	writeBarHead(out)
	for i, factor := range b.options.factors {
		s := b.spread(func(r overloadRound) float64 { return r.floods[i].half() / r.busy.half() })
		missed = writeBar(out, fmt.Sprintf("p50 of accepted calls at %.3g times as much, against the busy server", factor),
			fmt.Sprintf("at most %d", later), show(s, "%.2f"), s.median <= later) || missed
		s = b.spread(func(r overloadRound) float64 { return r.after[i].refused() })
		missed = writeBar(out, fmt.Sprintf("refused in the first %v after that", afterTime), "0 %", show(s, "%.1f")+" %", s.median == 0) || missed
	}
	return missed
}

func (b *overloadBench) spread(measure func(overloadRound) float64) spread {
	var values []float64
	for _, r := range b.rounds {
		values = append(values, measure(r))
	}
	return spreadOf(values)
}

// refused is how much of the load was refused, in percent.
func (p probed) refused() float64 {
	return 100 * float64(len(p.load.refused)) / float64(max(1, p.load.asked()))
}

// each is the server's processor time for one request, in µs.
func (p probed) each() float64 {
	return float64(p.server) / float64(time.Microsecond) / float64(max(1, p.load.asked()+p.probes.asked()))
}

// half is the median time of accepted probes, in ms.
func (p probed) half() float64 { return percentile(p.probes.answered, 50) }

// percentile is that of times, which are sorted, in ms; 0 when there are none.
func percentile(times []time.Duration, p int) float64 {
	if len(times) == 0 {
		return 0
	}
	return milliseconds(times[min(len(times)*p/100, len(times)-1)])
}
