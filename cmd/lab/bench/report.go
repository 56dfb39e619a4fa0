//go:build linux

package bench

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"xmlcurld/cmd/lab/rig"
)

// report is what a run came to, in Markdown.
type report struct {
	text   string
	missed bool // a bar
}

var errMissed = errors.New("a bar was missed")

// show prints the report, and puts it into the file write, if there is one. A missed bar is an error, if not quick.
func (r report) show(write, kind string, quick bool) error {
	fmt.Print(r.text)
	if write != "" {
		if err := rig.ReplaceResults(write, kind, r.text); err != nil {
			return err
		}
	}
	if r.missed && !quick {
		return errMissed
	}
	return nil
}

func (b *bench) report(memory int64) report {
	var out strings.Builder
	o := b.options
	fmt.Fprintf(&out, "%d numbers, %d users and %d gateways of %d tenants, %d ACL entries, %d nodes.\n",
		o.sizes.numbers, o.sizes.users, o.sizes.gateways, o.sizes.tenants, o.sizes.aclEntries, o.sizes.nodes)
	fmt.Fprintf(&out, "%d rounds of %v for each line, %d connections in flight; median (lowest–highest) of the rounds.\n\n%s, %s.\n\n",
		o.rounds, o.duration, o.inFlight, rig.Machine(), nginxVersion())
	b.writeResults(&out)
	if b.options.against != "" {
		b.writeAgainst(&out)
	}
	missed := b.writeBars(&out, memory)
	return report{out.String(), missed}
}

func nginxVersion() string {
	out, err := exec.Command(nginxBinary(), "-v").CombinedOutput()
	if err != nil {
		return "nginx"
	}
	_, version, _ := strings.Cut(strings.TrimSpace(string(out)), ": ")
	return strings.TrimPrefix(version, "nginx version: ")
}

// writeResults writes a line for each subject.
func (b *bench) writeResults(out *strings.Builder) {
	out.WriteString("| what | bytes | answers a second | against nginx | p50 ms | p99 ms | µs of server | of PostgreSQL | of load |\n")
	out.WriteString("| --- | --: | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, s := range b.subjects {
		rate, half, most := s.spread(sample.perSecond, nil), s.spread(p50, nil), s.spread(p99, nil)
		fmt.Fprintf(out, "| %s | %d | %.0f (%.0f–%.0f) | %s | %.2f | %.2f | %.1f | %.1f | %.1f |\n",
			s.name, s.load.length, rate.median, rate.lowest, rate.highest, b.againstNginx(s), half.median, most.median,
			s.each(func(r round) time.Duration { return r.server }),
			s.each(func(r round) time.Duration { return r.postgres }),
			s.each(func(r round) time.Duration { return r.load }))
	}
	out.WriteString("\nThe last columns are the processor time that one answer takes.\n\n")
}

func (b *bench) againstNginx(s *subject) string {
	nginx := b.subject(strings.TrimSuffix(s.name, byOther) + byNginx)
	if nginx == nil {
		nginx = b.subject(s.question.name + byNginx)
	}
	if nginx == nil || strings.HasSuffix(s.name, byNginx) {
		return ""
	}
	ratio := s.spread(sample.perSecond, nginx)
	return ratio.String()
}

// each is a processor time per answer, in µs, the median of the rounds.
func (s *subject) each(of func(round) time.Duration) float64 {
	var values []float64
	for _, r := range s.rounds {
		values = append(values, float64(of(r))/float64(time.Microsecond)/float64(r.answers))
	}
	return spreadOf(values).median
}

// writeBars writes which bars were reached, and reports whether one was missed.
func (b *bench) writeBars(out *strings.Builder, memory int64) (missed bool) {
	writeBarHead(out)
	for _, bar := range slices.Concat(bars, notSlower) {
		of, against := b.subject(bar.of), b.subject(bar.against)
		if bar.numbers != 0 && bar.numbers != b.options.sizes.numbers || of == nil || against == nil && bar.against != "" {
			continue
		}
		missed = bar.write(out, of.spread(bar.measure, against)) || missed
	}
	const mib = 1 << 20
	return writeBar(out, "memory of the server, resident, over the whole run", fmt.Sprintf("at most %d MiB", memoryLimit/mib),
		fmt.Sprintf("%.0f MiB", float64(memory)/mib), memory <= memoryLimit) || missed
}

// write writes whether the bar was reached, and reports whether it was missed.
func (b bar) write(out *strings.Builder, s spread) (missed bool) {
	return writeBar(out, b.what, b.must(), fmt.Sprintf("%v %s", s, b.unit), b.reached(s))
}

func writeBarHead(out *strings.Builder) {
	out.WriteString("| bar | must be | is | |\n| --- | --- | --- | --- |\n")
}

func writeBar(out *strings.Builder, what, must, is string, reached bool) (missed bool) {
	verdict := "reached"
	if !reached {
		verdict = "**missed**"
	}
	fmt.Fprintf(out, "| %s | %s | %s | %s |\n", what, strings.TrimSpace(must), strings.TrimSpace(is), verdict)
	return !reached
}

// Between such lines of a file stand the results of the last run of one kind.
const (
	results      = "results"
	callsResults = "results of calls"
)
