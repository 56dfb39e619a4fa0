//go:build linux

package bench

import (
	"fmt"
	"slices"
	"time"
)

// bar is what must be reached.
type bar struct {
	what    string
	numbers int // in a world with so many; 0: in any
	of      string
	against string // the subject that of is divided by; "": none
	measure func(sample) float64
	atLeast bool // or at most
	limit   float64
	unit    string // "" for a ratio
}

const memoryLimit = 128 << 20 // bytes, the mapped pages of its local rows among them

var bars = []bar{
	{"dialplan: answers a second, against nginx", 1_000_000, dialplan, dialplan + byNginx, sample.perSecond, true, 0.50, ""},
	{"dialplan: answers a second, against nginx", 100_000, dialplan, dialplan + byNginx, sample.perSecond, true, 0.30, ""},
	{"dialplan: p99, against nginx", 1_000_000, dialplan, dialplan + byNginx, p99, false, 6, ""},
	{"dialplan: p50, against the same with 1,000 numbers", 1_000_000, dialplan, dialplan + smallWorld, p50, false, 1.10, ""},
	{"sip_auth: answers a second, against dialplan", 0, sipAuth, dialplan, sample.perSecond, true, 0.9, ""},
	{"unknown number: answers a second, against a known one", 0, unknownNumber, dialplan, sample.perSecond, true, 0.9, ""},
	{"unknown user: answers a second, against a known one", 0, unknownUser, sipAuth, sample.perSecond, true, 0.9, ""},
	{"sofia.conf of one profile: p50, alone", 0, sofiaConf, "", p50, false, 50, "ms"},
	{"acl.conf: p50, alone", 0, aclConf, "", p50, false, 20, "ms"},
}

func p50(s sample) float64 { return milliseconds(s.half) }
func p99(s sample) float64 { return milliseconds(s.most) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// spread is what several rounds came to.
type spread struct{ median, lowest, highest float64 }

func spreadOf(values []float64) spread {
	values = slices.Sorted(slices.Values(values))
	return spread{values[len(values)/2], values[0], values[len(values)-1]}
}

// spread is measure over all rounds of s, divided by what it is for against in the same round.
func (s *subject) spread(measure func(sample) float64, against *subject) spread {
	var values []float64
	for i, r := range s.rounds {
		value := measure(r.sample)
		if against != nil {
			value /= measure(against.rounds[i].sample)
		}
		values = append(values, value)
	}
	return spreadOf(values)
}

// reached reports whether the median reaches the bar.
func (b bar) reached(s spread) bool {
	if b.atLeast {
		return s.median >= b.limit
	}
	return s.median <= b.limit
}

func (b bar) must() string {
	if b.atLeast {
		return fmt.Sprintf("at least %.4g %s", b.limit, b.unit)
	}
	return fmt.Sprintf("at most %.4g %s", b.limit, b.unit)
}
