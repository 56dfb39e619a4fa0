package hunt

import (
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"xmlcurld/internal/pcre"
)

// Finder hunts many calls in one Plan, and passes over extensions that can do nothing with the called number: those whose first
// condition is on the number, and whose expression begins with other signs. It is for one goroutine.
type Finder struct {
	plan     *Plan
	contexts map[*element]*index
	patterns map[string]*pcre.Pattern
}

// NewFinder returns a Finder for plan. The caller closes it.
func NewFinder(plan *Plan) *Finder {
	return &Finder{plan, map[*element]*index{}, map[string]*pcre.Pattern{}}
}

// Hunt is Plan.Hunt, but for the Steps, which lack the extensions that it passed over.
func (f *Finder) Hunt(call Call) Result {
	return f.plan.hunt(call, func(context *element) []*element {
		i := f.contexts[context]
		if i == nil {
			i = newIndex(context)
			f.contexts[context] = i
		}
		return i.of(call.Number)
	}, f.perform)
}

// Close frees what Hunt keeps from call to call.
func (f *Finder) Close() {
	for _, p := range f.patterns {
		p.Close()
	}
	f.patterns = nil
}

// patternsKept bounds how many compiled expressions a Finder keeps.
const patternsKept = 4096

// perform is pcre.Perform with expressions that are compiled once.
func (f *Finder) perform(value, expression string) (*pcre.Match, error) {
	p := f.patterns[expression]
	if p == nil {
		if len(f.patterns) >= patternsKept {
			return pcre.Perform(value, expression)
		}
		var err error
		if p, err = pcre.Compile(expression); err != nil {
			return nil, err
		}
		f.patterns[expression] = p
	}
	return p.Match(value)
}

// index knows which of a context's extensions may do something with a number.
type index struct {
	all     []*element
	always  []int            // those that may, whatever the number is
	begins  map[string][]int // the others, by how the number has to begin
	lengths []int            // of the keys of begins
}

func newIndex(context *element) *index {
	i := &index{all: context.all("extension"), begins: map[string][]int{}}
	changes := setsNumber(context)
	for n, e := range i.all {
		var heads []string
		if !changes {
			heads = numberHeads(e)
		}
		if heads == nil {
			i.always = append(i.always, n)
		}
		for _, head := range heads {
			i.begins[head] = append(i.begins[head], n)
			if !slices.Contains(i.lengths, len(head)) {
				i.lengths = append(i.lengths, len(head))
			}
		}
	}
	return i
}

// of returns the extensions that may do something with a number, in order.
func (i *index) of(number string) []*element {
	at := slices.Clone(i.always)
	for _, length := range i.lengths {
		if length <= len(number) {
			at = append(at, i.begins[number[:length]]...)
		}
	}
	slices.Sort(at)
	at = slices.Compact(at)
	found := make([]*element, len(at))
	for n, x := range at {
		found[n] = i.all[x]
	}
	return found
}

// setsNumber reports whether an action in e may change the called number while FreeSWITCH still looks.
func setsNumber(e *element) bool {
	return e.soft("application") == "set_profile_var" && IsTrue(e.soft("inline")) || slices.ContainsFunc(e.children, setsNumber)
}

// numberHeads are the beginnings one of which the called number must have for e to do anything. It is nil where that cannot
// be told.
func numberHeads(e *element) []string {
	first := e.child("condition")
	if first == nil {
		return nil
	}
	field := strings.ToLower(first.soft("field"))
	rule := strings.ToLower(first.soft("break"))
	_, counts := first.attr("regex")
	if field != "destination_number" && field != "${destination_number}" || rule == "never" || rule == "on-true" || counts ||
		first.child("expression") != nil || first.child("anti-action") != nil || len(timedOf(first)) > 0 {
		return nil
	}
	source := pcre.Read(first.soft("expression"))
	if needsExpansion(first.soft("expression")) || source.Caseless || source.LacksLastSlash {
		return nil
	}
	parsed, err := syntax.Parse(source.Pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	heads, ok := anchored(parsed)
	if !ok || slices.Contains(heads, "") {
		return nil
	}
	return heads
}

func timedOf(e *element) (names []string) {
	for _, a := range e.attrs {
		if slices.Contains(timeAttributes, a.Name.Local) {
			names = append(names, a.Name.Local)
		}
	}
	return names
}

// anchored returns the beginnings of what an expression matches, if it matches at the beginning only.
func anchored(re *syntax.Regexp) (heads []string, ok bool) {
	switch re.Op {
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			more, ok := anchored(sub)
			if !ok {
				return nil, false
			}
			heads = append(heads, more...)
		}
		return heads, true
	case syntax.OpConcat:
		if re.Sub[0].Op == syntax.OpBeginText {
			heads, _ = headsOf(re.Sub[1:])
			return heads, true
		}
	}
	return nil, false
}

// mostHeads bounds how many beginnings are told apart.
const mostHeads = 100

// headsOf returns the beginnings of what a sequence matches, and whether they are all of it.
func headsOf(sequence []*syntax.Regexp) (heads []string, whole bool) {
	heads = []string{""}
	for _, re := range sequence {
		more, whole := headsIn(re)
		if len(heads)*len(more) > mostHeads {
			return heads, false
		}
		var longer []string
		for _, a := range heads {
			for _, b := range more {
				longer = append(longer, a+b)
			}
		}
		if heads = longer; !whole {
			return heads, false
		}
	}
	return heads, true
}

func headsIn(re *syntax.Regexp) (heads []string, whole bool) {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return []string{string(re.Rune)}, true
		}
	case syntax.OpCapture, syntax.OpConcat:
		return headsOf(re.Sub)
	case syntax.OpAlternate:
		whole = true
		for _, sub := range re.Sub {
			more, all := headsIn(sub)
			heads, whole = append(heads, more...), whole && all
		}
		return heads, whole
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if heads = append(heads, string(r)); len(heads) > 10 {
					return []string{""}, false
				}
			}
		}
		return heads, true
	case syntax.OpEndText, syntax.OpEmptyMatch:
		return []string{""}, true
	}
	return []string{""}, false
}

// Fits reports whether a time fits what the attributes of a condition say of it, by their names.
func Fits(at time.Time, attributes map[string]string) bool {
	c := clock{here: at, call: at}
	for name, want := range attributes {
		if slices.Contains(timeAttributes, name) && (name != "dst" || want != "") && !c.fits(name, want) {
			return false
		}
	}
	return true
}
