package compare

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"xmlcurld/internal/hunt"
)

// leaf is one thing that decides whether a condition is true: a field with an expression, and the time.
type leaf struct {
	field, expression string
	compares          bool              // there is a field
	times             map[string]string // attributes about the time
	group             int               // of the leaves that a condition counts with regex=; 0: it stands alone
	usual             bool              // it is true in the call that is tried first
}

// timeAttributes are those of a condition about the time.
var timeAttributes = strings.Fields("tz-offset dst date-time year yday mon mday week mweek wday hour minute minute-of-day time-of-day")

// leaves are those of an extension's conditions, in order.
func leaves(extension *node) (all []leaf) {
	groups := 0
	var walk func(n *node)
	walk = func(n *node) {
		for _, condition := range n.all("condition") {
			rule, counts := condition.attr("regex")
			if counts {
				groups++
				if times := timesOf(condition); len(times) > 0 {
					all = append(all, leaf{times: times, usual: true})
				}
				for i, e := range condition.all("regex") {
					l := leafOf(e)
					l.group, l.usual = groups, strings.EqualFold(rule, "all") || i == 0
					all = append(all, l)
				}
			} else if l := leafOf(condition); l.compares || len(l.times) > 0 {
				l.usual = true
				all = append(all, l)
			}
			walk(condition)
		}
	}
	walk(extension)
	return all
}

func leafOf(e *node) leaf {
	l := leaf{expression: e.soft("expression"), times: timesOf(e)}
	l.field, l.compares = e.attr("field")
	if child := e.child("expression"); child != nil {
		l.expression = child.text
	}
	return l
}

func timesOf(e *node) map[string]string {
	times := map[string]string{}
	for _, a := range e.attrs {
		if slices.Contains(timeAttributes, a.Name) {
			times[a.Name] = a.Value
		}
	}
	return times
}

// mostCalls bounds how many calls are made for one extension.
const mostCalls = 60

// callMaker makes calls that reach extensions.
type callMaker struct {
	base  hunt.Call
	times map[string]time.Time // that fit attributes, or zero: none does
	next  string               // the number of the last extension for which calls were made and that asks for one
}

// calls are calls for an extension: one that makes all of its conditions true, one for each that makes it false, one for each way
// in which an expression on the called number is matched, and some that nearly do.
func (m *callMaker) calls(extension *node) (all []hunt.Call) {
	list := leaves(extension)
	truth := make([]bool, len(list))
	usual := func() []bool {
		for i := range list {
			truth[i] = list[i].usual
		}
		return truth
	}
	first := m.call(list, usual(), 0)
	all = append(all, first)
	if slices.ContainsFunc(list, func(l leaf) bool { return isNumber(l.field) }) {
		m.next = first.Number
	} else { // what comes after it is seen with a number that something is done with
		other := first
		other.Number = m.next
		all = append(all, other)
	}
	for i := range list {
		if len(all) >= mostCalls {
			break
		}
		usual()[i] = !list[i].usual
		all = append(all, m.call(list, truth, 0))
		if list[i].group > 0 && truth[i] { // this one instead of the first
			for j := range list {
				if j != i && list[j].group == list[i].group {
					truth[j] = false
				}
			}
			all = append(all, m.call(list, truth, 0))
		}
	}
	for n := 1; n < mostExamples; n++ {
		all = append(all, m.call(list, usual(), n))
	}
	for _, l := range list {
		for _, at := range edges(first.Time, l.times) {
			other := first
			other.Time = at
			all = append(all, other)
		}
	}
	for _, number := range misses(first.Number) {
		near := first
		near.Number = number
		all = append(all, near)
	}
	return all
}

// call is a call in which leaves are true, or false. Way is which of the ways to match the called number is taken.
func (m *callMaker) call(list []leaf, truth []bool, way int) hunt.Call {
	call := m.base
	call.Fields, call.Variables, call.Replies = maps.Clone(m.base.Fields), maps.Clone(m.base.Variables), map[string]string{}
	fields := map[string][]int{}
	var order []string
	for i, l := range list {
		if l.compares {
			key := strings.ToLower(l.field)
			if fields[key] == nil {
				order = append(order, key)
			}
			fields[key] = append(fields[key], i)
		}
	}
	for _, key := range order {
		at := fields[key]
		if value, ok := m.value(&call, list, truth, at, way); ok {
			put(&call, list[at[0]].field, value)
		}
	}
	call.Time = m.time(list, truth)
	return call
}

// value is a text that the expressions at match or do not, as truth says.
func (m *callMaker) value(call *hunt.Call, list []leaf, truth []bool, at []int, way int) (string, bool) {
	if fixed, ok := constant(list[at[0]].field); ok {
		return fixed, false
	}
	var tried []string
	expressions := make([]string, len(list))
	for _, i := range at {
		expressions[i] = m.filledIn(call, list[i].expression)
		some := examples(expressions[i])
		tried = append(tried, some...)
		if !truth[i] {
			for _, text := range some {
				tried = append(tried, misses(text)...)
			}
		}
	}
	tried = append(tried, "", "nobody", "0")
	skip := 0
	if isNumber(list[at[0]].field) {
		skip = way
	}
	for _, text := range tried {
		fits := true
		for _, i := range at {
			fits = fits && takes(expressions[i], text) == truth[i]
		}
		if fits {
			if skip == 0 {
				return text, true
			}
			skip--
		}
	}
	return "", false
}

// reference is a variable of the call in a text.
var reference = regexp.MustCompile(`\$?\$\{([^{}]*)\}`)

// constant returns a field that no call can change.
func constant(field string) (string, bool) {
	return field, strings.HasPrefix(field, "$") && !reference.MatchString(field)
}

// isNumber reports whether a field is the called number.
func isNumber(field string) bool {
	field = strings.ToLower(field)
	return field == "destination_number" || field == "${destination_number}"
}

// filledIn is an expression with what the call has for its variables.
func (m *callMaker) filledIn(call *hunt.Call, expression string) string {
	return reference.ReplaceAllStringFunc(expression, func(whole string) string {
		name := reference.FindStringSubmatch(whole)[1]
		switch {
		case name == "destination_number":
			return call.Number
		case call.Fields[strings.ToLower(name)] != "":
			return call.Fields[strings.ToLower(name)]
		case call.Variables[name] != "":
			return call.Variables[name]
		}
		return call.Globals[name]
	})
}

// callerFields are those of a caller that conditions may name without ${ }.
var callerFields = strings.Fields(`dialplan username caller_id_name caller_id_number orig_caller_id_name orig_caller_id_number callee_id_name
	callee_id_number ani aniii network_addr rdnis uuid source transfer_source chan_name`)

// put gives a call's field a value. A field may be a text with variables in it, which are chosen so that the text is the value.
func put(call *hunt.Call, field, value string) {
	places := reference.FindAllStringSubmatchIndex(field, -1)
	if places == nil {
		set(call, field, value)
		return
	}
	pattern, done := "(?s)^", 0
	for i, p := range places {
		greedy := "(.*?)"
		if i == len(places)-1 {
			greedy = "(.*)"
		}
		pattern += regexp.QuoteMeta(field[done:p[0]]) + greedy
		done = p[1]
	}
	parts := regexp.MustCompile(pattern + regexp.QuoteMeta(field[done:]) + "$").FindStringSubmatch(value)
	if parts == nil && nested(field) {
		parts = []string{value, value}
	}
	for i, p := range places {
		if parts != nil && i+1 < len(parts) {
			set(call, field[p[2]:p[3]], parts[i+1])
		}
	}
	if inner, ok := wholeReference(field); ok {
		set(call, inner, value)
	}
}

// nested reports whether a field is one reference that holds others.
func nested(field string) bool {
	return strings.Count(field, "${") > 1 && strings.HasPrefix(field, "${")
}

// wholeReference is what stands in a field that is nothing but one ${ }.
func wholeReference(field string) (string, bool) {
	rest, ok := strings.CutPrefix(field, "${")
	if !ok || !strings.HasSuffix(rest, "}") {
		return "", false
	}
	rest = strings.TrimSuffix(rest, "}")
	depth := 0
	for _, r := range rest {
		switch r {
		case '{':
			depth++
		case '}':
			if depth--; depth < 0 {
				return "", false
			}
		}
	}
	return rest, true
}

func set(call *hunt.Call, name, value string) {
	key := strings.ToLower(name)
	base, _, _ := strings.Cut(name, ":")
	base, _, _ = strings.Cut(base, "[")
	switch {
	case key == "destination_number":
		call.Number = value
	case key == "context":
	case strings.ContainsAny(name, " ("):
		call.Replies[name] = value
	case slices.Contains(callerFields, strings.ToLower(base)):
		call.Fields[strings.ToLower(base)] = value
	default:
		call.Variables[base] = value
	}
}

// time is one at which leaves are true, or false; the base's if there is none.
func (m *callMaker) time(list []leaf, truth []bool) time.Time {
	var want, not []map[string]string
	key := ""
	for i, l := range list {
		if len(l.times) == 0 {
			continue
		}
		key += fmt.Sprint(truth[i], l.times)
		if truth[i] {
			want = append(want, l.times)
		} else {
			not = append(not, l.times)
		}
	}
	if key == "" {
		return m.base.Time
	}
	at, known := m.times[key]
	if !known {
		at = find(m.base.Time, want, not)
		m.times[key] = at
	}
	if at.IsZero() {
		return m.base.Time
	}
	return at
}

// find looks for a time that fits all of want and none of not, in a year of which they speak, or else the next one. It looks at
// each hour, and at the minutes that they name.
func find(base time.Time, want, not []map[string]string) time.Time {
	fits := func(at time.Time) bool {
		for _, w := range want {
			if !hunt.Fits(at, w) {
				return false
			}
		}
		for _, n := range not {
			if hunt.Fits(at, n) {
				return false
			}
		}
		return true
	}
	year, minutes := base.Year(), []int{0, 1, 30}
	var exact []time.Time
	for _, attributes := range append(slices.Clone(want), not...) {
		for name, text := range attributes {
			for _, digits := range numbers.FindAllString(text, -1) {
				n, _ := strconv.Atoi(digits)
				switch name {
				case "year":
					year = n
				case "minute-of-day":
					minutes = append(minutes, (n-1+1440)%60)
				case "date-time":
					if n > 1970 && n < 3000 {
						year = n
					}
				}
				if n < 60 {
					minutes = append(minutes, n)
				}
			}
			for _, date := range dates.FindAllString(text, -1) {
				for _, layout := range []string{time.DateTime, "2006-01-02 15:04", time.DateOnly} {
					if at, err := time.ParseInLocation(layout, date, base.Location()); err == nil {
						exact = append(exact, at, at.Add(time.Minute), at.Add(-time.Minute))
					}
				}
			}
		}
	}
	for _, at := range append([]time.Time{base}, exact...) {
		if fits(at) {
			return at
		}
	}
	slices.Sort(minutes)
	minutes = slices.Compact(minutes)
	for day := range 366 {
		for hour := range 24 {
			for _, minute := range minutes {
				if at := time.Date(year, 1, 1+day, hour, minute, 30, 0, base.Location()); fits(at) {
					return at
				}
			}
		}
	}
	return time.Time{}
}

// edges are the times of day at which what a time-of-day says begins and ends, and those beside them, on the day of a call.
func edges(day time.Time, attributes map[string]string) (all []time.Time) {
	for _, clock := range clocks.FindAllStringSubmatch(attributes["time-of-day"], -1) {
		hour, _ := strconv.Atoi(clock[1])
		minute, _ := strconv.Atoi(clock[2])
		at := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, day.Location())
		all = append(all, at, at.Add(-time.Minute), at.Add(time.Minute))
	}
	return all
}

var (
	clocks  = regexp.MustCompile(`(\d+):(\d+)`)
	numbers = regexp.MustCompile(`\d+`)
	dates   = regexp.MustCompile(`\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?`)
)
