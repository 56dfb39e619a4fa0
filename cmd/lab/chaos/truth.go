//go:build linux

package chaos

import (
	"sync"
	"time"
)

// state is an answer while it was right. What was committed between two looks at the clock was right from the first of
// them, and what it replaced until the second.
type state struct {
	answer      digest
	from, until time.Time // until is zero while it is right
}

// truth is what was ever right, for each question by its name.
type truth struct {
	mu     sync.Mutex
	states map[string][]state
}

func newTruth() *truth { return &truth{states: map[string][]state{}} }

// learn takes down that answers are right since a commit between began and ended.
func (t *truth) learn(questions []*question, answers []digest, began, ended time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, q := range questions {
		states := t.states[q.name()]
		if n := len(states); n > 0 {
			if states[n-1].answer == answers[i] {
				continue
			}
			states[n-1].until = ended
		}
		t.states[q.name()] = append(states, state{answer: answers[i], from: began})
	}
}

// changes counts how often an answer became another.
func (t *truth) changes() int {
	n := 0
	for _, states := range t.states {
		n += len(states) - 1
	}
	return n
}

// verdict is what the judge makes of an answer.
type verdict int

const (
	right verdict = iota
	neverRight
	outdated // it was right once
)

// judge judges an answer to q that was given at a time, when it should not be older than since.
func (t *truth) judge(q *question, answer digest, since, given time.Time) verdict {
	v := neverRight
	for _, s := range t.states[q.name()] {
		if s.answer != answer || s.from.After(given) {
			continue
		}
		if s.until.IsZero() || !s.until.Before(since) {
			return right
		}
		v = outdated
	}
	return v
}

// until is until when answer was right the last time, zero if it is or never was.
func (t *truth) until(q *question, answer digest) (until time.Time) {
	for _, s := range t.states[q.name()] {
		if s.answer == answer {
			until = s.until
		}
	}
	return until
}
