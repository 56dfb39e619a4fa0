// Package explain tells why a call went where it went: the answer to a question, the rows that it came from, and what refused
// it. It asks the same rules that answer FreeSWITCH, of what one transaction sees.
package explain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/form"
	"xmlcurld/internal/hunt"
	"xmlcurld/internal/mask"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// Explanation is the answer to a question.
type Explanation struct {
	Question string       `json:"question"`
	Answer   string       `json:"answer"`
	Found    bool         `json:"found"`   // false: nobody has it, or something refused it
	Refused  []string     `json:"refused"` // what refused it
	Notes    []string     `json:"notes"`
	Rows     []Row        `json:"rows"` // that the answer came from, in the order in which they were read
	Hunt     *hunt.Result `json:"hunt,omitempty"`
	Next     *Change      `json:"next,omitempty"`
	Reaches  []Reach      `json:"reaches,omitempty"`
}

// Row is a row that an answer came from.
type Row struct {
	Table string `json:"table"`
	Key   string `json:"key"`
}

// Change is the next time at which the answer would be another one.
type Change struct {
	At     time.Time `json:"at"`
	Answer string    `json:"answer"`
}

// Reach is what a row matters to.
type Reach struct {
	Kind  string   `json:"kind"`  // number, extension, context, document, node…
	Count int      `json:"count"` // at most CountedUpTo + 1, which stands for more
	Names []string `json:"names"` // the first of them
}

// CountedUpTo is how many of a kind are counted.
const CountedUpTo = 10000

// Explainer answers questions about what one transaction sees. It is for one goroutine.
type Explainer struct {
	tx     pgx.Tx
	rows   *recorder
	rules  *db.Rulebook
	node   string
	masker *mask.Masker
}

// New returns an Explainer of what node is told. Secrets resolves what rows refer to; it may be nil.
func New(tx pgx.Tx, node string, secrets db.Secrets, masker *mask.Masker) *Explainer {
	r := &recorder{Source: table.InTransaction(tx), noted: map[Row]bool{}}
	return &Explainer{tx, r, db.NewRulebook(r, secrets), node, masker}
}

// render returns the document that the node would get, nil if there is none.
func (e *Explainer) render(ctx context.Context, f *form.Form) ([]byte, error) {
	request, err := xmlcurl.ParseRequest([]byte(f.String()))
	if err != nil {
		return nil, err
	}
	document, err := xmlcurl.Render(ctx, sections.New(e.rules, nil), request)
	if errors.Is(err, xmlcurl.ErrNotFound) {
		return nil, nil
	}
	return document, err
}

// value reads one value. ok is false if there is no such row.
func value[T any](ctx context.Context, e *Explainer, query string, args ...any) (v T, ok bool, err error) {
	err = e.tx.QueryRow(ctx, query, args...).Scan(&v)
	if errors.Is(err, pgx.ErrNoRows) {
		return v, false, nil
	}
	if err != nil {
		return v, false, fmt.Errorf("explain: %w", err)
	}
	return v, true, nil
}

// offTenant says that a tenant is switched off, nothing if it is not.
func (e *Explainer) offTenant(ctx context.Context, tenant string) (string, error) {
	on, ok, err := value[bool](ctx, e, `SELECT enabled FROM tenant WHERE name = $1`, tenant)
	if err != nil || !ok || on {
		return "", err
	}
	e.rows.note(table.Tenant, tenant)
	return fmt.Sprintf("tenant %s is off (tenant.enabled is false)", tenant), nil
}

func (x *Explanation) refuse(why string) {
	if why != "" {
		x.Refused = append(x.Refused, why)
	}
}

func (x *Explanation) note(format string, args ...any) {
	x.Notes = append(x.Notes, fmt.Sprintf(format, args...))
}

// finish adds the rows that were read.
func (e *Explainer) finish(x *Explanation) *Explanation {
	x.Rows = e.rows.all
	if x.Rows == nil {
		x.Rows = []Row{}
	}
	if x.Refused == nil {
		x.Refused = []string{}
	}
	if x.Notes == nil {
		x.Notes = []string{}
	}
	if x.Hunt != nil {
		e.maskHunt(x.Hunt)
	}
	return x
}

// maskHunt takes secrets out of what conditions ask for, and of what actions are given.
func (e *Explainer) maskHunt(r *hunt.Result) {
	data := func(a *hunt.Action) {
		a.Data = e.masker.Data(a.Extension+" "+a.Condition+" "+a.Application, a.Application, a.Data)
	}
	for i := range r.Actions {
		data(&r.Actions[i])
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		place := s.Extension + " " + s.Condition
		value := e.masker.Value(place, s.Field, s.Value)
		if value != s.Value {
			s.Why = strings.ReplaceAll(s.Why, s.Value, value)
		}
		s.Value, s.Expression = value, e.masker.Value(place, s.Field, s.Expression)
		if s.Action != nil {
			data(s.Action)
		}
	}
}

// Show prints an Explanation as text.
func (x *Explanation) Show(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", x.Question, x.Answer)
	list := func(heading string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "%s:\n  %s\n", heading, strings.Join(lines, "\n  "))
		}
	}
	list("refused", x.Refused)
	var rows []string
	for _, r := range x.Rows {
		rows = append(rows, r.Table+" "+r.Key)
	}
	list("rows", rows)
	if x.Hunt != nil {
		var steps, runs []string
		for _, s := range x.Hunt.Steps {
			if s.Kind != hunt.StepAction {
				steps = append(steps, line(s))
			}
		}
		for _, a := range x.Hunt.Actions {
			runs = append(runs, action(a))
		}
		list("decisions", steps)
		list("runs", runs)
		list("only the switch decides (taken for empty here; say it with --field)", x.Hunt.Open)
	}
	if x.Next != nil {
		list("at another time", []string{x.Next.At.Format("2006-01-02 15:04:05 MST") + ": " + x.Next.Answer})
	}
	for _, r := range x.Reaches {
		heading := r.Kind + ": " + r.count()
		if len(r.Names) < r.Count {
			heading += ", as"
		}
		list(heading, r.Names)
	}
	list("notes", x.Notes)
	_, err := io.WriteString(w, b.String())
	return err
}

func line(s hunt.Step) string {
	result := "no "
	if s.Pass {
		result = "yes"
	}
	place := s.Extension
	if s.Condition != "" {
		place += " " + s.Condition
	}
	switch s.Kind {
	case hunt.StepExtension:
		return "extension " + s.Extension
	case hunt.StepNested:
		return "    " + place + ": conditions in it"
	case hunt.StepTime:
		return result + " " + place + ": " + s.Why
	case hunt.StepRegex:
		return fmt.Sprintf("%s %s: %s =~ %s: %s", result, place, s.Field, s.Expression, s.Why)
	default:
		return "yes " + place + ": compares nothing"
	}
}

func action(a hunt.Action) string {
	text := fmt.Sprintf("%s %s: %s(%s)", a.Extension, a.Condition, a.Application, a.Data)
	if a.Inline {
		text += " at once"
	}
	if a.Anti {
		text += " since the condition is false"
	}
	if a.Note != "" {
		text += " (" + a.Note + ")"
	}
	return text
}
