package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"xmlcurld/db/history"
	"xmlcurld/db/pg"
)

const (
	// historyTime is for looking through the history.
	historyTime = time.Minute
	// historyLimit is how many changes are shown unless it is told.
	historyLimit = 50
)

func historyFlags(flags *pflag.FlagSet) {
	flags.Bool("json", false, "print JSON instead of text")
	flags.Int64("edit", 0, "only this edit")
	flags.String("table", "", "only rows of this table")
	flags.String("key", "", "only the row with this key, or those whose keys begin with these words")
	flags.String("number", "", "only this number")
	flags.String("tenant", "", "only rows of this tenant, and parts of them")
	flags.String("node", "", "only rows of this node")
	flags.String("who", "", "only what this role or application changed")
	flags.String("since", "", "only what was committed since: a time as 2026-12-24T09:00:00Z, a date, or a duration as 36h")
	flags.Int("limit", historyLimit, "how many changes, the newest first")
}

// showHistory prints who changed which rows, the newest first.
func showHistory(ctx context.Context, i *invocation) error {
	filter, err := historyFilter(i.flags, time.Now())
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, historyTime)
	defer cancel()
	return withDatabase(ctx, i, func(url string) error {
		conn, err := pg.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		changes, err := history.List(ctx, conn, filter)
		if err != nil {
			return err
		}
		if asJSON, _ := i.flags.GetBool("json"); asJSON {
			return printJSON(i.stdout, changes)
		}
		return printHistory(i.stdout, changes)
	})
}

func historyFilter(flags *pflag.FlagSet, now time.Time) (f history.Filter, err error) {
	edit, _ := flags.GetInt64("edit") // the flags exist: no error
	limit, _ := flags.GetInt("limit")
	f = history.Filter{
		Edit: edit, Table: text(flags, "table"), Key: text(flags, "key"), Tenant: text(flags, "tenant"), Node: text(flags, "node"),
		Who: text(flags, "who"), Limit: limit,
	}
	if number := text(flags, "number"); number != "" {
		f.Table, f.Key = "number", number
	}
	if since := text(flags, "since"); since != "" {
		if f.Since, err = parseMoment(since, now); err != nil {
			return f, fmt.Errorf("--since %w", err)
		}
	}
	if limit < 1 {
		return f, fmt.Errorf("--limit %d: not a number of changes", limit)
	}
	return f, nil
}

// printHistory prints edit after edit, and below each its rows.
func printHistory(w io.Writer, changes []history.Change) error {
	var b bytes.Buffer
	edit := int64(-1)
	for _, c := range changes {
		if c.Edit != edit {
			edit = c.Edit
			fmt.Fprintf(&b, "edit %d, %s, by %s with %s%s\n", c.Edit, c.At.Local().Format("2006-01-02 15:04:05.000 MST"), c.Role, cmp.Or(c.Application, "no application_name"), because(c.Reason))
		}
		fmt.Fprintf(&b, "  %s %s %s%s\n", c.Operation, c.Table, c.Key, ofTenant(c.Tenant))
		if err := printColumns(&b, c); err != nil {
			return err
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func because(reason *string) string {
	if reason == nil {
		return ""
	}
	return ": " + *reason
}

func ofTenant(tenant *string) string {
	if tenant == nil {
		return ""
	}
	return " of " + *tenant
}

// printColumns prints those of a row that changed: of a new or a deleted row, those that have a value.
func printColumns(w io.Writer, c history.Change) error {
	var old, changed map[string]json.RawMessage
	for row, into := range map[*json.RawMessage]*map[string]json.RawMessage{&c.Old: &old, &c.New: &changed} {
		if len(*row) == 0 {
			continue
		}
		if err := json.Unmarshal(*row, into); err != nil {
			return err
		}
	}
	columns := make(map[string]bool)
	for _, row := range []map[string]json.RawMessage{old, changed} {
		for column := range row {
			columns[column] = true
		}
	}
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		was, is := cmp.Or(string(old[column]), "null"), cmp.Or(string(changed[column]), "null")
		switch {
		case was == is:
		case c.Operation == "insert":
			fmt.Fprintf(w, "    %s = %s\n", column, is)
		case c.Operation == "delete":
			fmt.Fprintf(w, "    %s was %s\n", column, was)
		default:
			fmt.Fprintf(w, "    %s: %s -> %s\n", column, was, is)
		}
	}
	return nil
}
