package explain

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/form"
	"xmlcurld/internal/hunt"
)

// Call is a call of which it is asked what becomes of it.
type Call struct {
	Number, Context string
	Address         netip.Addr        // it comes from; invalid: not said
	Caller          string            // its caller's number; empty: not said
	Fields          map[string]string // of the caller, as caller_id_name
	Variables       map[string]string
	Time            time.Time // in the switch's time zone
}

// Number explains what becomes of a call.
func (e *Explainer) Number(ctx context.Context, call Call) (*Explanation, error) {
	x := &Explanation{Question: fmt.Sprintf("number %s in context %s", call.Number, call.Context)}
	answer, err := e.rules.Route(ctx, db.Call{Node: e.node, Context: call.Context, Number: call.Number})
	if err != nil {
		return nil, err
	}
	if err := e.why(ctx, x, call, answer.Value); err != nil {
		return nil, err
	}
	document, err := e.render(ctx, form.Call(e.node, call.Context, call.Number))
	if err != nil || document == nil {
		return nil, fmt.Errorf("number %s: no answer: %w", call.Number, err)
	}
	plan, err := hunt.Parse(document)
	if err != nil {
		return nil, err
	}
	asked, err := e.asked(ctx, call)
	if err != nil {
		return nil, err
	}
	result := plan.Hunt(asked)
	x.Hunt, x.Answer = &result, outcome(result)
	e.noteConditions(answer.Value, result.Steps)
	x.Found = result.Extension != "" && (answer.Value.Called != nil || !isNotFound(answer.Value, result.Extension))
	if at, other, ok := plan.Next(asked, result); ok {
		x.Next = &Change{at, outcome(other)}
	}
	if call.Address.IsValid() {
		if err := e.door(ctx, x, call); err != nil {
			return nil, err
		}
	}
	return e.finish(x), nil
}

func outcome(r hunt.Result) string {
	if r.Extension == "" {
		return "no extension takes it: 404 Not Found"
	}
	var runs []string
	for _, a := range r.Actions {
		if !a.Inline {
			runs = append(runs, a.Application)
		}
	}
	if len(runs) == 0 {
		return "extension " + r.Extension + " takes it, and runs nothing more"
	}
	return "extension " + r.Extension + " takes it: " + strings.Join(runs, ", ")
}

func isNotFound(route db.Route, extension string) bool {
	own := "not_found"
	if route.NotFound != nil {
		own = route.NotFound.Name
	}
	return extension == own
}

// asked is the call as hunt knows it.
func (e *Explainer) asked(ctx context.Context, call Call) (hunt.Call, error) {
	h := hunt.Call{
		Number: call.Number, Context: call.Context, Time: call.Time, Fields: map[string]string{}, Variables: call.Variables,
		Globals: map[string]string{},
	}
	for name, value := range call.Fields {
		h.Fields[name] = value
	}
	if call.Caller != "" {
		h.Fields["caller_id_number"], h.Fields["ani"] = call.Caller, call.Caller
	}
	if call.Address.IsValid() {
		h.Fields["network_addr"] = call.Address.String()
	}
	rows, _ := e.tx.Query(ctx, `SELECT name, value FROM switch_variable WHERE node IN ('*', $1) AND NOT expand ORDER BY node <> '*'`, e.node)
	var name, value string
	_, err := pgx.ForEachRow(rows, []any{&name, &value}, func() error { h.Globals[name] = value; return nil })
	return h, err
}

// why says in which form the number was found, or what keeps it from being found.
func (e *Explainer) why(ctx context.Context, x *Explanation, call Call, route db.Route) error {
	if route.Called != nil {
		form := "as it stands"
		if route.Called.Number != call.Number {
			form = "as " + route.Called.Number + ", by number_forms of the context"
		}
		x.note("the number is tenant %s's, found %s", route.Called.Tenant, form)
		return nil
	}
	name, known, err := value[string](ctx, e, `SELECT name FROM context WHERE lower(name) = $1`, table.Fold(call.Context))
	if err != nil {
		return err
	}
	if !known {
		x.refuse(fmt.Sprintf("there is no context %s", call.Context))
		return nil
	}
	owner, _, err := value[*string](ctx, e, `SELECT tenant FROM context WHERE name = $1`, name)
	if err != nil {
		return err
	}
	if owner != nil {
		off, err := e.offTenant(ctx, *owner)
		if err != nil {
			return err
		}
		x.refuse(off)
	}
	rows, _ := e.tx.Query(ctx, `
		SELECT n.number, n.tenant, n.enabled, n.extension, coalesce(x.tenant, n.tenant), n.number = ANY ($2)
		FROM unnest($2::text[]) q (number)
		JOIN LATERAL (
			SELECT *
			FROM number
			WHERE context || ' ' || ltrim(number, '+') = $1 || ' ' || ltrim(q.number, '+')
			OFFSET 0
		) n ON n.context = $1
		JOIN extension x ON x.name = n.extension
		GROUP BY n.number, n.tenant, n.enabled, n.extension, x.tenant
		ORDER BY n.number`, name, forms(call.Number))
	type found struct {
		Number, Tenant  string
		Enabled         bool
		Extension, Only string
		Same            bool
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
	if err != nil {
		return err
	}
	for _, n := range all {
		e.rows.note(table.Number, name+table.Separator+n.Number)
		off, err := e.offTenant(ctx, n.Tenant)
		if err != nil {
			return err
		}
		before := len(x.Refused)
		x.refuse(off)
		switch {
		case !n.Enabled:
			x.refuse(fmt.Sprintf("number %s is off (number.enabled is false)", n.Number))
		case owner != nil && *owner != n.Tenant:
			x.refuse(fmt.Sprintf("number %s is tenant %s's, and context %s is tenant %s's", n.Number, n.Tenant, name, *owner))
		case n.Only != n.Tenant:
			x.refuse(fmt.Sprintf("extension %s of number %s is tenant %s's alone", n.Extension, n.Number, n.Only))
		case before == len(x.Refused):
			x.refuse(fmt.Sprintf("number %s is there, but number_forms of context %s do not hold the form %s", n.Number, name, call.Number))
		}
	}
	if len(all) == 0 {
		x.note("nobody has the number in context %s", name)
	}
	return nil
}

// forms are the ways in which a number may be stored.
func forms(dialled string) []string {
	bare := strings.TrimPrefix(dialled, "+")
	all := []string{bare}
	if rest, ok := strings.CutPrefix(bare, "00"); ok {
		all = append(all, rest)
	}
	return all
}

// door says which SIP profiles whose calls enter the context let the call's address in.
func (e *Explainer) door(ctx context.Context, x *Explanation, call Call) error {
	sofia, err := e.rules.Sofia(ctx, e.node, "", "")
	if err != nil {
		return err
	}
	var refused []string
	some := false
	for _, p := range sofia.Value.Profiles {
		var lists []string
		enters := false
		for _, s := range p.Params {
			switch s.Name {
			case "context":
				enters = enters || table.Fold(s.Value) == table.Fold(call.Context)
			case "apply-inbound-acl":
				lists = append(lists, s.Value)
			}
		}
		if !enters {
			continue
		}
		if len(lists) == 0 {
			some = true
			x.note("profile %s lets every address ask, as it has no apply-inbound-acl", p.Name)
			continue
		}
		in := false
		for _, list := range lists {
			list, _, _ = strings.Cut(list, ":")
			allowed, by, err := e.decide(ctx, list, call.Address, 0)
			if err != nil {
				return err
			}
			in = in || allowed
			x.note("profile %s, list %s: %s", p.Name, list, by)
		}
		some = some || in
		if !in {
			refused = append(refused, fmt.Sprintf("profile %s refuses calls from %s, unless they come with a password", p.Name, call.Address))
		}
	}
	if some {
		x.Notes = append(x.Notes, refused...)
	} else {
		x.Refused = append(x.Refused, refused...)
	}
	return nil
}
