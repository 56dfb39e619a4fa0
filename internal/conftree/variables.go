package conftree

import (
	"path/filepath"
	"slices"
	"strings"
)

// variables are the global variables and what they held at each time. Names are in lower case: FreeSWITCH knows no difference.
type variables struct {
	given map[string][]given
	times int32 // how many values were given
}

// given is a value that a variable was given.
type given struct {
	from    int32 // the time from which it holds
	value   string
	unknown []string // names of what nobody set, or only the switch knows, that went into value
}

// switchOnly are the variables FreeSWITCH sets before it reads a file, from the machine it runs on.
var switchOnly = []string{"hostname", "local_ip_v4", "local_mask_v4", "local_ip_v6"}

// presets are the folders FreeSWITCH tells its configuration, for one that was built with a prefix: the folder above the tree.
func presets(dir string) map[string]string {
	base := filepath.Dir(dir)
	set := map[string]string{"base_dir": base, "conf_dir": dir, "sound_prefix": filepath.Join(base, "sounds"), "temp_dir": "/tmp"}
	for name, below := range map[string]string{
		"recordings_dir": "recordings", "sounds_dir": "sounds", "log_dir": "log", "run_dir": "run", "db_dir": "db", "mod_dir": "mod",
		"htdocs_dir": "htdocs", "script_dir": "scripts", "grammar_dir": "grammar", "fonts_dir": "fonts", "images_dir": "images",
		"certs_dir": "certs", "storage_dir": "storage", "cache_dir": "cache",
	} {
		set[name] = filepath.Join(base, below)
	}
	set["data_dir"], set["localstate_dir"] = base, base
	return set
}

func newVariables(dir string, globals map[string]string) variables {
	v := variables{given: map[string][]given{}}
	for name, value := range presets(dir) {
		v.set(name, value, nil)
	}
	for name, value := range globals {
		v.set(name, value, nil)
	}
	v.times = 0
	for _, values := range v.given {
		values[len(values)-1].from = 0
	}
	return v
}

// set gives a variable a value, and returns what FreeSWITCH makes of it.
func (v *variables) set(name, value string, unknown []string) string {
	v.times++
	value = disarm(value)
	name = strings.ToLower(name)
	v.given[name] = append(v.given[name], given{v.times, value, unknown})
	return value
}

// doubt says that only the switch knows whether the variable has another value now, and returns the one it has if not.
func (v *variables) doubt(name string) string {
	value, unknown := v.at(v.times, name)
	return v.set(name, value, union([]string{strings.ToLower(name)}, unknown))
}

// at returns what a variable held at a time, and the names that nobody set.
func (v *variables) at(time int32, name string) (value string, unknown []string) {
	values := v.given[strings.ToLower(name)]
	for _, g := range slices.Backward(values) {
		if g.from <= time {
			return g.value, g.unknown
		}
	}
	return "", []string{name}
}

// disarm writes %{ for ${, also for one with backslashes in between, as FreeSWITCH does with every value a variable is given.
func disarm(value string) string {
	if !strings.Contains(value, "{") {
		return value
	}
	b := []byte(value)
	dollar := -1
	for i, c := range b {
		switch {
		case c == '$':
			dollar = i
		case c == '{' && dollar >= 0:
			b[dollar], dollar = '%', -1
		case c != '\\':
			dollar = -1
		}
	}
	return string(b)
}

// span is a part of a text, from start up to end.
type span struct{ start, end int }

// references returns where $${name} stands in text. A name may hold braces in pairs.
func references(text string) (found []span) {
	if !strings.Contains(text, "$${") {
		return nil
	}
	var open []int
	closes := map[int]int{}
	for i := range len(text) {
		switch text[i] {
		case '{':
			open = append(open, i)
		case '}':
			if len(open) > 0 {
				closes[open[len(open)-1]] = i
				open = open[:len(open)-1]
			}
		}
	}
	for at := 0; ; {
		i := strings.Index(text[at:], "$${")
		if i < 0 {
			return found
		}
		start := at + i
		at = start + len("$${")
		if end, ok := closes[start+2]; ok {
			found = append(found, span{start, end + 1})
			at = end + 1
		}
	}
}

// SwitchOnly tells whether only the switch knows what a variable that nobody set holds. For others it puts nothing.
func (t *Tree) SwitchOnly(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(switchOnly, name) ||
		slices.ContainsFunc(t.variables.given[name], func(g given) bool { return slices.Contains(g.unknown, name) })
}

// Expand returns text as FreeSWITCH has it where e stands, with the values that global variables had there, and the names that
// nobody set: FreeSWITCH puts nothing for them. If SwitchOnly, it may put something else than what stands there. With a nil e, the values are those
// at the end of the tree, which is what the running switch has.
func (t *Tree) Expand(e *Element, text string) (expanded string, unset []string) {
	time := t.variables.times
	if e != nil {
		if slices.Contains(e.literals, text) {
			return text, nil
		}
		time = e.set
	}
	return t.variables.expand(time, text)
}

func (v *variables) expand(time int32, text string) (expanded string, unset []string) {
	found := references(text)
	if found == nil {
		return text, nil
	}
	var b strings.Builder
	done := 0
	for _, r := range found {
		value, unknown := v.at(time, text[r.start+3:r.end-1])
		b.WriteString(text[done:r.start])
		b.WriteString(decode(value, content, nil))
		unset = union(unset, unknown)
		done = r.end
	}
	b.WriteString(text[done:])
	return b.String(), unset
}

// union returns names with those of more that it lacks.
func union(names, more []string) []string {
	for _, name := range more {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Refers tells whether a value of e holds global variables. One that holds $${ as text, written with character references, does
// not.
func (e *Element) Refers(value string) bool {
	return references(value) != nil && !slices.Contains(e.literals, value)
}
