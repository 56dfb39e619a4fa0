//go:build linux

package bench

import (
	"fmt"
	"strings"

	"xmlcurld/cmd/lab/load"
	"xmlcurld/cmd/lab/report"
	"xmlcurld/cmd/lab/rig"
)

// Results is where docs/benchmarks.md has what a run came to.
const Results = "results"

func (b *bench) Report() report.Report {
	var out strings.Builder
	o := b.options
	fmt.Fprintf(&out, "%d numbers, %d users and %d gateways of %d tenants, %d ACL entries, %d nodes.\n",
		o.sizes.Numbers, o.sizes.Users, o.sizes.Gateways, o.sizes.Tenants, o.sizes.ACLEntries, o.sizes.Nodes)
	fmt.Fprintf(&out, "%d rounds of %v for each line, %d connections in flight; median (lowest–highest) of the rounds.\n\n%s, %s.\n\n",
		o.rounds, o.duration, o.inFlight, rig.Machine(), rig.NginxVersion())
	b.writeResults(&out)
	if o.against != "" {
		b.writeAgainst(&out)
	}
	b.writeEvents(&out)
	return report.New(out.String(), b.bars())
}

// writeResults writes a line for each subject.
func (b *bench) writeResults(out *strings.Builder) {
	out.WriteString("| what | bytes | answers a second | against nginx | p50 ms | p99 ms | µs of server | of PostgreSQL | of load |\n")
	out.WriteString("| --- | --: | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, s := range b.subjects {
		median := func(measure func(round) float64) float64 { return s.spread(measure, nil).Median }
		fmt.Fprintf(out, "| %s | %d | %s | %s | %.2f | %.2f | %.1f | %.1f | %.1f |\n",
			s.name, s.load.Length, s.spread(round.PerSecond, nil).Format("%.0f"), b.againstNginx(s), median(p50), median(p99),
			median(each(ofServer)), median(each(ofPostgres)), median(each(ofLoad)))
	}
	out.WriteString("\nThe last columns are the processor time that one answer takes.\n\n")
}

func (b *bench) againstNginx(s *subject) string {
	nginx := b.subject(strings.TrimSuffix(s.name, byOther) + byNginx)
	if nginx == nil {
		nginx = b.subject(s.question + byNginx)
	}
	if nginx == nil || strings.HasSuffix(s.name, byNginx) {
		return ""
	}
	return s.spread(round.PerSecond, nginx).String()
}

// bar is what a subject must reach.
type bar struct {
	report.Limit
	numbers int // in a world with so many; 0: in any
	of      string
	against string // the subject that of is divided by; "": none
	measure func(round) float64
}

// memoryLimit is in bytes. The mapped pages of the local rows are among them, which calls read all over.
const memoryLimit = 256 << 20

var bars = []bar{
	{atLeast("dialplan: answers a second, against nginx", 0.50), 1_000_000, load.Dialplan, load.Dialplan + byNginx, round.PerSecond},
	{atLeast("dialplan: answers a second, against nginx", 0.30), 100_000, load.Dialplan, load.Dialplan + byNginx, round.PerSecond},
	{atMost("dialplan: p99, against nginx", 6, ""), 1_000_000, load.Dialplan, load.Dialplan + byNginx, p99},
	{atMost("dialplan: p50, against the same with 1,000 numbers", 1.10, ""), 1_000_000, load.Dialplan, load.Dialplan + smallWorld, p50},
	{atLeast("sip_auth: answers a second, against dialplan", 0.9), 0, load.SIPAuth, load.Dialplan, round.PerSecond},
	{atLeast("unknown number: answers a second, against a known one", 0.9), 0, load.UnknownNumber, load.Dialplan, round.PerSecond},
	{atLeast("unknown user: answers a second, against a known one", 0.9), 0, load.UnknownUser, load.SIPAuth, round.PerSecond},
	{atMost("sofia.conf of one profile: p50, alone", 50, "ms"), 0, load.SofiaConf, "", p50},
	{atMost("acl.conf: p50, alone", 20, "ms"), 0, load.ACLConf, "", p50},
	// What a call waits for may not get slower than in the other build.
	{atLeast("dialplan: answers a second, against the other build", 0.97), 0, load.Dialplan, load.Dialplan + byOther, round.PerSecond},
	{atLeast("sip_auth: answers a second, against the other build", 0.97), 0, load.SIPAuth, load.SIPAuth + byOther, round.PerSecond},
}

func atLeast(what string, limit float64) report.Limit {
	return report.Limit{What: what, AtLeast: true, Limit: limit}
}

func atMost(what string, limit float64, unit string) report.Limit {
	return report.Limit{What: what, Limit: limit, Unit: unit}
}

func p50(r round) float64 { return r.P50 }
func p99(r round) float64 { return r.P99 }

// bars are those of what was measured.
func (b *bench) bars() []report.Bar {
	var all []report.Bar
	for _, bar := range bars {
		of, against := b.subject(bar.of), b.subject(bar.against)
		if bar.numbers != 0 && bar.numbers != b.options.sizes.Numbers || of == nil || against == nil && bar.against != "" {
			continue
		}
		all = append(all, bar.Bar(of.spread(bar.measure, against)))
	}
	for _, e := range b.events {
		all = append(all, e.bars...)
	}
	const mib = 1 << 20
	return append(all, report.Bar{
		What: "memory of the server, resident, over the whole run", Must: fmt.Sprintf("at most %d MiB", memoryLimit/mib),
		Is: fmt.Sprintf("%.0f MiB", float64(b.memory)/mib), Reached: b.memory <= memoryLimit,
	})
}
