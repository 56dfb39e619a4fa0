package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"xmlcurld/db/pg"
	"xmlcurld/db/switchstate"
	"xmlcurld/internal/pace"
)

const (
	// waitPoll is how often Await reads the states, and waitAgain how often it asks the servers to look.
	waitPoll  = 20 * time.Millisecond
	waitAgain = 2 * time.Second
)

// Await returns when all nodes run what was committed before it was called: the servers are asked to look at everything.
// Only a look that began after that counts: one that is under way may have read the rows before the last of them was
// committed. It returns their states then; what waits for a restart is in them.
func Await(ctx context.Context, database *pg.DB) ([]switchstate.NodeState, error) {
	start, err := switchstate.AskForLook(ctx, database)
	if err != nil {
		return nil, err
	}
	asked := time.Now()
	last := errors.New("nothing is known yet")
	for {
		states, err := switchstate.NodeStates(ctx, database)
		if err == nil {
			if err = Behind(states, start); err == nil {
				return states, nil
			}
		}
		if ctx.Err() == nil {
			last = err
		}
		pace.Sleep(ctx, waitPoll)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("waited in vain: %w", last)
		}
		if time.Since(asked) > waitAgain {
			asked = time.Now()
			_, _ = switchstate.AskForLook(ctx, database) // the listener of a server may have been away
		}
	}
}

// Behind names the nodes that are not in sync with what was committed before since, and why. It is nil if there is none.
func Behind(states []switchstate.NodeState, since time.Time) error {
	var who []string
	for _, s := range states {
		if why := Reason(s, since); why != "" {
			who = append(who, s.Node+": "+why)
		}
	}
	if len(who) == 0 {
		return nil
	}
	return errors.New("not in sync: " + strings.Join(who, "; "))
}

// Reason says why a node is not in sync with what was committed before since, or nothing.
func Reason(s switchstate.NodeState, since time.Time) string {
	switch {
	case s.CheckedAt == nil:
		return "no server has looked after it yet"
	case s.Unattended:
		return "no server looks after it"
	case s.LastError != "":
		return s.LastError
	case len(s.Pending) > 0:
		return strings.Join(s.Pending, ", ")
	case s.LookedAt == nil || s.LookedAt.Before(since):
		return "not looked at yet"
	}
	return ""
}
