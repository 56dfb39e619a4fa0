//go:build linux

package changes

import (
	"fmt"
	"strings"
	"time"

	"xmlcurld/cmd/lab/report"
	"xmlcurld/cmd/lab/rig"
)

// Results is where docs/benchmarks.md has what a run came to.
const Results = "results of changes"

// asFast is how fast numbers must be loaded, against the other build.
const asFast = 0.7

func (b *bench) Report() report.Report {
	var out strings.Builder
	o := b.options
	fmt.Fprintf(&out, "%d numbers, %d users and %d gateways of %d tenants, %d ACL entries, %d nodes; %d changes in the history.\n",
		o.sizes.Numbers, o.sizes.Users, o.sizes.Gateways, o.sizes.Tenants, o.sizes.ACLEntries, o.sizes.Nodes, o.changes)
	fmt.Fprintf(&out, "%d rounds of each question, %d of each load; median (lowest–highest) of the rounds.\n\n%s.\n\n", o.rounds, o.loads, rig.Machine())
	b.writeQuestions(&out)
	b.writeLoads(&out)
	return report.New(out.String()+"\n", b.bars())
}

// writeQuestions writes a line for each question.
func (b *bench) writeQuestions(out *strings.Builder) {
	if b.options.rounds == 0 {
		return
	}
	out.WriteString("| question | ms |\n| --- | --: |\n")
	for _, s := range b.subjects {
		fmt.Fprintf(out, "| %s | %s |\n", s.name, report.Over(s.times, report.Milliseconds).Format("%.1f"))
	}
}

// writeLoads writes a line for each load.
func (b *bench) writeLoads(out *strings.Builder) {
	if b.options.loads == 0 {
		return
	}
	fmt.Fprintf(out, "\n| %d numbers in one statement | s | other build: s | as fast as that, in the same round |\n| --- | --: | --: | --: |\n", b.options.sizes.Numbers)
	for _, l := range b.loads {
		fmt.Fprintf(out, "| %s | %s |", l.name, report.Over(l.own, time.Duration.Seconds).Format("%.1f"))
		if len(l.other) == 0 {
			out.WriteString(" | |\n")
			continue
		}
		fmt.Fprintf(out, " %s | %v |\n", report.Over(l.other, time.Duration.Seconds).Format("%.1f"), l.against())
	}
}

// against is how fast this build is, divided by the other one.
func (l *load) against() report.Spread {
	var values []float64
	for i, own := range l.own {
		values = append(values, l.other[i].Seconds()/own.Seconds())
	}
	return report.SpreadOf(values)
}

func (b *bench) bars() (all []report.Bar) {
	for _, s := range b.subjects {
		if s.limit > 0 {
			all = append(all, report.Limit{What: s.name, Limit: s.limit, Unit: "ms"}.Bar(report.Over(s.times, report.Milliseconds)))
		}
	}
	for _, l := range b.loads {
		if len(l.other) > 0 {
			all = append(all, report.Limit{What: "loading numbers by " + l.name + ", as fast as the other build", AtLeast: true, Limit: asFast}.Bar(l.against()))
		}
	}
	return all
}
