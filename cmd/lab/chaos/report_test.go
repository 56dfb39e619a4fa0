//go:build linux

package chaos

import (
	"strings"
	"testing"
	"time"

	"xmlcurld/cmd/lab/report"
)

// Each bar is missed by what it is about, and by nothing else.
func TestBars(t *testing.T) {
	t.Parallel()
	q := &question{kind: dialplan, about: "+27123456789", node: "node01"}
	once := &question{kind: dialplan, about: "+27123456780", node: "node01", first: true}
	fault := event{name: "fault", began: at(20), mended: at(25), over: at(40)}
	for _, test := range []struct {
		name   string
		is     record
		missed string
	}{
		{"right", given(q, "new", 22, false), ""},
		{"stale during a fault", given(q, "new", 22, true), ""},
		{"stale a moment after", given(q, "new", 29, true), ""},
		{"stale long after", given(q, "new", 31, true), "stale answers"},
		{"stale before", given(q, "new", 15, true), "stale answers"},
		{"outdated", given(q, "old", 22, false), "outdated"},
		{"never right", given(q, "nonsense", 22, false), "never right"},
		{"503", record{question: q, asked: at(22), answered: at(22), outcome: unavailable}, "failures"},
		{"503 to what was never asked", record{question: once, asked: at(22), answered: at(22), outcome: unavailable}, ""},
		{"refused", record{question: q, asked: at(22), answered: at(22), outcome: refused}, "failures"},
		{"refused, server killed", record{question: q, asked: at(24.1), answered: at(24.1), outcome: refused}, ""},
		{"cut off, server killed", record{question: q, asked: at(23), answered: at(24.1), outcome: broken}, ""},
		{"timed out, server killed", record{question: q, asked: at(23), answered: at(25), outcome: timedOut}, "failures"},
		{"refused, server told to end", record{question: q, asked: at(26.1), answered: at(26.1), outcome: refused}, ""},
		{"cut off, server told to end", record{question: q, asked: at(25.9), answered: at(26.1), outcome: broken}, "failures"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := &chaos{
				truth: newTruth(), load: &load{records: []record{test.is}}, happened: []event{fault}, memory: []int64{1, 1},
				editor: &editor{},
				server: &server{away: []absence{{from: at(24), until: at(24.5)}, {from: at(26), until: at(26.5), asked: true}}},
			}
			c.truth.learn([]*question{q}, []digest{digestOf([]byte("old"))}, at(0), at(0))
			c.truth.learn([]*question{q}, []digest{digestOf([]byte("new"))}, at(10), at(10))
			var missed []string
			for _, bar := range c.bars(sum(c.lines())) {
				if !bar.Reached {
					missed = append(missed, bar.What)
				}
			}
			if got := strings.Join(missed, "; "); !strings.Contains(got, test.missed) || (got == "") != (test.missed == "") || len(missed) > 1 {
				t.Errorf("missed are %q, want %q", got, test.missed)
			}
			if report := c.report(); report.Missed != (test.missed != "") {
				t.Errorf("missed %v:\n%s", report.Missed, report.Text)
			}
		})
	}
}

func TestMemoryMustNotGrow(t *testing.T) {
	t.Parallel()
	for after, missed := range map[int64]bool{100 << 20: false, 140 << 20: false, 142 << 20: true} {
		c := &chaos{memory: []int64{100 << 20, after}}
		if report.New("", c.bars(&line{})).Missed != missed {
			t.Errorf("%d MiB: missed is %v", after>>20, !missed)
		}
	}
}

func TestRecovered(t *testing.T) {
	t.Parallel()
	var l load
	q := &question{}
	l.keep(given(q, "a", 1, false))
	l.keep(given(q, "a", 2, false))
	if !l.recovered(time.Second, at(1)) || l.recovered(time.Second, at(1.5)) {
		t.Error("a second of good answers is taken for less or more")
	}
	l.keep(given(q, "a", 1.5, true))
	if l.recovered(time.Second, at(1)) {
		t.Error("a stale answer between is not seen")
	}
}
