//go:build linux

package bench

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"xmlcurld/cmd/lab/rig"
)

// delays are the times from INVITE to answer of some calls, sorted.
type delays []time.Duration

// most is what percent of the calls took at most, in ms.
func (d delays) most(percent int) float64 { return milliseconds(d[min(len(d)*percent/100, len(d)-1)]) }

var (
	aboveOneNumber   = bar{what: "p50 with xmlcurld, above that with static XML of one number", limit: 2, unit: "ms"}
	belowManyNumbers = bar{what: "p50 with static XML of 10,000 numbers, against that with xmlcurld", atLeast: true, limit: 5}
)

func (b *callBench) report() report {
	var out strings.Builder
	fmt.Fprintf(&out, "%d rounds of %v for each line, %d calls a second; median (lowest–highest) of the rounds.\n\n%s, %s.\n\n",
		b.options.rounds, b.options.duration, callsPerSecond, rig.Machine(),
		versions([]string{b.options.freeSWITCH, "-version"}, []string{"sipp", "-v"}))
	out.WriteString("| dialplan | numbers | p50 ms | p95 ms |\n| --- | --: | --: | --: |\n")
	for _, f := range b.switches() {
		half, most := f.spread(50), f.spread(95)
		fmt.Fprintf(&out, "| %s | %d | %.1f (%.1f–%.1f) | %.1f (%.1f–%.1f) |\n",
			f.dialplan, f.numbers, half.median, half.lowest, half.highest, most.median, most.lowest, most.highest)
	}
	out.WriteString("\n")
	writeBarHead(&out)
	above, times := b.comparisons()
	missed := aboveOneNumber.write(&out, above)
	missed = belowManyNumbers.write(&out, times) || missed
	return report{out.String(), missed}
}

func (f *freeSWITCH) spread(percent int) spread {
	var values []float64
	for _, d := range f.rounds {
		values = append(values, d.most(percent))
	}
	return spreadOf(values)
}

// comparisons are made within a round: how much more the p50 with xmlcurld is than with one number, in ms, and how many
// times it is that with many.
func (b *callBench) comparisons() (above, times spread) {
	var differences, ratios []float64
	for r, asking := range b.asking.rounds {
		differences = append(differences, asking.most(50)-b.oneNumber.rounds[r].most(50))
		ratios = append(ratios, b.manyNumbers.rounds[r].most(50)/asking.most(50))
	}
	return spreadOf(differences), spreadOf(ratios)
}

var versionNumber = regexp.MustCompile(`v?[0-9]+\.[0-9]+(\.[0-9]+)?[\w~+-]*`)

// versions is what programs say of their versions.
func versions(commands ...[]string) string {
	var all []string
	for _, c := range commands {
		out, _ := exec.Command(c[0], c[1:]...).CombinedOutput() // SIPp's exit code is 99
		all = append(all, filepath.Base(c[0])+" "+versionNumber.FindString(string(out)))
	}
	return strings.Join(all, ", ")
}
