package plan

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/check"
	"xmlcurld/internal/mask"
	"xmlcurld/internal/reconcile"
)

// Options say how much a plan tells.
type Options struct {
	Secrets     db.Secrets    // what rows refer to
	Examples    int           // rows of a table, and documents of a kind, that are shown
	SwitchTime  time.Duration // for a switch to answer; 0: no switch is asked
	Check       bool          // whether findings are looked for
	AnswerLimit int64         // bytes of the longest answer, for Check; 0: its preset
	Against     *Base         // of a saved plan, which must come to the same; nil: there is none
}

// Plan is what an edit would do.
type Plan struct {
	Statements []Done               `json:"statements"`
	Warnings   []Warning            `json:"warnings"`
	Rows       Rows                 `json:"rows"`
	Documents  []Document           `json:"documents"`
	Reached    []Reached            `json:"reached"`
	Switches   []reconcile.Foreseen `json:"switches"`
	Findings   Findings             `json:"findings"`
	Unread     []table.Unread       `json:"unread"`
	Base       *Base                `json:"-"`

	role string // who plans
}

// Findings are what check finds with the edit and not without it, and the other way round.
type Findings struct {
	Begin []check.Finding `json:"begin"`
	End   []check.Finding `json:"end"`
}

// Make runs an edit in a transaction that is rolled back, and tells what it would do. The database at url is asked by two
// connections, which see the rows of one moment: one with the edit, one without.
func Make(ctx context.Context, url string, e Edit, o Options) (*Plan, error) {
	edited, err := connect(ctx, url, "xmlcurld plan")
	if err != nil {
		return nil, err
	}
	defer edited.close()
	former, err := connect(ctx, url, "xmlcurld plan")
	if err != nil {
		return nil, err
	}
	defer former.close()
	asOne := pgx.TxOptions{IsoLevel: pgx.RepeatableRead}
	after, err := edited.BeginTx(ctx, asOne)
	if err != nil {
		return nil, err
	}
	defer func() { _ = after.Rollback(context.WithoutCancel(ctx)) }()
	before, err := former.BeginTx(ctx, asOne)
	if err != nil {
		return nil, err
	}
	defer func() { _ = before.Rollback(context.WithoutCancel(ctx)) }()
	var snapshot string
	if err := after.QueryRow(ctx, `SELECT pg_export_snapshot()`).Scan(&snapshot); err != nil {
		return nil, err
	}
	if _, err := before.Exec(ctx, `SET TRANSACTION SNAPSHOT '`+snapshot+`'`); err != nil {
		return nil, err
	}
	if _, err := before.Exec(ctx, fmt.Sprintf(`SET LOCAL lock_timeout = %d`, lockTime.Milliseconds())); err != nil {
		return nil, err
	}
	p, err := planned(ctx, edited, before, after, e, o)
	return p, needsRight(err, edited.Config().User)
}

// planned tells what an edit would do, which is run in the transaction after, on its connection edited.
func planned(ctx context.Context, edited *connection, before, after pgx.Tx, e Edit, o Options) (*Plan, error) {
	base, err := newBase(ctx, before, o.Against)
	if err != nil {
		return nil, err
	}
	p := &Plan{Base: base, role: edited.Config().User, Warnings: []Warning{}, Switches: []reconcile.Foreseen{}, Findings: Findings{[]check.Finding{}, []check.Finding{}}}
	if p.Statements, err = edited.run(ctx, after, e); err != nil {
		return nil, err
	}
	p.Warnings = append(p.Warnings, edited.warnings...)
	return p, p.look(ctx, before, after, o)
}

// look tells one transaction from the other.
func (p *Plan) look(ctx context.Context, before, after pgx.Tx, o Options) error {
	masker, err := mask.New(rand.Reader)
	if err != nil {
		return err
	}
	rows, err := changes(ctx, after, o.Examples, p.Base.Salt)
	if err != nil {
		return fmt.Errorf("read what has changed: %w", err)
	}
	p.Rows, p.Base.digest = rows.Rows, rows.digest
	if o.Against != nil {
		if err := o.Against.check(ctx, before, p.Base); err != nil {
			return err
		}
	}
	if err := rows.reach(ctx, after); err != nil {
		return fmt.Errorf("find what it reaches: %w", err)
	}
	p.Reached = rows.reached
	for _, tx := range []pgx.Tx{before, after} {
		if p.Unread, err = table.Withhold(ctx, tx); err != nil {
			return err
		}
	}
	was, err := newSide(ctx, before, o.Secrets)
	if err != nil {
		return err
	}
	will, err := newSide(ctx, after, o.Secrets)
	if err != nil {
		return err
	}
	if p.Documents, err = documents(ctx, rows, was, will, masker); err != nil {
		return err
	}
	if o.SwitchTime > 0 && len(rows.touched) > 0 && mayAsk(p.Unread) {
		if err := p.foresee(ctx, before, after, o); err != nil {
			return fmt.Errorf("foresee what switches get: %w", err)
		}
	}
	if o.Check && len(rows.touched) > 0 {
		return p.check(ctx, was, will, check.Options{
			Changed: slices.Sorted(maps.Keys(rows.touched)), Gateways: rows.names("gateway"), AnswerLimit: o.AnswerLimit,
		})
	}
	return nil
}

// foresee asks the switches what they would get.
func (p *Plan) foresee(ctx context.Context, before, after pgx.Tx, o Options) error {
	f := reconcile.NewForesight(o.Secrets, o.SwitchTime)
	defer f.Close()
	if err := f.After(ctx, after); err != nil {
		return err
	}
	if err := f.Before(ctx, before); err != nil {
		return err
	}
	p.Switches = f.Foreseen(ctx)
	return nil
}

// check finds what is wrong on one side only.
func (p *Plan) check(ctx context.Context, before, after *side, options check.Options) error {
	var was, will []check.Finding
	failed := make(chan error, 1)
	go func() {
		var err error
		was, err = before.check(ctx, options)
		failed <- err
	}()
	will, err := after.check(ctx, options)
	if err := errors.Join(err, <-failed); err != nil {
		return err
	}
	p.Findings = Findings{without(will, was), without(was, will)}
	return nil
}

// check finds what is wrong, in the rows that are read already where it can.
func (s *side) check(ctx context.Context, options check.Options) ([]check.Finding, error) {
	options.Rows = s.watch.rows
	return check.Run(ctx, s.tx, options)
}

// without returns the findings that others do not hold.
func without(all, others []check.Finding) []check.Finding {
	known := make(map[check.ID]bool)
	for _, f := range others {
		known[f.ID()] = true
	}
	left := []check.Finding{}
	for _, f := range all {
		if !known[f.ID()] {
			left = append(left, f)
		}
	}
	return left
}
