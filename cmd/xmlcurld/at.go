package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/history"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// momentOf is what --at says; zero: now.
func momentOf(i *invocation) (time.Time, error) {
	said := text(i.flags, "at")
	if said == "" {
		return time.Time{}, nil
	}
	at, err := parseMoment(said, time.Now())
	if err != nil {
		return time.Time{}, fmt.Errorf("--at %w", err)
	}
	return at, nil
}

// parseMoment reads a time, a date (its begin, here), or how long ago.
func parseMoment(s string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(s); err == nil {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q: not a time as 2026-12-24T09:00:00Z, a date as 2026-12-24, or a duration as 36h", s)
}

// asOf calls f with the rows as they were at a time, and with what reads them; zero: as they are.
func asOf(ctx context.Context, store *table.Store, at time.Time, f func(table.Source, pg.Querier) error) error {
	if at.IsZero() {
		return f(store, store.DB().Primary())
	}
	return atOneMoment(ctx, store, at, func(tx pgx.Tx) error { return f(table.InTransaction(tx), tx) })
}

// atOneMoment calls f with a transaction that sees the rows as they were at a time; zero: as they are. Only the primary can tell
// how they were. The transaction is rolled back. What its role may not read, as passwords, is not told.
func atOneMoment(ctx context.Context, store *table.Store, at time.Time, f func(pgx.Tx) error) error {
	tx, err := store.DB().Primary().BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return pg.Translate("begin", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // there is nothing in it to be kept
	if !at.IsZero() {
		if err := history.Past(ctx, tx, at); err != nil {
			return err
		}
	}
	if _, err := table.Withhold(ctx, tx); err != nil {
		return err
	}
	return f(tx)
}
