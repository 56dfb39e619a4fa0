package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/pflag"

	"xmlcurld/db/table"
	"xmlcurld/internal/check"
)

// checkTime is for all checks: a private server may have to be started for them first.
const checkTime = 5 * time.Minute

func checkFlags(flags *pflag.FlagSet) {
	flags.Bool("json", false, "print JSON instead of text")
	flags.StringSlice("without", nil, "codes of findings to leave out, as rtp-range,networks-nested")
	flags.String("tenant", "", "only what is found in the rows of this tenant")
}

// checkRows prints what is wrong with the rows as they are at one moment. It fails if something is an error or a warning.
func checkRows(ctx context.Context, i *invocation) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	without, _ := i.flags.GetStringSlice("without") // the flag exists: no error
	options := check.Options{Without: without, Tenant: text(i.flags, "tenant"), AnswerLimit: i.config.AnswerLimit}
	var found []check.Finding
	err := withStore(ctx, i, func(store *table.Store) error {
		return atOneMoment(ctx, store, time.Time{}, func(tx pgx.Tx) (err error) {
			found, err = check.Run(ctx, tx, options)
			return err
		})
	})
	if _, unknown := errors.AsType[check.UnknownCodeError](err); unknown {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if asJSON, _ := i.flags.GetBool("json"); asJSON {
		err = printJSON(i.stdout, found)
	} else {
		err = printFindings(i.stdout, found)
	}
	return errors.Join(err, verdict(found))
}

// verdict is an error if something is to be done.
func verdict(found []check.Finding) error {
	count := make(map[check.Severity]int)
	for _, f := range found {
		count[f.Severity]++
	}
	if count[check.Error]+count[check.Warning] == 0 {
		return nil
	}
	var all []string
	for _, s := range []check.Severity{check.Error, check.Warning, check.Notice} {
		switch n := count[s]; n {
		case 0:
		case 1:
			all = append(all, fmt.Sprintf("1 %s", s))
		default:
			all = append(all, fmt.Sprintf("%d %ss", n, s))
		}
	}
	return errors.New("found " + strings.Join(all, ", "))
}

func printFindings(w io.Writer, found []check.Finding) error {
	for _, f := range found {
		if _, err := fmt.Fprintf(w, "%s %s: %s %s\n  %s\n  %s\n", f.Severity, f.Code, f.Table, f.Key, f.What, f.Remedy); err != nil {
			return err
		}
	}
	return nil
}
