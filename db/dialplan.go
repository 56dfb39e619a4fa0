package db

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"xmlcurld/db/table"
)

// Call is what the dialplan is asked about.
type Call struct {
	Node    string
	Context string
	Number  string // as it was dialled
}

// Route is what is to be done with a call.
type Route struct {
	Context    string  // empty: nobody has that context
	Called     *Number // nil: nobody has the number; then Extensions are those of the context
	Extensions []*Extension
	Own        int        // where in Extensions the number's own extension is, if it was called: the others are for every call
	NotFound   *Extension // the context's own answer for a number that nobody has
}

// Number is the row of the number that was called.
type Number struct {
	Number        string
	Tenant        string
	Address       string
	ForwardNumber string
	DisplayName   string
}

// Extension is a dialplan extension.
type Extension struct {
	Name       string      `json:"name"`
	Continue   bool        `json:"continue"`
	Body       string      `json:"body"` // XML instead of Conditions
	ExpandBody bool        `json:"expand"`
	Asks       []string    `json:"asks"` // values of the called number that Body is filled in with, as forward_number
	Conditions []Condition `json:"conditions"`
}

// Condition is a condition of an extension and what it does. Position 0 stands for the condition on the called number,
// and has nothing but actions.
type Condition struct {
	Position       int     `json:"position"`
	Parent         int     `json:"parent"` // the position of the condition that it stands in; 0: in none
	Field          string  `json:"field"`
	Expression     string  `json:"expression"`
	Break          string  `json:"break"`
	Regex          string  `json:"regex"` // all, any or xor of Regexes, instead of Field and Expression
	Regexes        []Regex `json:"regexes"`
	NestedOptional bool    `json:"nested_optional"`
	Time
	Expand  bool     `json:"expand"`
	Actions []Action `json:"actions"`
}

// Regex is one of the things that a condition counts.
type Regex struct {
	Field      string `json:"field"`
	Expression string `json:"expression"`
	Time
	Expand bool `json:"expand"`
}

// Time is when a condition is true, as FreeSWITCH reads it. What is empty does not matter.
type Time struct {
	Wday        string `json:"wday"`
	Mday        string `json:"mday"`
	Mon         string `json:"mon"`
	TimeOfDay   string `json:"time_of_day"`
	DateTime    string `json:"date_time"`
	Year        string `json:"year"`
	Yday        string `json:"yday"`
	Week        string `json:"week"`
	Mweek       string `json:"mweek"`
	Hour        string `json:"hour"`
	Minute      string `json:"minute"`
	MinuteOfDay string `json:"minute_of_day"`
	TzOffset    string `json:"tz_offset"`
	DST         bool   `json:"dst"`
}

// Action is an action of a condition.
type Action struct {
	Application string `json:"application"`
	Data        string `json:"data"`
	Inline      bool   `json:"inline"`
	Anti        bool   `json:"anti"`
	Expand      bool   `json:"expand"`
}

// contextRow is a context with what stands in it for numbers that nobody has, and for every call.
type contextRow struct {
	Name        string   `json:"name"`
	Tenant      *string  `json:"tenant"`
	NumberForms []string `json:"number_forms"`
	Extensions  []struct {
		Name   string `json:"name"`
		Before bool   `json:"before"` // every call gets it, before the number's own, even if it does not continue
		After  bool   `json:"after"`  // every call gets it, behind the number's own
	} `json:"extensions"`
	NotFound *string `json:"not_found"`
}

// Route returns what is to be done with a call. The tenants are compared, whatever the triggers let through.
func (b *Rulebook) Route(ctx context.Context, call Call) (Answer[Route], error) {
	q := table.ForRoute.About(call.Node, table.Fold(call.Context), call.Number)
	return ask(ctx, b, q, func(rows table.Rows) (route Route, err error) {
		room, err := b.context(rows, call.Context)
		if err != nil || room == nil {
			return route, err
		}
		if room.Tenant != nil {
			if off, err := tenantOff(rows, *room.Tenant); err != nil || off {
				return route, err
			}
		}
		route.Context = room.Name
		r := routing{b, rows, room, &route}
		for _, number := range room.numbers(call.Number) {
			if found, err := r.called(number); err != nil || found {
				return route, err
			}
		}
		return route, r.notCalled()
	})
}

// context returns the context that has name, whatever its case, nil if there is none.
func (b *Rulebook) context(rows table.Rows, name string) (*contextRow, error) {
	text, err := rows.Row(table.Context, table.Fold(name))
	if err != nil || text == nil {
		return nil, err
	}
	room, err := b.contexts.read(text)
	if err != nil {
		return nil, fmt.Errorf("context %s: %w", name, err)
	}
	return room, nil
}

// tenantOff reports whether a tenant is switched off.
func tenantOff(rows table.Rows, name string) (bool, error) {
	enabled, err := rows.Row(table.Tenant, name)
	return string(enabled) == "false", err
}

// numbers are those that dialled may mean, the likelier one first.
func (room *contextRow) numbers(dialled string) (numbers []string) {
	takes := func(form string) bool { return slices.Contains(room.NumberForms, form) }
	form := "bare"
	if strings.HasPrefix(dialled, "00") {
		form = "00"
	}
	numbers = make([]string, 0, 2)
	if !strings.HasPrefix(dialled, "+") || takes("plus") {
		numbers = append(numbers, dialled)
	}
	if other := e164(dialled); other != "" && takes(form) {
		numbers = append(numbers, other)
	}
	return numbers
}

// e164 is the number that a carrier wrote without its plus, as 27… or 0027…. It is nothing for one with a plus.
func e164(number string) string {
	switch {
	case strings.HasPrefix(number, "+"):
		return ""
	case strings.HasPrefix(number, "00"):
		return "+" + number[2:]
	default:
		return "+" + number
	}
}

// routing is one call on its way through the rules.
type routing struct {
	*Rulebook
	rows  table.Rows
	room  *contextRow
	route *Route
}

// called fills the route in if somebody has number.
func (r routing) called(number string) (bool, error) {
	text, err := r.rows.Row(table.Number, r.room.Name+table.Separator+number)
	if err != nil || text == nil {
		return false, err
	}
	fields := strings.Split(string(text), table.Separator)
	if len(fields) != 5 {
		return false, fmt.Errorf("number %s: %d fields", number, len(fields))
	}
	n := Number{number, fields[0], fields[2], fields[3], fields[4]}
	if r.room.Tenant != nil && *r.room.Tenant != n.Tenant {
		return false, nil
	}
	if off, err := tenantOff(r.rows, n.Tenant); err != nil || off {
		return false, err
	}
	name := fields[1]
	own, err := r.extension(name, &n.Tenant)
	if err != nil || own == nil {
		return false, err
	}
	if err := r.everyCall(name, false); err != nil {
		return false, err
	}
	r.route.Called, r.route.Own, r.route.Extensions = &n, len(r.route.Extensions), append(r.route.Extensions, own)
	return true, r.everyCall(name, true)
}

// everyCall adds the extensions that every call gets before, or after, the number's own. Before it stand those that
// continue, and those that are told to.
func (r routing) everyCall(own string, after bool) error {
	for _, x := range r.room.Extensions {
		if x.After != after || x.Name == own {
			continue
		}
		e, err := r.extension(x.Name, r.room.Tenant)
		if err != nil {
			return err
		}
		if e != nil && (after || e.Continue || x.Before) {
			r.route.Extensions = append(r.route.Extensions, e)
		}
	}
	return nil
}

// notCalled fills the route in with what the context has for a number that nobody has.
func (r routing) notCalled() error {
	for _, x := range r.room.Extensions {
		e, err := r.extension(x.Name, r.room.Tenant)
		if err != nil {
			return err
		}
		if e != nil {
			r.route.Extensions = append(r.route.Extensions, e)
		}
	}
	if r.room.NotFound == nil {
		return nil
	}
	e, err := r.extension(*r.room.NotFound, r.room.Tenant)
	r.route.NotFound = e
	return err
}

// extension returns the extension name, nil if there is none, or it is of a tenant other than tenant.
func (r routing) extension(name string, tenant *string) (*Extension, error) {
	text, err := r.rows.Row(table.Extension, name)
	if err != nil || text == nil {
		return nil, err
	}
	own, compiled, _ := bytes.Cut(text, []byte(table.Separator))
	if len(own) > 0 && (tenant == nil || *tenant != string(own)) {
		return nil, nil
	}
	e, err := r.extensions.read(compiled)
	if err != nil {
		return nil, fmt.Errorf("extension %s: %w", name, err)
	}
	return e, nil
}
