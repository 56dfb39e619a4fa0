package sections

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"xmlcurld/db"
	"xmlcurld/xmlcurl"
)

type routeStore interface {
	Route(ctx context.Context, call db.Call) (db.Answer[db.Route], error)
}

// dialplan answers what to do with a call. mod_dialplan_xml asks when a call comes in, and again at each transfer. The
// answer holds the called number's one extension, never the whole context: FreeSWITCH parses every answer under one
// lock. A number that nobody has gets an answer too, since FreeSWITCH takes not-found as leave to look on its own disk.
func dialplan(s routeStore) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		call := asked(r)
		answer, err := fillable(ctx, s, d, call)
		if err != nil {
			return err
		}
		route := known(d, answer)
		d.Open("context", xmlcurl.A("name", contextName(route)))
		w := extensionWriter{Document: d}
		last := lastOf(route)
		if last != nil && slices.ContainsFunc(route.Extensions, goesOnAfterActions) {
			w.mark = markOf(r)
		}
		for i, e := range route.Extensions {
			w.called = nil
			if route.Called != nil && i == route.Own {
				w.called, w.dialled = route.Called, call.Number
			}
			w.extension(e)
		}
		if last != nil {
			w.notFound(last)
		}
		d.Close()
		return nil
	})
}

// lastOf is the extension for a call that nobody took, nil if FreeSWITCH itself ends it.
func lastOf(route db.Route) *db.Extension {
	switch {
	case route.Called != nil || route.NotFound != nil && doesNothing(route.NotFound):
		return nil
	case route.NotFound != nil:
		return route.NotFound
	}
	return &notFound
}

// doesNothing reports whether e has neither conditions nor actions.
func doesNothing(e *db.Extension) bool {
	return e.Body == "" && !slices.ContainsFunc(e.Conditions, func(c db.Condition) bool { return c.Position > 0 || len(c.Actions) > 0 })
}

// asked reads where the call is. During execute_extension Hunt-… is what is looked for and Caller-… still what was
// called first; at other times they are the same.
func asked(r *xmlcurl.Request) db.Call {
	call := db.Call{Node: r.Hostname, Context: r.Field("Hunt-Context"), Number: r.Field("Hunt-Destination-Number")}
	if call.Context == "" {
		call.Context = r.Field("Caller-Context")
	}
	if call.Number == "" {
		call.Number = r.Field("Caller-Destination-Number")
	}
	return call
}

// contextName is the context that the answer is for. FreeSWITCH takes one named global for any that it does not find,
// so a context that nobody has needs no echo of the caller's bytes.
func contextName(route db.Route) string {
	if route.Context == "" {
		return "global"
	}
	return route.Context
}

// extensionWriter writes the extensions of one answer.
type extensionWriter struct {
	*xmlcurl.Document
	called  *db.Number // whose extension comes next; nil: nobody's
	dialled string     // the form in which it was
	mark    string     // see mark.go; empty: the answer needs none
	marks   marks      // of the extension
}

// extension writes e. When a number was called, the condition on that number stands first, and fits the form in which
// it was dialled.
func (w *extensionWriter) extension(e *db.Extension) {
	w.marks = w.marksOf(e)
	w.open(e)
	w.inside(e)
	w.Close()
}

func (w *extensionWriter) open(e *db.Extension) {
	w.Open("extension", xmlcurl.A("name", e.Name), xmlcurl.A("continue", truth(e.Continue)))
}

func (w *extensionWriter) inside(e *db.Extension) {
	conditions := e.Conditions
	var first []db.Action
	if len(conditions) > 0 && conditions[0].Position == 0 {
		first, conditions = conditions[0].Actions, conditions[1:]
	}
	switch {
	case w.called != nil:
		w.first(first, xmlcurl.A("field", "destination_number"), xmlcurl.A("expression", "^("+regexp.QuoteMeta(w.dialled)+")$"))
	case len(first) > 0:
		w.first(first)
	}
	for i := range conditions {
		if conditions[i].Parent == 0 {
			w.condition(&conditions[i], conditions, conditionAttrs(&conditions[i])...)
		}
	}
	if e.Body != "" {
		w.body(e)
	}
}

// first writes the condition that stands before those of the extension.
func (w *extensionWriter) first(actions []db.Action, attrs ...xmlcurl.Attr) {
	if len(actions) == 0 {
		w.Empty("condition", attrs...)
		return
	}
	w.Open("condition", attrs...)
	w.actions(actions)
	w.Close()
}

func (w *extensionWriter) body(e *db.Extension) {
	body, err := xmlcurl.ReadStored(e.Body)
	if err != nil {
		w.Fail(err)
		return
	}
	if len(e.Asks) > 0 && w.called != nil {
		w.fillIn(body)
	}
	w.markBody(body)
	w.StoredElements(body, e.ExpandBody)
}

// fillIn puts the called number's values into the actions in e. A value is put into what was read, and encoded with it, so
// that it cannot end an attribute.
func (w *extensionWriter) fillIn(e *xmlcurl.Stored) {
	isAction := e.Name == "action" || e.Name == "anti-action"
	for i := range e.Attrs {
		if a := &e.Attrs[i]; isAction && a.Name == "data" {
			a.Value = w.filledIn(e.Attr("application"), a.Value)
		}
	}
	for _, in := range e.Inside {
		if in.Name == "" && isAction {
			in.Text = w.filledIn(e.Attr("application"), in.Text)
		}
		w.fillIn(in)
	}
}

func conditionAttrs(c *db.Condition) []xmlcurl.Attr {
	attrs := ruleAttrs(c.Field, c.Expression, c.Expand, &c.Time)
	for _, a := range []xmlcurl.Attr{xmlcurl.A("regex", c.Regex), xmlcurl.A("break", c.Break)} {
		if a.Value != "" && a.Value != "on-false" {
			attrs = append(attrs, a)
		}
	}
	if c.NestedOptional {
		attrs = append(attrs, xmlcurl.A("require-nested", "false"))
	}
	return attrs
}

// ruleAttrs are the attributes that say when a condition, or one of its expressions, is true.
func ruleAttrs(field, expression string, expand bool, t *db.Time) []xmlcurl.Attr {
	var attrs []xmlcurl.Attr
	for _, a := range [...]xmlcurl.Attr{
		{Name: "field", Value: field, Expand: expand},
		{Name: "expression", Value: expression, Expand: expand},
		{Name: "wday", Value: t.Wday},
		{Name: "mday", Value: t.Mday},
		{Name: "mon", Value: t.Mon},
		{Name: "time-of-day", Value: t.TimeOfDay},
		{Name: "date-time", Value: t.DateTime},
		{Name: "year", Value: t.Year},
		{Name: "yday", Value: t.Yday},
		{Name: "week", Value: t.Week},
		{Name: "mweek", Value: t.Mweek},
		{Name: "hour", Value: t.Hour},
		{Name: "minute", Value: t.Minute},
		{Name: "minute-of-day", Value: t.MinuteOfDay},
		{Name: "tz-offset", Value: t.TzOffset},
	} {
		if a.Value != "" {
			attrs = append(attrs, a)
		}
	}
	if t.DST {
		attrs = append(attrs, xmlcurl.A("dst", "true"))
	}
	return attrs
}

// condition writes c, with those of all that stand in it.
func (w *extensionWriter) condition(c *db.Condition, all []db.Condition, attrs ...xmlcurl.Attr) {
	if len(c.Actions)+len(c.Regexes) == 0 && !holdsOthers(c, all) {
		w.Empty("condition", attrs...)
		return
	}
	w.Open("condition", attrs...)
	for i := range c.Regexes {
		x := &c.Regexes[i]
		w.Empty("regex", ruleAttrs(x.Field, x.Expression, x.Expand, &x.Time)...)
	}
	w.actions(c.Actions)
	for i := range all {
		if all[i].Parent == c.Position {
			w.condition(&all[i], all, conditionAttrs(&all[i])...)
		}
	}
	w.Close()
}

// holdsOthers reports whether some of all stand in c.
func holdsOthers(c *db.Condition, all []db.Condition) bool {
	for i := range all {
		if all[i].Parent == c.Position {
			return true
		}
	}
	return false
}

func (w *extensionWriter) actions(actions []db.Action) {
	for i := range actions {
		w.action(&actions[i])
	}
	w.markActions(actions)
}

// action writes a. It closes itself: white space inside it would take the place of its data.
func (w *extensionWriter) action(a *db.Action) {
	element := actionElement(a.Anti)
	data := w.filledIn(a.Application, a.Data)
	attrs := [3]xmlcurl.Attr{
		xmlcurl.A("application", a.Application),
		{Name: "data", Value: data, Expand: a.Expand},
		xmlcurl.A("inline", "true"),
	}
	if a.Inline {
		w.Empty(element, attrs[:]...)
	} else {
		w.Empty(element, attrs[:2]...)
	}
}

func actionElement(anti bool) string {
	if anti {
		return "anti-action"
	}
	return "action"
}

func (w *extensionWriter) filledIn(application, data string) string {
	filled, err := filledIn(data, w.called)
	if err != nil {
		w.Fail(fmt.Errorf("action %s: %w", application, err))
	}
	return filled
}

// filledIn replaces %{address} and its like by the called number's values. Their types in the schema are such that
// FreeSWITCH sees nothing in them to expand or run.
func filledIn(data string, called *db.Number) (string, error) {
	if called == nil || !strings.Contains(data, "%{") {
		return data, nil
	}
	for _, v := range []struct{ name, value string }{
		{"%{number}", called.Number},
		{"%{tenant}", called.Tenant},
		{"%{address}", called.Address},
		{"%{forward_number}", called.ForwardNumber},
		{"%{display_name}", called.DisplayName},
	} {
		if v.value == "" && strings.Contains(data, v.name) {
			return "", fmt.Errorf("it asks for %s, which number %s does not have", v.name, called.Number)
		}
		data = strings.ReplaceAll(data, v.name, v.value)
	}
	return data, nil
}

// notFound is the answer for a number that nobody has, where the operator set no other.
var notFound = db.Extension{Name: "not_found", Conditions: []db.Condition{{Actions: []db.Action{
	{Application: "log", Data: "NOTICE Nobody has the number [${destination_number}] in context [${context}]."},
	{Application: "respond", Data: "404 Not Found"},
}}}}
