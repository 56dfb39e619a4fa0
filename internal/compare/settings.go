package compare

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"xmlcurld/internal/hunt"
)

// setting is a param or a variable. Its place is the element's.
type setting struct {
	name, value string
	element     *node
}

// settingsOf are the children of n of a name, such as param, as name and value. One without a name is none.
func settingsOf(n *node, element string) (all []setting) {
	for _, e := range n.all(element) {
		if name, ok := e.attr("name"); ok {
			all = append(all, setting{name, e.soft("value"), e})
		}
	}
	return all
}

// rules say how FreeSWITCH reads settings.
type rules struct {
	what     string                   // of one, as param
	row      func(name string) string // the row that says it
	many     func(name string) bool   // all values of the name are taken, in order; else the last one is
	defaults map[string]string        // values that FreeSWITCH takes where nothing is said
	truth    []string                 // names whose values are no more than true or false
	empty    bool                     // an empty value is as good as none
	explain  func(name, tree, server string) (reason string)
}

// byName are the settings in the order in which their names come first, by their names in lower case.
func byName(all []setting) (names []string, of map[string][]setting) {
	of = map[string][]setting{}
	for _, s := range all {
		key := strings.ToLower(s.name)
		if of[key] == nil {
			names = append(names, key)
		}
		of[key] = append(of[key], s)
	}
	return names, of
}

// taken are the values that FreeSWITCH takes of a name.
func (r *rules) taken(name string, all []setting) (values []string) {
	for _, s := range all {
		values = append(values, r.value(name, s.value))
	}
	if len(values) > 1 && (r.many == nil || !r.many(name)) {
		values = values[len(values)-1:]
	}
	if len(values) == 1 && values[0] == "" && r.empty {
		return nil
	}
	if len(values) == 0 {
		if value, ok := r.defaults[name]; ok {
			return []string{value}
		}
	}
	return values
}

func (r *rules) value(name, value string) string {
	if slices.Contains(r.truth, name) {
		return fmt.Sprint(hunt.IsTrue(value))
	}
	return value
}

// settings compares two lists of settings of the same thing.
func (c *comparison) settings(at of, in string, tree, server []setting, r rules) {
	names, a := byName(tree)
	others, b := byName(server)
	for _, name := range others {
		if a[name] == nil {
			names = append(names, name)
		}
	}
	c.compared(at.document, at.counted, len(names))
	for _, name := range names {
		told, heard := r.taken(name, a[name]), r.taken(name, b[name])
		if slices.Equal(told, heard) {
			continue
		}
		c.settingDiffers(at, in, name, a[name], told, heard, r)
	}
}

func (c *comparison) settingDiffers(at of, in, name string, tree []setting, told, heard []string, r rules) {
	shown := func(values []string) string {
		var masked []string
		for _, v := range values {
			masked = append(masked, c.masked(in, name, v))
		}
		return strings.Join(masked, ", ")
	}
	d := Difference{What: joined(in, r.what+" "+name), Tree: shown(told), Server: shown(heard)}
	if len(tree) > 0 {
		d.Place = tree[len(tree)-1].element.place()
	}
	if r.row != nil {
		d.Row = r.row(name)
	}
	switch {
	case len(heard) == 0:
		d.Meaning = "the server does not say it, so the switch takes what FreeSWITCH takes without it"
	case len(told) == 0:
		d.Meaning = "the server says it, and the tree does not"
	default:
		d.Meaning = "the switch would take another value"
	}
	reason := ""
	if r.explain != nil {
		reason = r.explain(name, strings.Join(told, ", "), strings.Join(heard, ", "))
	}
	if reason == "" && slices.Equal(c.renamed(told), heard) {
		reason = "the context has another name here, as --context says"
	}
	if reason != "" {
		c.explain(at, d, reason)
		return
	}
	c.found(at, d)
}

func joined(in, what string) string {
	if in == "" {
		return what
	}
	return in + ", " + what
}

// renamed are values with the names of contexts that they have in the rows.
func (c *comparison) renamed(values []string) (all []string) {
	for _, v := range values {
		for from, to := range c.Contexts {
			v = regexp.MustCompile(`(^|[^\w.-])`+regexp.QuoteMeta(from)+`($|[^\w.-])`).ReplaceAllString(v, "${1}"+strings.ReplaceAll(to, "$", "$$")+"${2}")
		}
		all = append(all, v)
	}
	return all
}
