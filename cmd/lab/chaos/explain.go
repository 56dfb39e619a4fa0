//go:build linux

package chaos

import (
	"fmt"

	"xmlcurld/cmd/lab/rig"
)

// explained is how many bad answers are told one by one.
const explained = 30

var outcomeNames = [outcomes]string{"answered", "503", "another status", "refused", "cut off", "timed out"}

// explain tells each of the first answers that make a run fail: which fault it was in, and how far.
func (c *chaos) explain(all []judged) {
	told := 0
	for _, j := range all {
		failed := j.outcome != answered && !j.question.first && !c.server.wasAway(j.record)
		if !failed && j.verdict == right {
			continue
		}
		if told++; told > explained {
			rig.Progress("and so on")
			return
		}
		rig.Progress("%s", c.sentence(j))
	}
}

func (c *chaos) sentence(j judged) string {
	e := c.eventOf(j.record)
	text := fmt.Sprintf("%s: %s of %s", e.name, outcomeNames[j.outcome], j.question.name())
	if !e.began.IsZero() {
		text += fmt.Sprintf(", asked %+.3f s after it began and %+.3f s after it was mended", j.asked.Sub(e.began).Seconds(),
			j.asked.Sub(e.mended).Seconds())
	}
	text += fmt.Sprintf(", took %d ms", j.answered.Sub(j.asked).Milliseconds())
	if j.said != "" {
		text += ": " + j.said
	}
	switch j.verdict {
	case neverRight:
		text += ": never right"
	case outdated:
		text += fmt.Sprintf(": stale is %v, right until %.3f s before it was asked, must be right %.3f s before", j.stale,
			j.asked.Sub(c.truth.until(j.question, j.answer)).Seconds(), j.asked.Sub(j.since).Seconds())
	}
	return text
}
