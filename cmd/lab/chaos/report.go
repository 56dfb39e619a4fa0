//go:build linux

package chaos

import (
	"fmt"
	"strings"
	"time"

	"xmlcurld/cmd/lab/report"
	"xmlcurld/cmd/lab/rig"
)

// settled is how long after a fault was mended no answer may be stale any more.
const settled = 5 * time.Second

// memoryGrowth is by how much the memory may be more in the end than before the first fault: a share, and bytes that the
// garbage collector makes of what happens to be under way.
const (
	memoryShare = 0.25
	memorySlack = 16 << 20
)

// line is what one kind of fault came to, from when it began until the next did.
type line struct {
	name     string
	times    int
	requests int
	failed   [outcomes]int // of questions that had been asked before, while the server was there
	away     int           // of all that failed while it was not
	first    int           // questions that were never asked before
	lost     int           // that many of them failed while the server was there
	worst    time.Duration // of what was answered or failed while the server was there
	stale    int
	late     int // stale when all had been mended for long, or nothing was broken
	never    int // wrong answers that never were right
	outdated int // wrong answers that were right too long ago
	recovery time.Duration
}

func (l *line) failures() int {
	n := 0
	for _, failed := range l.failed {
		n += failed
	}
	return n
}

// add adds a record that is part of event e.
func (l *line) add(j judged, e event, away bool) {
	l.requests++
	if j.question.first {
		l.first++
	}
	switch {
	case away:
		l.away++
		return
	case j.outcome != answered && j.question.first:
		l.lost++
	case j.outcome != answered:
		l.failed[j.outcome]++
	}
	l.worst = max(l.worst, j.answered.Sub(j.asked))
	switch j.verdict {
	case neverRight:
		l.never++
	case outdated:
		l.outdated++
	}
	if j.stale {
		l.stale++
		if j.asked.After(e.mended.Add(settled)) {
			l.late++
		}
	}
	if j.outcome != answered || j.stale {
		l.recovery = max(l.recovery, j.asked.Sub(e.mended))
	}
}

// sum adds up lines.
func sum(lines []*line) *line {
	total := &line{name: "**all**"}
	for _, l := range lines {
		total.times += l.times
		total.requests += l.requests
		for i, n := range l.failed {
			total.failed[i] += n
		}
		total.away += l.away
		total.first += l.first
		total.lost += l.lost
		total.worst = max(total.worst, l.worst)
		total.stale += l.stale
		total.late += l.late
		total.never += l.never
		total.outdated += l.outdated
		total.recovery = max(total.recovery, l.recovery)
	}
	return total
}

// lines are what the faults came to, one line for all of a name; the first is for the time before.
func (c *chaos) lines() []*line {
	lines := []*line{{name: "nothing, before the first"}}
	named := map[string]*line{}
	for _, e := range c.happened {
		if named[e.name] == nil {
			named[e.name] = &line{name: e.name}
			lines = append(lines, named[e.name])
		}
		named[e.name].times++
	}
	all := judgeAll(c.truth, c.load.records)
	for _, j := range all {
		e := c.eventOf(j.record)
		l := named[e.name]
		if l == nil {
			l = lines[0]
			e.mended = j.asked.Add(-settled - 1) // nothing was broken
		}
		l.add(j, e, c.server.wasAway(j.record))
	}
	lines[0].recovery = 0
	c.explain(all)
	return lines
}

// eventOf is the last event that had begun when r was asked.
func (c *chaos) eventOf(r record) (e event) {
	for _, happened := range c.happened {
		if !r.asked.Before(happened.began) {
			e = happened
		}
	}
	return e
}

func (c *chaos) report() report.Report {
	lines := c.lines()
	total := sum(lines)
	var out strings.Builder
	took := time.Duration(0)
	if n := len(c.load.records); n > 0 {
		took = c.load.records[n-1].answered.Sub(c.load.records[0].asked)
	}
	fmt.Fprintf(&out, "%v, %d questions a second, %d faults, %d commits that changed %d answers.\n\n%s.\n\n",
		took.Round(time.Second), c.options.rate, len(c.happened), c.editor.commits, c.truth.changes(), rig.Machine())
	out.WriteString("| what was broken | times | requests | failed: 503 | other status | refused | cut off | timed out " +
		"| server away | worst ms | stale | never right | outdated | never asked before | of them failed | recovered after s |\n")
	out.WriteString("| --- " + strings.Repeat("| --: ", 15) + "|\n")
	for _, l := range append(lines, total) {
		l.write(&out)
	}
	out.WriteString("\n")
	return report.New(out.String(), c.bars(total))
}

func (l *line) write(out *strings.Builder) {
	fmt.Fprintf(out, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %.1f |\n",
		l.name, l.times, l.requests, l.failed[unavailable], l.failed[otherStatus], l.failed[refused], l.failed[broken],
		l.failed[timedOut], l.away, l.worst.Milliseconds(), l.stale, l.never, l.outdated, l.first, l.lost, l.recovery.Seconds())
}

// busyFailures of a thousand questions may fail in the short form, which is one of many tests that run at a time: it must
// not depend on who else has the processors. It shows what breaks for good, and every wrong answer; the long form takes none.
const busyFailures = 3

func (c *chaos) failuresBar(total *line) report.Bar {
	most := 0
	if c.options.short {
		most = total.requests * busyFailures / 1000
	}
	n := total.failures()
	return report.Bar{What: "failures of what was asked before", Must: fmt.Sprint(most), Is: fmt.Sprint(n), Reached: n <= most}
}

func (c *chaos) bars(total *line) []report.Bar {
	count := func(what string, n int) report.Bar {
		return report.Bar{What: what, Must: "0", Is: fmt.Sprint(n), Reached: n == 0}
	}
	before, after := c.memory[0], c.memory[len(c.memory)-1]
	limit := before + int64(memoryShare*float64(before)) + memorySlack
	return []report.Bar{
		c.failuresBar(total),
		count("wrong answers: never right", total.never),
		count("wrong answers: outdated", total.outdated),
		count(fmt.Sprintf("stale answers while nothing is broken, or %v after it was mended", settled), total.late),
		{What: "memory of the server in the end, resident", Must: fmt.Sprintf("at most %d MiB", limit>>20),
			Is: fmt.Sprintf("%d MiB (%d MiB before the first fault)", after>>20, before>>20), Reached: after <= limit},
	}
}
