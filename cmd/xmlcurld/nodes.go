package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"xmlcurld/db"
)

const (
	// nodesTime is for reading the states of all nodes: a private server may have to be started for it first.
	nodesTime = time.Minute
	// waitTime is how long wait waits unless it is told.
	waitTime = time.Minute
	// waitPoll is how often wait reads the states, and waitAgain how often it asks the servers to look.
	waitPoll  = 20 * time.Millisecond
	waitAgain = 2 * time.Second
)

func nodesFlags(flags *pflag.FlagSet) {
	flags.Bool("json", false, "print JSON instead of a table")
}

// showNodes prints what is known of each node. It fails if one is not in step.
func showNodes(ctx context.Context, i *invocation) error {
	asJSON, err := i.flags.GetBool("json")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, nodesTime)
	defer cancel()
	return withStore(ctx, i, func(store *db.Store) error {
		states, err := store.NodeStates(ctx)
		if err != nil {
			return err
		}
		if asJSON {
			err = printJSON(i.stdout, states)
		} else {
			err = printTable(i.stdout, states)
		}
		return errors.Join(err, behind(states, time.Time{}))
	})
}

func waitFlags(flags *pflag.FlagSet) {
	flags.Duration("timeout", waitTime, "how long to wait")
}

// wait returns when all nodes run what was committed before it started.
func wait(ctx context.Context, i *invocation) error {
	limit, err := i.flags.GetDuration("timeout")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return withStore(ctx, i, func(store *db.Store) error { return awaitNodes(ctx, store) })
}

// awaitNodes has the servers look at everything. Only a look that began after that counts: one that is under way may have
// read the rows before the last of them was committed.
func awaitNodes(ctx context.Context, store *db.Store) error {
	start, err := store.AskForLook(ctx)
	if err != nil {
		return err
	}
	asked := time.Now()
	last := errors.New("nothing is known yet")
	for {
		states, err := store.NodeStates(ctx)
		if err == nil {
			if err = behind(states, start); err == nil {
				return nil
			}
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-time.After(waitPoll):
		case <-ctx.Done():
			return fmt.Errorf("waited in vain: %w", last)
		}
		if time.Since(asked) > waitAgain {
			asked = time.Now()
			_, _ = store.AskForLook(ctx) // the listener of a server may have been away
		}
	}
}

// behind names the nodes that are not in step with what was committed before since, and why. It is nil if there is none.
func behind(states []db.NodeState, since time.Time) error {
	var who []string
	for _, s := range states {
		if why := reason(s, since); why != "" {
			who = append(who, s.Node+": "+why)
		}
	}
	if len(who) == 0 {
		return nil
	}
	return errors.New("not in step: " + strings.Join(who, "; "))
}

// reason says why a node is not in step with what was committed before since, or nothing.
func reason(s db.NodeState, since time.Time) string {
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

func printJSON(w io.Writer, states []db.NodeState) error {
	if states == nil {
		states = []db.NodeState{}
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(states)
}

func printTable(w io.Writer, states []db.NodeState) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NODE\tREACHABLE\tIN STEP\tPENDING\tSINCE\tRESTART REQUIRED\tSERVER\tLAST ERROR")
	for _, s := range states {
		since := ""
		if s.PendingSince != nil {
			since = s.PendingSince.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Node, word(s.Reachable), word(reason(s, time.Time{}) == ""),
			strings.Join(s.Pending, ", "), since, strings.Join(s.RestartRequired, ", "), s.Server, s.LastError)
	}
	return table.Flush()
}

func word(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
