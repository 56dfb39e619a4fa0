package importer

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/hunt"
	"xmlcurld/internal/pcre"
	"xmlcurld/internal/rowset"
)

// rules makes rows of an extension's conditions and actions.
type rules struct {
	*importer
	extension string
	position  int // of the last condition
	rows      rowset.Set
	fault     string // what no row can say; then the extension has to be XML
}

// cannot notes the first thing that no row can say.
func (r *rules) cannot(what string) {
	if r.fault == "" {
		r.fault = what
	}
}

// of adds the conditions of an extension. Actions of a first one that is always true need no condition.
func (r *rules) of(e *conftree.Element) {
	all := e.All("condition")
	if len(all[0].Attrs) == 0 && all[0].Child("action") != nil && len(all[0].All("action")) == len(all[0].Children) {
		r.actions(all[0], nil)
		all = all[1:]
	}
	for _, c := range all {
		r.condition(c, 0)
	}
}

// condition adds a condition with what stands in it.
func (r *rules) condition(c *conftree.Element, parent int) {
	r.position++
	position := r.position
	r.readsAll(c, conditionAttrs, []string{"action", "anti-action", "condition", "regex", "expression"})
	columns := []rowset.Column{rowset.C("extension", r.extension), rowset.C("position", position)}
	if parent > 0 {
		columns = append(columns, rowset.C("parent", parent))
	}
	rule, counts := c.Lookup("regex")
	if counts {
		if rule = strings.ToLower(rule); rule != "all" && rule != "xor" {
			rule = "any"
		}
		columns = append(columns, rowset.C("regex", rule))
	}
	told, timed := r.told(c), r.times(c)
	if counts && len(told) > 0 {
		r.cannot("a field stands beside regex=")
	}
	columns = append(append(columns, told...), timed...)
	switch rule := strings.ToLower(r.expand(c, c.Attr("break"))); rule {
	case "on-true", "always", "never":
		columns = append(columns, rowset.C("break", rule))
	}
	if nested, ok := c.Lookup("require-nested"); ok && !hunt.IsTrue(r.expand(c, nested)) {
		columns = append(columns, rowset.C("require_nested", false))
	}
	r.rows.Add("condition", c.String(), columns...)
	for n, x := range c.All("regex") {
		if !counts {
			r.unread(x, "<regex> in a <condition> without regex=")
			continue
		}
		r.regex(x, position, n+1)
	}
	r.actions(c, position)
	for _, inner := range c.All("condition") {
		r.condition(inner, position)
	}
}

func (r *rules) regex(x *conftree.Element, condition, position int) {
	r.readsAll(x, regexAttrs, []string{"expression"})
	told, timed := r.told(x), r.times(x)
	if (len(told) > 0) == (len(timed) > 0) {
		r.cannot("a <regex> has either a field or a time")
	}
	columns := []rowset.Column{rowset.C("extension", r.extension), rowset.C("condition", condition), rowset.C("position", position)}
	r.rows.Add("condition_regex", x.String(), append(append(columns, told...), timed...)...)
}

var (
	timeAttrs = []string{
		"wday", "mday", "mon", "time-of-day", "date-time", "year", "yday", "week", "mweek", "hour", "minute", "minute-of-day", "tz-offset", "dst",
	}
	regexAttrs     = append([]string{"field", "expression"}, timeAttrs...)
	conditionAttrs = append([]string{"regex", "break", "require-nested"}, regexAttrs...)
)

// expressionOf is the expression that FreeSWITCH reads: an element's text, or else the attribute.
func expressionOf(e *conftree.Element) (string, bool) {
	if child := e.Child("expression"); child != nil {
		return child.Text, true
	}
	return e.Lookup("expression")
}

// told are the columns of what e compares.
func (r *rules) told(e *conftree.Element) []rowset.Column {
	field, compares := e.Lookup("field")
	expression, _ := expressionOf(e)
	switch {
	case !compares && expression == "":
		return nil
	case field == "":
		r.cannot("an expression has a field")
	case !reads(expression):
		r.cannot("an expression is one that surely compiles")
	}
	if expression == "" {
		return []rowset.Column{rowset.C("field", field), rowset.C("expression", rowset.Empty)}
	}
	holder := e
	if child := e.Child("expression"); child != nil {
		holder = child
	}
	field, expands := r.value(e, field)
	expression, expandsToo := r.value(holder, expression)
	return withTrue([]rowset.Column{rowset.C("field", field), rowset.C("expression", expression)}, "expand", expands || expandsToo)
}

// doubtful finds what PCRE takes and the schema does not.
var doubtful = regexp.MustCompile(`\^[*+?{]|\}\{`)

// reads reports whether the schema takes an expression.
func reads(expression string) bool {
	if strings.Contains(expression, "${") {
		return true
	}
	pattern, err := pcre.Compile(expression)
	if err != nil {
		return false
	}
	pattern.Close()
	return !doubtful.MatchString(expression)
}

// times are the columns of when e is true.
func (r *rules) times(e *conftree.Element) (columns []rowset.Column) {
	for _, name := range timeAttrs {
		value, ok := e.Lookup(name)
		switch {
		case !ok:
		case name == "dst" && hunt.IsTrue(value):
			columns = append(columns, rowset.C("dst", true))
		case timeReads(name, value):
			columns = append(columns, rowset.C(strings.ReplaceAll(name, "-", "_"), value))
		default:
			r.cannot("a time is one that FreeSWITCH reads as it stands, which " + name + "=" + strconv.Quote(value) + " is not")
		}
	}
	return columns
}

// actions adds the actions and anti-actions of a condition; nil is for those that need none.
func (r *rules) actions(c *conftree.Element, condition any) {
	position := 0
	for _, a := range c.Children {
		if a.Name != "action" && a.Name != "anti-action" {
			continue
		}
		r.readsAll(a, []string{"application", "data", "inline", "loop"}, nil)
		times := 1
		if loop, ok := a.Lookup("loop"); ok {
			times, _ = strconv.Atoi(loop)
			if times < 1 || times > loopMost {
				r.cannot("an action is taken from 1 to " + strconv.Itoa(loopMost) + " times")
			}
		}
		for range times {
			position++
			r.action(a, condition, position)
		}
	}
}

// loopMost is how often an action may be repeated as rows.
const loopMost = 20

var application = regexp.MustCompile(`^[a-z0-9_]+$`)

func (r *rules) action(a *conftree.Element, condition any, position int) {
	data := a.Text
	if data == "" {
		data = a.Attr("data")
	}
	if !application.MatchString(a.Attr("application")) {
		r.cannot("an application is written in lower case")
	}
	if strings.Contains(data, "%{") {
		r.cannot("%{ is for values of a number")
	}
	data, expands := r.value(a, data)
	columns := []rowset.Column{rowset.C("extension", r.extension)}
	if condition != nil {
		columns = append(columns, rowset.C("condition", condition))
	}
	columns = append(columns, rowset.C("position", position), rowset.C("application", a.Attr("application")), rowset.C("data", data))
	columns = withTrue(columns, "inline", hunt.IsTrue(r.expand(a, a.Attr("inline"))))
	columns = withTrue(columns, "anti", a.Name == "anti-action")
	r.rows.Add("action", a.String(), withTrue(columns, "expand", expands)...)
	r.namesContext(a, data)
}

// What the schema takes for a time; see time_reads there. What is left out here is carried as XML.
var (
	weekdays = regexp.MustCompile(`^(?i)([1-7]|sun|mon|tue|wed|thu|fri|sat)([-,]([1-7]|sun|mon|tue|wed|thu|fri|sat))*$`)
	clocks   = regexp.MustCompile(`^([01]?[0-9]|2[0-3])(:[0-5][0-9]){1,2}-([01]?[0-9]|2[0-3])(:[0-5][0-9]){1,2}$`)
	hours    = regexp.MustCompile(`^(-?([0-9]|1[0-2])|\+?([0-9]|1[0-4]))$`)
	digits   = regexp.MustCompile(`^[0-9]{1,4}$`)
	ranges   = map[string][2]int{
		"year": {1970, 9999}, "yday": {1, 366}, "mon": {1, 12}, "mday": {1, 31}, "week": {1, 53}, "mweek": {1, 6}, "hour": {0, 23},
		"minute": {0, 59}, "minute-of-day": {1, 1440},
	}
)

func timeReads(name, value string) bool {
	every := func(fine func(string) bool) bool {
		return !slices.ContainsFunc(strings.Split(value, ","), func(v string) bool { return !fine(v) })
	}
	switch name {
	case "wday":
		return every(func(v string) bool { return strings.Count(v, "-") <= 1 && weekdays.MatchString(v) })
	case "time-of-day":
		return every(clocks.MatchString)
	case "date-time":
		return every(spanReads)
	case "tz-offset":
		return hours.MatchString(value)
	case "dst":
		return false
	}
	return every(func(v string) bool {
		ends := strings.Split(v, "-")
		return len(ends) <= 2 && !slices.ContainsFunc(ends, func(end string) bool {
			n, _ := strconv.Atoi(end)
			return !digits.MatchString(end) || n < ranges[name][0] || n > ranges[name][1]
		})
	})
}

// spanReads reports whether a value of date-time= is a beginning and a later end.
func spanReads(span string) bool {
	from, to, ok := strings.Cut(span, "~")
	begin, beginErr := moment(from)
	end, endErr := moment(to)
	return ok && beginErr == nil && endErr == nil && begin.Before(end)
}

func moment(text string) (t time.Time, err error) {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return t, err
}
