//go:build linux

package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"xmlcurld/cmd/lab/rig"
)

const (
	editsResults = "results of edits"
	// manyTimes is how many times as long as it may take on one switch an edit may take until it is on all of many.
	manyTimes = 2
	// slower is how much slower calls may be answered while many rows are applied.
	slower = 0.05
)

func (b *editBench) report() report {
	var out strings.Builder
	o := b.options
	fmt.Fprintf(&out, "%d rounds of each edit, %d rounds of calls, %.0f a second, and %d of %v of calls with %d connections in flight;\n"+
		"median (lowest–highest) of the rounds.\n\n%s, %s.\nThe switch is %s.\n\n",
		o.rounds, o.loads, o.perSecond, o.saturated, o.duration, o.inFlight, rig.Machine(), versions([]string{o.freeSWITCH, "-version"}), b.idle)
	fmt.Fprintf(&out, "| from COMMIT to proved, ms | one switch | and %d simulated nodes | times as long |\n| --- | --: | --: | --: |\n", o.simulated)
	for _, e := range b.edits {
		one, many := timesOf(e.one), timesOf(e.many)
		fmt.Fprintf(&out, "| %s | %s | %s | %.1f |\n", e.name, show(one, "%.0f"), show(many, "%.0f"), many.median/one.median)
	}
	b.writeManyCost(&out)
	b.writeLoads(&out, fmt.Sprintf("%.0f calls a second", o.perSecond), func(k *loadKind) []loadRound { return k.steady })
	b.writeSlower(&out)
	if o.saturated > 0 {
		b.writeLoads(&out, "as many calls as are answered", func(k *loadKind) []loadRound { return k.saturated })
	}
	out.WriteString("\nThe last columns are the processor time that was taken meanwhile. While nobody calls, rows are removed again:")
	for _, k := range b.edited() {
		fmt.Fprintf(&out, "\n%s are proved to be gone after %s ms;", k.name, show(timesOf(k.removed), "%.0f"))
	}
	out.WriteString(" from the COMMIT.\n\n")
	missed := b.writeBars(&out)
	return report{out.String(), missed}
}

// writeLoads writes what became of calls while rows were applied.
func (b *editBench) writeLoads(out *strings.Builder, what string, rounds func(*loadKind) []loadRound) {
	fmt.Fprintf(out, "\n| %s, while %d rows are applied | answers a second | refused | p50 ms | p99 ms | proved after ms | s of server | of PostgreSQL | of FreeSWITCH |\n"+
		"| --- | --: | --: | --: | --: | --: | --: | --: | --: |\n", what, manyRows)
	for _, k := range b.loads {
		if len(rounds(k)) == 0 {
			continue
		}
		all := func(measure func(loadRound) float64) spread { return loadSpread(rounds(k), measure) }
		fmt.Fprintf(out, "| %s | %s | %.0f | %s | %s | %s | %.2f | %.2f | %.2f |\n", k.name,
			show(all(func(r loadRound) float64 { return r.perSecond() }), "%.0f"),
			all(func(r loadRound) float64 { return float64(r.lost) }).highest,
			show(all(func(r loadRound) float64 { return p50(r.sample) }), "%.2f"),
			show(all(func(r loadRound) float64 { return p99(r.sample) }), "%.2f"),
			show(all(func(r loadRound) float64 { return milliseconds(r.proved) }), "%.0f"),
			all(func(r loadRound) float64 { return r.server.Seconds() }).median,
			all(func(r loadRound) float64 { return r.postgres.Seconds() }).median,
			all(func(r loadRound) float64 { return r.ofSwitch.Seconds() }).median)
	}
}

// writeSlower writes how much longer calls at a steady pace waited than right before.
func (b *editBench) writeSlower(out *strings.Builder) {
	fmt.Fprintf(out, "\n| in the same round | p50 ms in the %v before | and meanwhile, times |\n| --- | --: | --: |\n", beforeTime)
	for _, k := range b.loads {
		before := loadSpread(k.steady, func(r loadRound) float64 { return p50(r.before) })
		fmt.Fprintf(out, "| %s | %s | %s |\n", k.name, show(before, "%.2f"), show(loadSpread(k.steady, loadRound.slower), "%.2f"))
	}
}

// writeManyCost tells what an edit costs that goes to many nodes: while other programs run, its time says more of them.
func (b *editBench) writeManyCost(out *strings.Builder) {
	count := len(b.edits) * (b.options.rounds + 1)
	each := func(d time.Duration) float64 { return milliseconds(d) / float64(count) }
	fmt.Fprintf(out, "\nWith the simulated nodes an edit, and the pause before it, takes %.0f ms of processor time of the server, %.0f of PostgreSQL,\n"+
		"%.0f of FreeSWITCH and %.0f of the simulated nodes.\n", each(b.manyCost.server), each(b.manyCost.postgres), each(b.manyCost.ofSwitch), each(b.manyCost.own))
}

func (b *editBench) writeBars(out *strings.Builder) (missed bool) {
	writeBarHead(out)
	for _, e := range b.edits {
		missed = bar{what: e.name + ": from COMMIT to proved", limit: e.limit, unit: "ms"}.write(out, timesOf(e.one)) || missed
	}
	for _, e := range b.edits {
		missed = bar{what: fmt.Sprintf("%s: and on %d more nodes", e.name, b.options.simulated), limit: manyTimes * e.limit, unit: "ms"}.
			write(out, timesOf(e.many)) || missed
	}
	for _, k := range b.edited() {
		missed = bar{what: "p50 of calls while " + k.name + " are applied, against right before", limit: 1 + slower}.
			write(out, loadSpread(k.steady, loadRound.slower)) || missed
	}
	return missed
}

// edited are those loads while which something is edited.
func (b *editBench) edited() []*loadKind {
	return slices.DeleteFunc(slices.Clone(b.loads), func(k *loadKind) bool { return k.insert == "" })
}

// loadSpread is measure over all rounds.
func loadSpread(rounds []loadRound, measure func(loadRound) float64) spread {
	var values []float64
	for _, r := range rounds {
		values = append(values, measure(r))
	}
	return spreadOf(values)
}

// timesOf is what several times come to, in ms.
func timesOf(times []time.Duration) spread {
	var values []float64
	for _, t := range times {
		values = append(values, milliseconds(t))
	}
	return spreadOf(values)
}

// show writes a median and what it lies between, each number in the given format.
func show(s spread, format string) string {
	return fmt.Sprintf(format+" ("+format+"–"+format+")", s.median, s.lowest, s.highest)
}
