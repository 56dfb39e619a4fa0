package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"xmlcurld/db/pg"
	"xmlcurld/db/switchstate"
	"xmlcurld/db/table"
	"xmlcurld/internal/reconcile"
)

const (
	// nodesTime is for reading the states of all nodes: a private server may have to be started for it first.
	nodesTime = time.Minute
	// waitTime is how long wait waits unless it is told.
	waitTime = time.Minute
)

func nodesFlags(flags *pflag.FlagSet) {
	flags.Bool("json", false, "print JSON instead of a table")
	flags.String("at", "", "what was known then: a time as 2026-12-24T09:00:00Z, a date, or how long ago as 36h")
}

// showNodes prints what is known of each node. It fails if one is not in sync.
func showNodes(ctx context.Context, i *invocation) error {
	at, err := momentOf(i)
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, nodesTime)
	defer cancel()
	return withStore(ctx, i, func(store *table.Store) error {
		states, err := nodeStates(ctx, store, at)
		if err != nil {
			return err
		}
		if asJSON, _ := i.flags.GetBool("json"); asJSON {
			err = printJSON(i.stdout, states)
		} else {
			err = printTable(i.stdout, states)
		}
		return errors.Join(err, reconcile.Behind(states, time.Time{}))
	})
}

// nodeStates returns what is known of each node, or was at a time.
func nodeStates(ctx context.Context, store *table.Store, at time.Time) (states []switchstate.NodeState, err error) {
	if at.IsZero() {
		return switchstate.NodeStates(ctx, store.DB())
	}
	err = asOf(ctx, store, at, func(_ table.Source, rows pg.Querier) error {
		states, err = switchstate.FormerNodeStates(ctx, rows, at)
		return err
	})
	return states, err
}

func waitFlags(flags *pflag.FlagSet) {
	flags.Duration("timeout", waitTime, "how long to wait")
}

// wait returns when all nodes run what was committed before it started, and prints what a restart of them would bring besides.
func wait(ctx context.Context, i *invocation) error {
	limit, _ := i.flags.GetDuration("timeout") // the flag exists: no error
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return withStore(ctx, i, func(store *table.Store) error {
		states, err := reconcile.Await(ctx, store.DB())
		printRestarts(i.stdout, states)
		return err
	})
}

// printRestarts prints what a restart of switches would bring.
func printRestarts(w io.Writer, states []switchstate.NodeState) {
	for _, s := range states {
		if len(s.RestartRequired) > 0 {
			fmt.Fprintf(w, "%s needs a restart for: %s\n", s.Node, strings.Join(s.RestartRequired, ", "))
		}
	}
}

func printTable(w io.Writer, states []switchstate.NodeState) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NODE\tREACHABLE\tIN SYNC\tPENDING\tSINCE\tRESTART REQUIRED\tSERVER\tLAST ERROR")
	for _, s := range states {
		since := ""
		if s.PendingSince != nil {
			since = s.PendingSince.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Node, word(s.Reachable), word(reconcile.Reason(s, time.Time{}) == ""),
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
