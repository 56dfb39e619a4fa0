package hunt

import (
	"fmt"
	"slices"
	"strings"
)

// variable is a channel variable: one value, or a list of them.
type variable struct {
	values []string
	list   bool
}

// text is the value as FreeSWITCH puts it into text.
func (v variable) text() string {
	if len(v.values) == 1 {
		return v.values[0]
	}
	return "ARRAY::" + strings.Join(v.values, "|:")
}

// channel is what conditions and actions see of a call, and change.
type channel struct {
	call      *Call
	fields    map[string]string
	variables map[string]variable // by name in lower case
	decided   map[string]bool     // variables of which all is known: they were set or unset here
	open      []string            // what only the switch decides, since it was asked last
}

func newChannel(call *Call) *channel {
	c := &channel{call: call, fields: map[string]string{}, variables: map[string]variable{}, decided: map[string]bool{}}
	for name, value := range call.Fields {
		c.fields[strings.ToLower(name)] = value
	}
	for name, value := range call.Variables {
		c.add(name, value, place{})
	}
	return c
}

// switchDecides notes that the answer depends on what only the switch knows.
func (c *channel) switchDecides(format string, args ...any) {
	if what := fmt.Sprintf(format, args...); !slices.Contains(c.open, what) {
		c.open = append(c.open, what)
	}
}

// takeOpen returns what only the switch decides, and forgets it.
func (c *channel) takeOpen() []string {
	open := c.open
	c.open = nil
	return open
}

// callerFields are those of switch_caller_get_field_by_name.
var callerFields = []string{
	"dialplan", "username", "caller_id_name", "caller_id_number", "orig_caller_id_name", "orig_caller_id_number", "callee_id_name",
	"callee_id_number", "ani", "aniii", "network_addr", "rdnis", "destination_number", "uuid", "source", "transfer_source", "context",
	"chan_name", "profile_index", "caller_ton", "caller_numplan", "destination_number_ton", "destination_number_numplan", "ani_ton",
	"ani_numplan", "rdnis_ton", "rdnis_numplan", "screen_bit", "privacy_hide_name", "privacy_hide_number", "profile_created_time",
	"created_time", "answered_time", "progress_time", "progress_media_time", "hungup_time", "transferred_time",
}

// field is switch_caller_get_field_by_name. A field that is not known counts as empty, and is noted.
func (c *channel) field(name string) string {
	value, ok := c.callerField(name)
	if !ok && !c.call.Complete && slices.Contains(callerFields, strings.ToLower(name)) {
		c.switchDecides("the call's %s", name)
	}
	return value
}

func (c *channel) callerField(name string) (string, bool) {
	name = strings.ToLower(name)
	value, ok := c.fields[name]
	return value, ok && slices.Contains(callerFields, name)
}

// place is where a value goes in a variable that may be a list.
type place struct {
	push, unshift bool
}

// add is switch_channel_add_variable_var_check: an empty value removes the variable.
func (c *channel) add(name, value string, at place) {
	if name == "" {
		return
	}
	if value == "" {
		c.remove(name)
		return
	}
	base, index, indexed := strings.Cut(name, "[")
	key := strings.ToLower(base)
	c.decided[key] = true
	old, exists := c.variables[key]
	switch {
	case indexed:
		c.putAt(key, old, atoi(index), value)
	case exists && at.push:
		c.variables[key] = variable{append(slices.Clone(old.values), value), true}
	case exists && at.unshift:
		c.variables[key] = variable{append([]string{value}, old.values...), true}
	case strings.HasPrefix(value, "ARRAY::") && len(value) >= 8:
		c.variables[key] = variable{strings.Split(value[7:], "|:"), true}
	default:
		c.variables[key] = variable{[]string{value}, at.push || at.unshift}
	}
}

// maxIndex is how far a list may go.
const maxIndex = 4000

func (c *channel) putAt(key string, old variable, index int, value string) {
	if index < 0 || index > maxIndex {
		return
	}
	var values []string
	if old.list {
		values = slices.Clone(old.values)
	}
	for len(values) <= index {
		values = append(values, "")
	}
	values[index] = value
	c.variables[key] = variable{values, true}
}

func (c *channel) remove(name string) {
	key := strings.ToLower(name)
	delete(c.variables, key)
	c.decided[key] = true
}

func (c *channel) removeAll(prefix string) {
	for key := range c.variables {
		if strings.HasPrefix(key, strings.ToLower(prefix)) {
			c.remove(key)
		}
	}
}

// get is switch_channel_get_variable: a variable of the call, a field of its caller, or a global variable. Index -1 is all
// of a list.
func (c *channel) get(name string, index int) string {
	key := strings.ToLower(name)
	if v, ok := c.variables[key]; ok {
		if index < 0 {
			return v.text()
		}
		if v.list && index < len(v.values) {
			return v.values[index]
		}
	}
	if value, ok := c.callerField(name); ok {
		return value
	}
	if value, ok := c.call.Globals[name]; ok {
		return value
	}
	if !c.decided[key] && !c.call.Complete && !strings.HasPrefix(key, "dp_") {
		c.switchDecides("${%s}", name)
	}
	return ""
}

// setting is get for a variable that FreeSWITCH looks at of its own accord, which nobody misses.
func (c *channel) setting(name string) string {
	open := c.open
	value := c.get(name, -1)
	c.open = open
	return value
}

// Expands reports whether FreeSWITCH sees something to expand in text: a $ and a {, with nothing between but \ and $
// (switch_string_var_check).
func Expands(text string) bool {
	dollar := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '$':
			dollar = true
		case dollar && c == '{':
			return true
		case c != '\\':
			dollar = false
		}
	}
	return false
}

// needsExpansion is switch_string_var_check_const or switch_string_has_escaped_data.
func needsExpansion(text string) bool {
	if Expands(text) {
		return true
	}
	for i := strings.IndexByte(text, '\\'); i >= 0 && i < len(text)-1; {
		if strings.IndexByte(`\nst'`, text[i+1]) >= 0 {
			return true
		}
		next := strings.IndexByte(text[i+1:], '\\')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// maxExpansions is how deep values may refer to values.
const maxExpansions = 100

// expand is switch_channel_expand_variables. It also reports whether the text is another copy, as FreeSWITCH treats text
// that it had to look into.
func (c *channel) expand(text string) (string, bool) { return c.expandAt(text, 0) }

func (c *channel) expandAt(in string, depth int) (string, bool) {
	if depth > maxExpansions || !needsExpansion(in) {
		return in, false
	}
	at := func(i int) byte {
		if i < len(in) {
			return in[i]
		}
		return 0
	}
	var out []byte
	for p := 0; p < len(in); p++ {
		literal, kind := false, 0
		if in[p] == '\\' {
			switch at(p + 1) {
			case '$':
				literal = true
				p++
				if at(p+1) == '$' {
					p++
				}
			case '\'':
				p++
				continue
			case '\\':
				out = append(out, '\\')
				p++
				continue
			}
		}
		if in[p] == '$' && !literal {
			if at(p+1) == '$' {
				p++
			}
			if at(p+1) == '{' {
				kind = 1
			} else {
				literal = true
			}
		}
		if literal || kind == 0 {
			out = append(out, in[p])
			continue
		}
		name, end := reference(in, p+2)
		out = append(out, c.value(name, depth)...)
		if p = end; p >= len(in) {
			break
		}
		if in[p] == '$' {
			p--
		} else {
			out = append(out, in[p])
		}
	}
	return string(out), true
}

// reference returns what stands between the braces of a reference whose name begins at start, and where the text goes on.
func reference(in string, start int) (name string, end int) {
	open := 1
	for i := start; i < len(in); i++ {
		switch {
		case open == 1 && in[i] == '}':
			return in[start:i], i + 1
		case i != start && in[i] == '{':
			open++
		case open > 1 && in[i] == '}':
			open--
		}
	}
	return in[start:], len(in)
}

// value is what ${name} stands for.
func (c *channel) value(name string, depth int) string {
	if strings.ContainsAny(name, " (") {
		if reply, ok := c.call.Replies[name]; ok {
			return reply
		}
		c.switchDecides("${%s}, a command's reply", name)
		return ""
	}
	name, _ = c.expandAt(name, depth+1)
	name, slice, _ := strings.Cut(name, ":")
	from := atoi(slice)
	length := 0
	if _, rest, ok := strings.Cut(slice, ":"); ok {
		length = atoi(rest)
	}
	index := -1
	if base, rest, ok := strings.Cut(name, "["); ok && strings.Contains(rest, "]") {
		name, index = base, atoi(rest)
	}
	if name == "" {
		return ""
	}
	value, _ := c.expandAt(c.get(name, index), depth+1)
	switch {
	case from > len(value):
		value = ""
	case from >= 0:
		value = value[from:]
	case -from <= len(value):
		value = value[len(value)+from:]
	}
	if length > 0 && length < len(value) {
		value = value[:length]
	}
	return value
}
