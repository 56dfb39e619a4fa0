//go:build linux

package edits

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"xmlcurld/cmd/lab/report"
	"xmlcurld/cmd/lab/rig"
)

// Results is where docs/benchmarks.md has what a run came to.
const Results = "results of edits"

const (
	// manyTimes is how many times as long as it may take on one switch an edit may take until it is on all of many.
	manyTimes = 2
	// slower is how much slower calls may be answered while many rows are applied.
	slower = 0.05
)

func (b *bench) Report() report.Report {
	var out strings.Builder
	o := b.options
	fmt.Fprintf(&out, "%d rounds of each edit, %d rounds of calls, %.0f a second, and %d of %v of calls with %d connections in flight;\n"+
		"median (lowest–highest) of the rounds.\n\n%s, %s.\nThe switch is %s.\n\n",
		o.rounds, o.loads, o.perSecond, o.saturated, o.duration, o.inFlight, rig.Machine(), rig.Versions([]string{o.FreeSWITCH, "-version"}), b.idle)
	fmt.Fprintf(&out, "| from COMMIT to proved, ms | one switch | and %d simulated nodes | times as long |\n| --- | --: | --: | --: |\n", o.simulated)
	for _, e := range b.edits {
		one, many := timesOf(e.one), timesOf(e.many)
		fmt.Fprintf(&out, "| %s | %s | %s | %.1f |\n", e.name, one.Format("%.0f"), many.Format("%.0f"), many.Median/one.Median)
	}
	b.writeManyCost(&out)
	b.writeLoads(&out, fmt.Sprintf("%.0f calls a second", o.perSecond), func(k *loadKind) []loadRound { return k.steady })
	b.writeSlower(&out)
	if o.saturated > 0 {
		b.writeLoads(&out, "as many calls as are answered", func(k *loadKind) []loadRound { return k.saturated })
	}
	out.WriteString("\nThe last columns are the processor time that was taken meanwhile. While nobody calls, rows are removed again:")
	for _, k := range b.edited() {
		fmt.Fprintf(&out, "\n%s are proved to be gone after %s ms;", k.name, timesOf(k.removed).Format("%.0f"))
	}
	out.WriteString(" from the COMMIT.\n\n")
	return report.New(out.String(), b.bars())
}

// writeLoads writes what became of calls while rows were applied.
func (b *bench) writeLoads(out *strings.Builder, what string, rounds func(*loadKind) []loadRound) {
	fmt.Fprintf(out, "\n| %s, while %d rows are applied | answers a second | refused | p50 ms | p99 ms | proved after ms | s of server | of PostgreSQL | of FreeSWITCH |\n"+
		"| --- | --: | --: | --: | --: | --: | --: | --: | --: |\n", what, manyRows)
	for _, k := range b.loads {
		if len(rounds(k)) == 0 {
			continue
		}
		all := func(measure func(loadRound) float64) report.Spread { return report.Over(rounds(k), measure) }
		fmt.Fprintf(out, "| %s | %s | %.0f | %s | %s | %s | %.2f | %.2f | %.2f |\n", k.name,
			all(loadRound.PerSecond).Format("%.0f"),
			all(func(r loadRound) float64 { return float64(r.lost) }).Highest,
			all(func(r loadRound) float64 { return r.P50 }).String(),
			all(func(r loadRound) float64 { return r.P99 }).String(),
			all(func(r loadRound) float64 { return report.Milliseconds(r.proved) }).Format("%.0f"),
			all(func(r loadRound) float64 { return r.server.Seconds() }).Median,
			all(func(r loadRound) float64 { return r.postgres.Seconds() }).Median,
			all(func(r loadRound) float64 { return r.ofSwitch.Seconds() }).Median)
	}
}

// writeSlower writes how much longer calls at a steady pace waited than right before.
func (b *bench) writeSlower(out *strings.Builder) {
	fmt.Fprintf(out, "\n| in the same round | p50 ms in the %v before | and meanwhile, times |\n| --- | --: | --: |\n", beforeTime)
	for _, k := range b.loads {
		before := report.Over(k.steady, func(r loadRound) float64 { return r.before.P50 })
		fmt.Fprintf(out, "| %s | %v | %v |\n", k.name, before, report.Over(k.steady, loadRound.slower))
	}
}

// writeManyCost tells what an edit costs that goes to many nodes: while other programs run, its time says more of them.
func (b *bench) writeManyCost(out *strings.Builder) {
	count := len(b.edits) * (b.options.rounds + 1)
	each := func(d time.Duration) float64 { return report.Milliseconds(d) / float64(count) }
	fmt.Fprintf(out, "\nWith the simulated nodes an edit, and the pause before it, takes %.0f ms of processor time of the server, %.0f of PostgreSQL,\n"+
		"%.0f of FreeSWITCH and %.0f of the simulated nodes.\n", each(b.manyCost.server), each(b.manyCost.postgres), each(b.manyCost.ofSwitch), each(b.manyCost.own))
}

func (b *bench) bars() []report.Bar {
	var all []report.Bar
	add := func(what string, limit float64, unit string, is report.Spread) {
		all = append(all, report.Limit{What: what, Limit: limit, Unit: unit}.Bar(is))
	}
	for _, e := range b.edits {
		add(e.name+": from COMMIT to proved", e.limit, "ms", timesOf(e.one))
	}
	for _, e := range b.edits {
		add(fmt.Sprintf("%s: and on %d more nodes", e.name, b.options.simulated), manyTimes*e.limit, "ms", timesOf(e.many))
	}
	for _, k := range b.edited() {
		add("p50 of calls while "+k.name+" are applied, against right before", 1+slower, "", report.Over(k.steady, loadRound.slower))
	}
	return all
}

// edited are those loads while which something is edited.
func (b *bench) edited() []*loadKind {
	return slices.DeleteFunc(slices.Clone(b.loads), func(k *loadKind) bool { return k.insert == "" })
}

// timesOf is what several times come to, in ms.
func timesOf(times []time.Duration) report.Spread { return report.Over(times, report.Milliseconds) }
