package pg

import (
	"sync"
	"testing"
	"time"
)

func hostsWith(roles ...*role) *hosts {
	h := &hosts{}
	h.seen.start()
	h.seen.remember(WALPosition{System: 7, Timeline: 1})
	for _, r := range roles {
		one := &host{}
		one.role.Store(r)
		h.all = append(h.all, one)
	}
	return h
}

// A look that took long does not put back what a later one found.
func TestLooksEndInAnyOrder(t *testing.T) {
	t.Parallel()
	began := time.Now()
	before := role{answers: true, standby: true, at: began, wal: WALPosition{System: 7, Timeline: 1, LSN: 100}}
	promoted := role{answers: true, at: began.Add(time.Millisecond), wal: WALPosition{System: 7, Timeline: 2, LSN: 101}}
	h := hostsWith(&role{})
	for _, found := range []role{promoted, before} {
		if h.note(h.all[0], found); h.outdated(h.all[0]) || h.all[0].role.Load().standby {
			t.Errorf("after %+v it is %+v", found, *h.all[0].role.Load())
		}
	}
	rebuilt := before
	rebuilt.at = began.Add(time.Second)
	if h.note(h.all[0], rebuilt); !h.outdated(h.all[0]) {
		t.Errorf("a host that shows less than it did is %+v", *h.all[0].role.Load())
	}
}

// Whoever asks while a standby's promotion is noted finds a host that is not outdated.
func TestPromotionIsNoted(t *testing.T) {
	t.Parallel()
	for range 500 {
		began := time.Now()
		wal := WALPosition{System: 7, Timeline: 1, LSN: 100}
		h := hostsWith(&role{answers: true, standby: true, at: began, wal: wal})
		var noting sync.WaitGroup
		noting.Go(func() {
			h.note(h.all[0], role{answers: true, at: began, wal: WALPosition{System: 7, Timeline: 2, LSN: 101}})
		})
		for !h.seen.due.Load().Reaches(WALPosition{System: 7, Timeline: 2}) {
			if h.outdated(h.all[0]) {
				t.Fatal("for a moment the promoted host counts as outdated")
			}
		}
		noting.Wait()
		if h.outdated(h.all[0]) {
			t.Fatal("the promoted host counts as outdated")
		}
	}
}

// A host that was behind is looked at again as soon as more is due, since it may be the one that has it.
func TestMoreIsDue(t *testing.T) {
	t.Parallel()
	h := hostsWith(&role{answers: true, standby: true, at: time.Now().Add(time.Hour), wal: WALPosition{System: 7, Timeline: 1}})
	last := *h.all[0].role.Load()
	if h.mayCatchUp(&last) {
		t.Error("it is looked at again at once")
	}
	last.at = time.Now()
	h.seen.promoted(WALPosition{System: 7, Timeline: 2})
	if !h.mayCatchUp(&last) {
		t.Error("it is not looked at, and may be the one that was promoted")
	}
	last.answers = false
	if h.mayCatchUp(&last) {
		t.Error("a host that does not answer is looked at for a call")
	}
}
