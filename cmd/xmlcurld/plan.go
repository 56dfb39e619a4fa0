package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"xmlcurld/internal/plan"
)

const (
	planExamples = 5
	// planSwitchTime is for a switch to answer.
	planSwitchTime = 3 * time.Second
)

func planFlags(flags *pflag.FlagSet) {
	lookFlags(flags)
	flags.Bool("json", false, "print JSON instead of text")
	flags.String("out", "", "save the plan in this new file, for xmlcurld apply --plan")
}

// lookFlags are of all verbs that show a plan.
func lookFlags(flags *pflag.FlagSet) {
	flags.String("reason", "", "why the edit is made; the history keeps it")
	flags.Int("examples", planExamples, "how many rows of a table, and documents of a kind, to show")
	flags.Bool("no-switches", false, "ask no switch what it would get")
	flags.Bool("no-check", false, "look for no findings")
}

func planOptions(i *invocation) plan.Options {
	examples, _ := i.flags.GetInt("examples") // the flags exist: no error
	noSwitches, _ := i.flags.GetBool("no-switches")
	noCheck, _ := i.flags.GetBool("no-check")
	o := plan.Options{
		Secrets: secretsOf(i, prometheus.NewRegistry()), Examples: max(0, examples), SwitchTime: planSwitchTime,
		Check: !noCheck, AnswerLimit: i.config.AnswerLimit,
	}
	if noSwitches {
		o.SwitchTime = 0
	}
	return o
}

// showPlan prints what an edit would do.
func showPlan(ctx context.Context, i *invocation) error {
	if len(i.operands) != 1 {
		return usageError{errors.New("one file of SQL is wanted, or - for the standard input")}
	}
	edit, err := readEdit(i)
	if err != nil {
		return err
	}
	return withDatabase(ctx, i, func(url string) error {
		p, err := plan.Make(ctx, url, edit, planOptions(i))
		if err != nil {
			return fmt.Errorf("%s: %w", i.operands[0], err)
		}
		if out := text(i.flags, "out"); out != "" {
			if err := plan.Save(out, edit, p.Base); err != nil {
				return err
			}
		}
		if asJSON, _ := i.flags.GetBool("json"); asJSON {
			err = printJSON(i.stdout, p)
		} else {
			err = p.Show(i.stdout)
		}
		if partly := p.Partly(); err == nil && partly != "" {
			return partError(partly)
		}
		return err
	})
}

// readEdit reads the file that is named.
func readEdit(i *invocation) (e plan.Edit, err error) {
	in := io.Reader(os.Stdin)
	if name := i.operands[0]; name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return e, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	if e, err = plan.Read(in); err != nil {
		return e, fmt.Errorf("%s: %w", i.operands[0], err)
	}
	e.Reason = text(i.flags, "reason")
	return e, nil
}
