package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/pflag"

	"xmlcurld/internal/plan"
	"xmlcurld/internal/rowfile"
)

func editFlags(flags *pflag.FlagSet) {
	lookFlags(flags)
	applyingFlags(flags)
	flags.Bool("json", false, "print what was made as JSON; what else there is to say goes to the standard error")
}

// edit opens rows as a file in an editor, and makes what was changed in it.
func edit(ctx context.Context, i *invocation) error {
	if len(i.operands) < 2 {
		return usageError{errors.New("edit what? tenant NAME, or a table and the key of a row")}
	}
	return withDatabase(ctx, i, func(url string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		s := &editing{invocation: i, url: url, conn: conn}
		asJSON, _ := i.flags.GetBool("json") // the flag exists: no error
		if asJSON {
			aside := *i
			aside.stdout = i.stderr
			s.invocation = &aside
		}
		err = s.inTransaction(ctx, func(tx pgx.Tx) (err error) {
			s.object, err = rowfile.Read(ctx, tx, i.operands[0], i.operands[1:])
			return err
		})
		if err != nil {
			return err
		}
		err = s.start(ctx)
		if asJSON && (err == nil || s.result.Applied) {
			err = errors.Join(printJSON(i.stdout, s.result), err)
		}
		return err
	})
}

// editing is one file in an editor.
type editing struct {
	*invocation
	url    string
	conn   *pgx.Conn
	object *rowfile.Object
	file   string
	result applied
}

func (s *editing) inTransaction(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, s.conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
}

// start writes the file, which only its owner may read, and edits it. Unless the edit was made, or none was written, the file
// stays, so that nothing typed is lost.
func (s *editing) start(ctx context.Context) error {
	f, err := os.CreateTemp("", "xmlcurld-*.yaml")
	if err != nil {
		return err
	}
	s.file = f.Name()
	if err := errors.Join(s.object.Write(f), f.Close()); err != nil {
		return err
	}
	made, err := s.rounds(ctx)
	if err != nil {
		return fmt.Errorf("%w\nWhat you wrote is in %s", err, s.file)
	}
	if err := os.Remove(s.file); err != nil || !made {
		return err
	}
	s.result.InSync, err = awaitSwitches(ctx, s.invocation, s.url)
	return err
}

var errQuit = errors.New("not applied")

// rounds has the file edited until what is in it is made, or nothing is to be.
func (s *editing) rounds(ctx context.Context) (made bool, err error) {
	for {
		if err := s.openEditor(ctx); err != nil {
			return false, err
		}
		next, err := s.round(ctx)
		if err == nil && next != editAgain {
			return next == editMade, nil
		}
		if yes, _ := s.flags.GetBool("yes"); err != nil && (yes || errors.Is(err, errQuit) || ctx.Err() != nil) {
			return false, err
		}
		if err != nil {
			fmt.Fprintln(s.stderr, err)
			answer, asked := s.ask(ctx, "Edit again, or quit? (e or q) ")
			if asked != nil || !strings.HasPrefix(answer, "e") {
				return false, errors.Join(errQuit, asked)
			}
		}
	}
}

// outcome is what became of a round.
type outcome int

const (
	editNothing outcome = iota // nothing was changed
	editAgain
	editMade
)

// round plans what is in the file, and asks what to do with it.
func (s *editing) round(ctx context.Context) (outcome, error) {
	content, err := os.ReadFile(s.file)
	if err != nil {
		return editNothing, err
	}
	statements, err := s.object.Changes(content)
	if err != nil {
		return editNothing, err
	}
	if len(statements) == 0 {
		fmt.Fprintln(s.stdout, "Nothing was changed.")
		return editNothing, nil
	}
	if err := s.inTransaction(ctx, func(tx pgx.Tx) error { return s.object.Same(ctx, tx) }); err != nil {
		return editNothing, err
	}
	e := plan.Edit{Statements: statements, Reason: text(s.flags, "reason")}
	p, err := plan.Make(ctx, s.url, e, planOptions(s.invocation))
	if err != nil {
		return editNothing, err
	}
	if err := p.Show(s.stdout); err != nil {
		return editNothing, err
	}
	if yes, _ := s.flags.GetBool("yes"); !yes {
		answer, err := s.ask(ctx, "Apply, edit again, or quit? (a, e or q) ")
		switch {
		case err != nil:
			return editNothing, errors.Join(errQuit, err)
		case strings.HasPrefix(answer, "e"):
			return editAgain, nil
		case !strings.HasPrefix(answer, "a"):
			return editNothing, errQuit
		}
	}
	err = commit(ctx, s.invocation, s.url, e, p.Base, "xmlcurld edit")
	s.result = applied{Plan: p, Applied: err == nil}
	return editMade, err
}

// openEditor has the file edited.
func (s *editing) openEditor(ctx context.Context) error {
	editor := cmp.Or(s.variable("VISUAL"), s.variable("EDITOR"), "vi")
	command := exec.CommandContext(ctx, "sh", "-c", editor+` "$1"`, "sh", s.file)
	command.Env = s.environ
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("editor %s: %w", editor, err)
	}
	return nil
}

// variable is the value of a variable of the environment.
func (i *invocation) variable(name string) (value string) {
	for _, entry := range i.environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = v
		}
	}
	return value
}
