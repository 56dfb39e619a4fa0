package hunt

import (
	"slices"
	"time"
)

// How far ahead Next looks: closely for a week, so that nothing of a minute is missed, and then hour by hour for a year.
const (
	closeSteps = 8 * 24 * 60
	wideSteps  = 366 * 24
)

// Next returns the next time at which call would be decided in another way than in result, and how. It reports false if there
// is none within a year.
func (p *Plan) Next(call Call, result Result) (time.Time, Result, bool) {
	timed := timedIn(p.section, nil)
	if len(timed) == 0 {
		return time.Time{}, Result{}, false
	}
	clock := (&hunter{channel: newChannel(&call), call: &call}).clock()
	now := fits(clock, call.Time, timed)
	start := call.Time.Truncate(time.Minute)
	for n := 1; n <= closeSteps+wideSteps; n++ {
		at, before := start.Add(time.Duration(n)*time.Minute), time.Minute
		if n > closeSteps {
			at, before = start.Add(closeSteps*time.Minute+time.Duration(n-closeSteps)*time.Hour), time.Hour
		}
		then := fits(clock, at, timed)
		if slices.Equal(now, then) {
			continue
		}
		changed := firstSecond(clock, at.Add(-before), at, timed, then)
		now = then
		later := call
		later.Time = changed
		if other := p.Hunt(later); !sameOutcome(result, other) {
			return changed, other, true
		}
	}
	return time.Time{}, Result{}, false
}

// firstSecond returns the first second, after from and up to to, at which the times are those of to.
func firstSecond(c clock, from, to time.Time, timed []*element, then []bool) time.Time {
	for to.Sub(from) > time.Second {
		middle := from.Add(to.Sub(from) / 2).Truncate(time.Second)
		if slices.Equal(fits(c, middle, timed), then) {
			to = middle
		} else {
			from = middle
		}
	}
	return to
}

// fits tells which of the elements fit a time, as far as nothing in the dialplan changes the time zone.
func fits(c clock, at time.Time, timed []*element) []bool {
	c.here, c.call = at.In(c.here.Location()), at.In(c.call.Location())
	fits := make([]bool, len(timed))
	for i, e := range timed {
		fits[i] = c.fitsAll(e)
	}
	return fits
}

// timedIn returns the elements in e that have something to say of the time.
func timedIn(e *element, found []*element) []*element {
	for _, name := range timeAttributes {
		if _, ok := e.attr(name); ok {
			found = append(found, e)
			break
		}
	}
	for _, child := range e.children {
		found = timedIn(child, found)
	}
	return found
}

// sameOutcome reports whether two results run the same.
func sameOutcome(a, b Result) bool {
	return a.Extension == b.Extension && slices.Equal(a.Actions, b.Actions)
}
