package sections

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"xmlcurld/db"
	"xmlcurld/xmlcurl"
)

// fillable is the route of call. Where the called number lacks a value that its extension asks for, which only rows can have
// that were committed past each other, the caller gets what the context says of a number that nobody has: a fault would
// be no answer to FreeSWITCH. The number is reported.
func fillable(ctx context.Context, s routeStore, d *xmlcurl.Document, call db.Call) (db.Answer[db.Route], error) {
	answer, err := s.Route(ctx, call)
	route := &answer.Value
	if err != nil || route.Called == nil {
		return answer, err
	}
	e := route.Extensions[route.Own]
	if value := lacking(e, route.Called); value != "" {
		d.Withhold(fmt.Errorf("number %s in context %s: extension %s asks for %s, which it does not have",
			route.Called.Number, route.Context, e.Name, value))
		call.Number = "" // nobody has it
		return s.Route(ctx, call)
	}
	return answer, nil
}

// lacking is the first value that e asks for and n does not have; "" when n has all.
func lacking(e *db.Extension, n *db.Number) string {
	for _, v := range []struct{ name, value string }{
		{"address", n.Address},
		{"forward_number", n.ForwardNumber},
		{"display_name", n.DisplayName},
	} {
		if v.value == "" && asksFor(e, v.name) {
			return v.name
		}
	}
	return ""
}

func asksFor(e *db.Extension, name string) bool {
	if slices.Contains(e.Asks, name) {
		return true
	}
	for i := range e.Conditions {
		for j := range e.Conditions[i].Actions {
			if strings.Contains(e.Conditions[i].Actions[j].Data, "%{"+name+"}") {
				return true
			}
		}
	}
	return false
}
