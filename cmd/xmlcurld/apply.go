package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"xmlcurld/db/table"
	"xmlcurld/internal/plan"
	"xmlcurld/internal/reconcile"
)

func applyFlags(flags *pflag.FlagSet) {
	lookFlags(flags)
	applyingFlags(flags)
	applyJSONFlag(flags)
	flags.String("plan", "", "apply what xmlcurld plan --out saved in this file, and nothing else")
}

func applyJSONFlag(flags *pflag.FlagSet) {
	flags.Bool("json", false, "print JSON instead of text; wants --yes")
}

// applyingFlags are of all verbs that make an edit.
func applyingFlags(flags *pflag.FlagSet) {
	flags.Bool("yes", false, "do not ask")
	flags.Bool("no-wait", false, "do not wait for the switches")
	flags.Duration("timeout", waitTime, "how long to wait for the switches")
}

// apply shows what an edit would do, and makes it.
func apply(ctx context.Context, i *invocation) error {
	edit, saved, err := editToApply(i)
	if err != nil {
		return err
	}
	if err := jsonAsksNobody(i); err != nil {
		return err
	}
	return withDatabase(ctx, i, func(url string) error { return applyAndPrint(ctx, i, url, edit, saved, "xmlcurld apply") })
}

func jsonAsksNobody(i *invocation) error {
	asJSON, _ := i.flags.GetBool("json") // the flags exist: no error
	if yes, _ := i.flags.GetBool("yes"); asJSON && !yes {
		return usageError{errors.New("--json asks nobody, so it wants --yes")}
	}
	return nil
}

// applyAndPrint is applyEdit, or with --json prints what it returns instead of text.
func applyAndPrint(ctx context.Context, i *invocation, url string, e plan.Edit, saved *plan.Base, application string) error {
	if asJSON, _ := i.flags.GetBool("json"); !asJSON {
		_, err := applyEdit(ctx, i, url, e, saved, application)
		return err
	}
	quiet := *i
	quiet.stdout = io.Discard
	result, err := applyEdit(ctx, &quiet, url, e, saved, application)
	if result.Applied {
		err = errors.Join(printJSON(i.stdout, result), err)
	}
	return err
}

// applied is what became of an edit.
type applied struct {
	Plan    *plan.Plan `json:"plan"` // null: nothing was to be changed
	Applied bool       `json:"applied"`
	InSync  bool       `json:"in_sync"` // every switch runs it; false: or nobody waited for them
}

// applyEdit shows what an edit would do, asks, makes it, and waits for the switches.
func applyEdit(ctx context.Context, i *invocation, url string, e plan.Edit, saved *plan.Base, application string) (r applied, err error) {
	options := planOptions(i)
	options.Against = saved
	if r.Plan, err = plan.Make(ctx, url, e, options); err != nil {
		return r, err
	}
	if err := r.Plan.Show(i.stdout); err != nil {
		return r, err
	}
	if yes, _ := i.flags.GetBool("yes"); !yes {
		answer, err := i.ask(ctx, "Apply this? (yes or no) ")
		if err != nil {
			return r, err
		}
		if answer != "yes" && answer != "y" {
			return r, errors.New("not applied")
		}
	}
	if err := commit(ctx, i, url, e, r.Plan.Base, application); err != nil {
		return r, err
	}
	r.Applied = true
	r.InSync, err = awaitSwitches(ctx, i, url)
	return r, err
}

// editToApply is the edit of a file of SQL or of a saved plan.
func editToApply(i *invocation) (e plan.Edit, saved *plan.Base, err error) {
	name := text(i.flags, "plan")
	switch {
	case name == "" && len(i.operands) == 1:
		e, err = readEdit(i)
		return e, nil, err
	case name == "" || len(i.operands) > 0:
		return e, nil, usageError{errors.New("one file of SQL is wanted, or - for the standard input, or --plan")}
	}
	file, err := os.Open(name)
	if err != nil {
		return e, nil, err
	}
	defer func() { _ = file.Close() }()
	if e, saved, err = plan.Load(file); err != nil {
		return e, nil, fmt.Errorf("%s: %w", name, err)
	}
	if reason := text(i.flags, "reason"); reason != "" {
		e.Reason = reason
	}
	return e, saved, nil
}

// commit makes an edit as its plan says.
func commit(ctx context.Context, i *invocation, url string, e plan.Edit, planned *plan.Base, application string) error {
	_, err := plan.Commit(ctx, url, e, planned, application)
	if err == nil {
		fmt.Fprintln(i.stdout, "\nApplied.")
	}
	return err
}

// awaitSwitches waits until they run the edit that was made, if that is wanted.
func awaitSwitches(ctx context.Context, i *invocation, url string) (inSync bool, err error) {
	if noWait, _ := i.flags.GetBool("no-wait"); noWait {
		return false, nil
	}
	limit, _ := i.flags.GetDuration("timeout") // the flag exists: no error
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	store, err := table.Open(ctx, url, prometheus.NewRegistry())
	if err != nil {
		return false, err
	}
	defer store.Close()
	states, err := reconcile.Await(ctx, store.DB())
	if err != nil {
		return false, fmt.Errorf("the edit is made, but not every switch has it: %w", err)
	}
	printRestarts(i.stdout, states)
	fmt.Fprintln(i.stdout, "Every switch is in sync.")
	return true, nil
}

// askTerminal asks whoever sits at the terminal, wherever the standard input comes from.
func askTerminal(ctx context.Context, question string) (answer string, err error) {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", errors.New("there is no terminal to ask at; say --yes")
	}
	type reply struct {
		text string
		err  error
	}
	read := make(chan reply, 1)
	go func() {
		defer func() { _ = terminal.Close() }()
		_, err := fmt.Fprint(terminal, question)
		var text string
		if err == nil {
			text, err = bufio.NewReader(terminal).ReadString('\n')
		}
		read <- reply{text, err}
	}()
	select {
	case r := <-read:
		return strings.ToLower(strings.TrimSpace(r.text)), r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
