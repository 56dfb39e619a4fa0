package main

import (
	"fmt"
	"strings"
	"time"

	"xmlcurld/cmd/internal/rig"
)

const (
	editsResults = "results of edits"
	// manyTimes is how many times as long as on one switch an edit may take until it is on all of many.
	manyTimes = 2
	// slower is how much slower calls may be answered while many rows are applied.
	slower = 0.05
)

func (b *editBench) report() report {
	var out strings.Builder
	o := b.options
	fmt.Fprintf(&out, "%d rounds of each edit, %d rounds of %v of calls with %d connections in flight; median (lowest–highest) of the rounds.\n\n%s, %s.\n\n",
		o.rounds, o.loads, o.duration, o.inFlight, rig.Machine(), versions([]string{o.freeSWITCH, "-version"}))
	fmt.Fprintf(&out, "| from COMMIT to proved, ms | one switch | and %d simulated nodes |\n| --- | --: | --: |\n", o.simulated)
	for _, e := range b.edits {
		many := ""
		if len(e.many) > 0 {
			many = show(timesOf(e.many), "%.0f")
		}
		fmt.Fprintf(&out, "| %s | %s | %s |\n", e.name, show(timesOf(e.one), "%.0f"), many)
	}
	b.writeManyCost(&out)
	fmt.Fprintf(&out, "\n| calls, while %d rows are applied | answers a second | p50 ms | p99 ms | proved after ms | s of server | of PostgreSQL | of FreeSWITCH |\n"+
		"| --- | --: | --: | --: | --: | --: | --: | --: |\n", manyRows)
	for _, k := range b.loads {
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %.2f | %.2f | %.2f |\n", k.name,
			show(k.spread(func(r loadRound) float64 { return r.perSecond() }, nil), "%.0f"),
			show(k.spread(func(r loadRound) float64 { return p50(r.sample) }, nil), "%.2f"),
			show(k.spread(func(r loadRound) float64 { return p99(r.sample) }, nil), "%.2f"),
			show(k.spread(func(r loadRound) float64 { return milliseconds(r.proved) }, nil), "%.0f"),
			k.spread(func(r loadRound) float64 { return r.server.Seconds() }, nil).median,
			k.spread(func(r loadRound) float64 { return r.postgres.Seconds() }, nil).median,
			k.spread(func(r loadRound) float64 { return r.ofSwitch.Seconds() }, nil).median)
	}
	out.WriteString("\nThe last columns are the processor time that was taken in a whole round.\n\n")
	missed := b.writeBars(&out)
	return report{out.String(), missed}
}

// writeManyCost tells what an edit costs that goes to many nodes: while other programs run, its time says more of them.
func (b *editBench) writeManyCost(out *strings.Builder) {
	count := 0
	for _, e := range b.edits {
		if !e.alone {
			count += b.options.rounds + 1
		}
	}
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
		if e.alone {
			continue
		}
		one := timesOf(e.one).median
		s := timesOf(e.many)
		missed = bar{what: fmt.Sprintf("%s: on %d more nodes, against one", e.name, b.options.simulated), limit: manyTimes}.
			write(out, spread{s.median / one, s.lowest / one, s.highest / one}) || missed
	}
	for _, k := range b.loads[1:] {
		missed = bar{what: "answers a second while " + k.name + " are applied, against nothing", atLeast: true, limit: 1 - slower}.
			write(out, k.spread(func(r loadRound) float64 { return r.perSecond() }, b.loads[0])) || missed
		missed = bar{what: "p50 while " + k.name + " are applied, against nothing", limit: 1 + slower}.
			write(out, k.spread(func(r loadRound) float64 { return p50(r.sample) }, b.loads[0])) || missed
	}
	return missed
}

// spread is measure over all rounds of k, divided by what it is for against in the same round.
func (k *loadKind) spread(measure func(loadRound) float64, against *loadKind) spread {
	var values []float64
	for i, r := range k.rounds {
		value := measure(r)
		if against != nil {
			value /= measure(against.rounds[i])
		}
		values = append(values, value)
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
