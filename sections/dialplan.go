package sections

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"xmlcurld/db"
	"xmlcurld/xmlcurl"
)

type routeStore interface {
	Route(ctx context.Context, call db.Call) (db.Route, error)
}

// dialplan answers what to do with a call. mod_dialplan_xml asks when a call comes in, and again at each transfer. The
// answer holds the called number's one extension, never the whole context: FreeSWITCH parses every answer under one
// lock. A number that nobody has gets an answer too, since FreeSWITCH takes not-found as leave to look on its own disk.
func dialplan(s routeStore) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		call := asked(r)
		route, err := s.Route(ctx, call)
		if err != nil {
			return err
		}
		knows(d, route.NodeKnown)
		d.Open("context", xmlcurl.A("name", contextName(route)))
		for _, e := range route.Extensions {
			extension(d, e, route.Called, call.Number)
		}
		switch {
		case route.Called != nil:
		case route.NotFound != nil:
			extension(d, route.NotFound, nil, "")
		default:
			extension(d, &notFound, nil, "")
		}
		d.Close()
		return nil
	})
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

// extension writes e. When a number was called, the condition on that number stands first, and fits the form in which
// it was dialled.
func extension(d *xmlcurl.Document, e *db.Extension, called *db.Number, dialled string) {
	d.Open("extension", xmlcurl.A("name", e.Name), xmlcurl.A("continue", truth(e.Continue)))
	conditions := e.Conditions
	var first []db.Action
	if len(conditions) > 0 && conditions[0].Position == 0 {
		first, conditions = conditions[0].Actions, conditions[1:]
	}
	switch {
	case called != nil:
		condition(d, first, called, xmlcurl.A("field", "destination_number"), xmlcurl.A("expression", "^("+regexp.QuoteMeta(dialled)+")$"))
	case len(first) > 0:
		condition(d, first, nil)
	}
	for i := range conditions {
		condition(d, conditions[i].Actions, called, conditionAttrs(&conditions[i])...)
	}
	if e.Body != "" {
		d.Stored(e.Body, e.ExpandBody)
	}
	d.Close()
}

func conditionAttrs(c *db.Condition) []xmlcurl.Attr {
	var attrs []xmlcurl.Attr
	for _, a := range []xmlcurl.Attr{
		{Name: "field", Value: c.Field, Expand: c.Expand},
		{Name: "expression", Value: c.Expression, Expand: c.Expand},
		{Name: "wday", Value: c.Wday},
		{Name: "mday", Value: c.Mday},
		{Name: "mon", Value: c.Mon},
		{Name: "time-of-day", Value: c.TimeOfDay},
		{Name: "date-time", Value: c.DateTime},
	} {
		if a.Value != "" {
			attrs = append(attrs, a)
		}
	}
	if c.Break != "on-false" && c.Break != "" {
		attrs = append(attrs, xmlcurl.A("break", c.Break))
	}
	return attrs
}

func condition(d *xmlcurl.Document, actions []db.Action, called *db.Number, attrs ...xmlcurl.Attr) {
	if len(actions) == 0 {
		d.Empty("condition", attrs...)
		return
	}
	d.Open("condition", attrs...)
	for i := range actions {
		action(d, &actions[i], called)
	}
	d.Close()
}

// action writes a. It closes itself: white space inside it would take the place of its data.
func action(d *xmlcurl.Document, a *db.Action, called *db.Number) {
	element := "action"
	if a.Anti {
		element = "anti-action"
	}
	data, err := filledIn(a.Data, called)
	if err != nil {
		d.Fail(fmt.Errorf("action %s: %w", a.Application, err))
	}
	attrs := [3]xmlcurl.Attr{
		xmlcurl.A("application", a.Application),
		{Name: "data", Value: data, Expand: a.Expand},
		xmlcurl.A("inline", "true"),
	}
	if a.Inline {
		d.Empty(element, attrs[:]...)
	} else {
		d.Empty(element, attrs[:2]...)
	}
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
