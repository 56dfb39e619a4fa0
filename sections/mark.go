package sections

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"xmlcurld/db"
	"xmlcurld/xmlcurl"
)

// FreeSWITCH goes on with the next extension where the last condition that it looked at is false, although it took
// actions from one before: after break="never", regex="xor", conditions in conditions, and always with continue="true".
// The not-found extension stands last in the answer and would run after those actions. So, beside them, stands an
// action that runs while FreeSWITCH still looks (inline) and gives the call's variable xmlcurld a value that no other
// answer gives it; the not-found extension begins with a condition on that.

// markOf returns the value for the answer to r. Event-Sequence is another number for each question of a switch. The
// variable stays with the call, so that one value for all would be there when the call is transferred.
func markOf(r *xmlcurl.Request) string {
	n, err := strconv.ParseUint(r.Field("Event-Sequence"), 10, 64)
	if err != nil {
		n = uint64(time.Now().UnixNano())
	}
	// FreeSWITCH copies data where an <expression> that failed had a group into as little as 24 bytes: not one more.
	return strconv.FormatUint(n, 36)
}

const markVariable = "xmlcurld"

// marks says where an extension is marked.
type marks int

const (
	nowhere        marks = iota
	whereItActs          // beside actions that do more than prepare the call
	whereverItActs       // beside all actions
)

func (w *extensionWriter) marksOf(e *db.Extension) marks {
	switch {
	case w.mark == "" || !goesOnAfterActions(e):
		return nowhere
	case isForAll(e, rulesOf(e)):
		return whereItActs
	default:
		return whereverItActs
	}
}

func (w *extensionWriter) markAttrs() []xmlcurl.Attr {
	return []xmlcurl.Attr{xmlcurl.A("application", "set"), xmlcurl.A("data", markVariable+"="+w.mark), xmlcurl.A("inline", "true")}
}

// markActions marks those of a condition's actions that run when it is true, and those that run when it is false.
func (w *extensionWriter) markActions(actions []db.Action) {
	for _, anti := range []bool{false, true} {
		if slices.ContainsFunc(actions, func(a db.Action) bool { return a.Anti == anti && w.marks.application(a.Application) }) {
			w.Empty(actionElement(anti), w.markAttrs()...)
		}
	}
}

// markBody is markActions for all conditions that stand in e.
func (w *extensionWriter) markBody(e *xmlcurl.Stored) {
	for _, condition := range e.Elements("condition") {
		for _, element := range []string{"action", "anti-action"} {
			if slices.ContainsFunc(condition.Elements(element), func(a *xmlcurl.Stored) bool { return w.marks.application(a.Attr("application")) }) {
				condition.Inside = append(condition.Inside, &xmlcurl.Stored{Name: element, Attrs: w.markAttrs()})
			}
		}
		w.markBody(condition)
	}
}

// application reports whether an action with it is marked.
func (m marks) application(name string) bool {
	return m == whereverItActs || m == whereItActs && !slices.Contains(preparing, name)
}

// notFound writes e, which is for a call for which nothing was done.
func (w *extensionWriter) notFound(e *db.Extension) {
	w.called, w.marks = nil, nowhere
	w.open(e)
	if w.mark != "" {
		w.Empty("condition", xmlcurl.A("field", "${"+markVariable+"}"), xmlcurl.A("expression", "^"+w.mark+"$"), xmlcurl.A("break", "on-true"))
	}
	w.inside(e)
	w.Close()
}

// preparing are applications after which a call still waits to be answered or refused.
var preparing = []string{
	"bridge_export", "db", "eval", "event", "export", "hash", "info", "log", "multiset", "multiunset", "presence", "push", "set",
	"set_global", "set_profile_var", "set_user", "unset", "unshift", "verbose_events",
}

// rule is what matters here of a condition.
type rule struct {
	applications []string
	fields       []string // that it looks at
	time         bool     // it looks at the time
	counts       bool     // it has regex
	nested       bool     // it stands in another one
}

// isForAll reports whether e is for all calls, whatever number was called: it goes on, and looks at no number. What it
// sets is no answer to a call then.
func isForAll(e *db.Extension, rules []rule) bool {
	looksAtNumber := func(r rule) bool {
		return slices.ContainsFunc(r.fields, func(field string) bool { return strings.Contains(strings.ToLower(field), "destination_number") })
	}
	return e.Continue && !slices.ContainsFunc(rules, looksAtNumber)
}

// goesOnAfterActions reports whether FreeSWITCH may take actions from e, and look at the next extension nevertheless.
func goesOnAfterActions(e *db.Extension) bool {
	rules, at := rulesOf(e), whereverItActs
	if isForAll(e, rules) {
		at = whereItActs
	}
	for i := range rules {
		r := &rules[i]
		// FreeSWITCH takes the actions of a condition with a field and a time where either one fits, and goes on if it is the time.
		ends := i == len(rules)-1 && !e.Continue && !r.nested && !r.counts && (!r.time || len(r.fields) == 0)
		if !ends && slices.ContainsFunc(r.applications, at.application) {
			return true
		}
	}
	return false
}

// rulesOf returns e's conditions, each before those that stand in it.
func rulesOf(e *db.Extension) []rule {
	if e.Body != "" {
		body, err := xmlcurl.ReadStored(e.Body)
		if err != nil {
			return nil // it is told when the body is written
		}
		return rulesIn(body, nil, false)
	}
	rules := make([]rule, len(e.Conditions))
	for i := range e.Conditions {
		c := &e.Conditions[i]
		r := rule{time: c.Time != db.Time{}, counts: c.Regex != "", nested: c.Parent > 0}
		for _, a := range c.Actions {
			r.applications = append(r.applications, a.Application)
		}
		if c.Field != "" {
			r.fields = append(r.fields, c.Field)
		}
		for j := range c.Regexes {
			r.fields = append(r.fields, c.Regexes[j].Field)
		}
		rules[i] = r
	}
	return rules
}

func rulesIn(e *xmlcurl.Stored, rules []rule, nested bool) []rule {
	for _, condition := range e.Elements("condition") {
		r := rule{nested: nested}
		for _, a := range condition.Attrs {
			switch a.Name {
			case "field":
				r.fields = append(r.fields, a.Value)
			case "regex":
				r.counts = true
			case "expression", "break", "require-nested":
			default:
				r.time = true
			}
		}
		for _, in := range condition.Inside {
			switch in.Name {
			case "action", "anti-action":
				r.applications = append(r.applications, in.Attr("application"))
			case "regex":
				r.fields = append(r.fields, in.Attr("field"))
			}
		}
		rules = rulesIn(condition, append(rules, r), true)
	}
	return rules
}
