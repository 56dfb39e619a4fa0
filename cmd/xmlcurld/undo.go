package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"xmlcurld/db/history"
	"xmlcurld/db/table"
	"xmlcurld/internal/plan"
)

func undoFlags(flags *pflag.FlagSet) {
	lookFlags(flags)
	applyingFlags(flags)
	applyJSONFlag(flags)
}

// undo takes an edit back, by another that is planned and remembered as any.
func undo(ctx context.Context, i *invocation) error {
	if len(i.operands) != 1 {
		return usageError{errors.New("one edit is wanted, by its number in xmlcurld history")}
	}
	number, err := strconv.ParseInt(i.operands[0], 10, 64)
	if err != nil || number < 1 {
		return usageError{fmt.Errorf("%q is not the number of an edit: see xmlcurld history", i.operands[0])}
	}
	if err := jsonAsksNobody(i); err != nil {
		return err
	}
	return withDatabase(ctx, i, func(url string) error {
		edit, err := undoing(ctx, url, number)
		if err != nil {
			return err
		}
		edit.Reason = cmp.Or(text(i.flags, "reason"), fmt.Sprintf("undo of edit %d", number))
		return applyAndPrint(ctx, i, url, edit, nil, "xmlcurld undo")
	})
}

// undoing is the edit that takes another back.
func undoing(ctx context.Context, url string, number int64) (e plan.Edit, err error) {
	store, err := table.Open(ctx, url, prometheus.NewRegistry())
	if err != nil {
		return e, err
	}
	defer store.Close()
	err = atOneMoment(ctx, store, time.Time{}, func(tx pgx.Tx) error {
		statements, err := history.Undo(ctx, tx, number)
		for _, sql := range statements {
			e.Statements = append(e.Statements, plan.Statement{SQL: sql})
		}
		return err
	})
	return e, err
}
