package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/hunt"
	"xmlcurld/internal/pcre"
)

// plan is a context: which of its extensions become a number's own, and how carriers may write the numbers.
type plan struct {
	extensions []*planned
	bare       bool // each number with a plus is also taken without it
}

// planned is an extension of a context.
type planned struct {
	element *conftree.Element
	goesOn  bool     // it has continue
	numbers []number // that it is for alone; none: it matches otherwise
	dialled []string // the forms in which those are taken
	owns    bool     // it becomes its numbers' own
	before  bool     // it stands before the numbers' own, although it has no continue
	after   bool     // it stands behind the numbers' own, since it has
}

// number is one that an expression takes, and nothing else.
type number struct {
	digits string
	plus   string // how it may begin: "", "+", or "+?" for either
}

// dialled are the forms in which a number is taken.
func (n number) dialled() []string {
	switch n.plus {
	case "+?":
		return []string{"+" + n.digits, n.digits}
	default:
		return []string{n.plus + n.digits}
	}
}

// rows are the numbers that an extension owns.
func (p *plan) rows(x *planned) (all []string) {
	for _, n := range x.numbers {
		forms := n.dialled()
		if p.bare {
			forms = forms[:1]
		}
		all = append(all, forms...)
	}
	return all
}

// planOf decides which extensions become numbers, so that each call meets what it would in the tree. A number's answer has its own,
// and before or behind it others that could take a call to it, each on the same side of all numbers.
func (in *importer) planOf(c *conftree.Element) *plan {
	p := new(plan)
	in.readsAll(c, []string{"name"}, []string{"extension"})
	for _, e := range c.All("extension") {
		if e.Child("condition") == nil {
			in.leave(e, fmt.Sprintf("extension %q", e.Attr("name")), "it has no condition, so FreeSWITCH does nothing with it", "Delete it.")
			continue
		}
		p.extensions = append(p.extensions, &planned{element: e, goesOn: hunt.IsTrue(in.expand(e, e.Attr("continue")))})
	}
	if in.options.Tenant == "" && len(in.options.Tenants) == 0 || setsNumber(c) {
		return p
	}
	guards := make([]*guard, len(p.extensions))
	for i, x := range p.extensions {
		if in.tenant(x.element) != "" {
			x.numbers = numbersOf(x.element)
		}
		for _, n := range x.numbers {
			x.dialled = append(x.dialled, n.dialled()...)
		}
		if x.numbers == nil || x.goesOn {
			guards[i] = guardOf(x.element)
			defer guards[i].close()
		}
	}
	p.chooseOwn()
	p.chooseSides(guards)
	p.chooseForms()
	return p
}

// chooseOwn lets an extension own its numbers if it is the first that is for them.
func (p *plan) chooseOwn() {
	taken, named := make(map[string]bool), make(map[string]*planned)
	for _, x := range p.extensions {
		if name := x.element.Attr("name"); named[name] == nil {
			named[name] = x
		}
	}
	for _, x := range p.extensions {
		if x.goesOn || x.numbers == nil {
			continue
		}
		x.owns = true
		for _, dialled := range x.dialled {
			// With auto_hunt FreeSWITCH goes to the extension that is named like the number.
			if taken[dialled] || named[dialled] != nil && named[dialled] != x {
				x.owns = false
			}
			taken[dialled] = true
		}
	}
}

// chooseSides puts each other extension before or behind the numbers, wherever more of those stand that it could take. The rest of
// them stay extensions of the context.
func (p *plan) chooseSides(guards []*guard) {
	for i, x := range p.extensions {
		if guards[i] == nil {
			continue
		}
		var above, below []*planned // those that it could take
		for j, own := range p.extensions {
			switch {
			case !own.owns || !slices.ContainsFunc(own.dialled, guards[i].takes):
			case j < i:
				above = append(above, own)
			default:
				below = append(below, own)
			}
		}
		wrong := above
		if len(above) > len(below) || len(below) == 0 {
			wrong = below
			x.after = x.goesOn
		} else {
			x.before = !x.goesOn
		}
		for _, own := range wrong {
			own.owns = false
		}
	}
}

// chooseForms lets a row with a plus stand for both forms, if no number is taken with its plus alone.
func (p *plan) chooseForms() {
	for _, x := range p.extensions {
		if !x.owns {
			continue
		}
		for _, n := range x.numbers {
			if n.plus == "+" {
				p.bare = false
				return
			}
			p.bare = p.bare || n.plus == "+?"
		}
	}
}

// setsNumber reports whether something in e may change the number that is looked for.
func setsNumber(e *conftree.Element) bool {
	return e.Attr("application") == "set_profile_var" || slices.ContainsFunc(e.Children, setsNumber)
}

var (
	oneNumber  = regexp.MustCompile(`^(\\\+\??)?((?:[0-9#]|\\[*#])+)$`)
	e164       = regexp.MustCompile(`^[1-9][0-9]{5,14}$`)
	short      = regexp.MustCompile(`^[0-9*#]{1,20}$`)
	groupInUse = regexp.MustCompile(`\$\{?[0-9]`)
)

// numbersOf are the numbers that an extension is for, none unless its only condition takes these and nothing else, and its actions
// see the same as in a number's answer: there $1 is what was dialled.
func numbersOf(e *conftree.Element) (all []number) {
	conditions := e.All("condition")
	if len(conditions) != 1 || !comparesNumber(conditions[0]) || conditions[0].Child("condition") != nil || len(conditions[0].All("anti-action")) > 0 {
		return nil
	}
	expression, _ := expressionOf(conditions[0])
	inside, ok := strings.CutPrefix(expression, "^")
	inside, ok2 := strings.CutSuffix(inside, "$")
	if !ok || !ok2 {
		return nil
	}
	whole := strings.HasPrefix(inside, "(") && strings.HasSuffix(inside, ")") && strings.Count(inside, "(") == 1
	if whole {
		inside = inside[1 : len(inside)-1]
	} else if strings.Contains(inside, "|") || usesGroups(conditions[0]) {
		return nil
	}
	if prefix, digits, ok := strings.Cut(strings.TrimSuffix(inside, ")"), "("); ok {
		inside = prefix + digits
	}
	for _, one := range strings.Split(inside, "|") {
		parts := oneNumber.FindStringSubmatch(one)
		if parts == nil {
			return nil
		}
		n := number{strings.ReplaceAll(parts[2], `\`, ""), strings.TrimPrefix(parts[1], `\`)}
		if n.plus != "" && !e164.MatchString(n.digits) || !short.MatchString(n.digits) {
			return nil
		}
		all = append(all, n)
	}
	if slices.ContainsFunc(conditions[0].All("action"), func(a *conftree.Element) bool { return !application.MatchString(a.Attr("application")) }) {
		return nil
	}
	return all
}

// usesGroups reports whether actions ask for what a group of the expression matched.
func usesGroups(c *conftree.Element) bool {
	return slices.ContainsFunc(c.All("action"), func(a *conftree.Element) bool {
		return groupInUse.MatchString(a.Text+a.Attr("data")) || strings.Contains(a.Text+a.Attr("data"), "DP_MATCH")
	})
}

// comparesNumber reports whether a condition looks at the called number and at nothing else.
func comparesNumber(c *conftree.Element) bool {
	if !strings.EqualFold(c.Attr("field"), "destination_number") {
		return false
	}
	for _, a := range c.Attrs {
		if a.Name == "regex" || slices.Contains(timeAttrs, a.Name) {
			return false
		}
	}
	return true
}

// guard is what an extension lets in, as far as its first condition tells.
type guard struct {
	pattern *pcre.Pattern // nil: whatever is called
	prefix  string        // of every number that the pattern matches
}

// literalPrefix finds what every match of an expression without a choice begins with.
var literalPrefix = regexp.MustCompile(`^\^\(?((?:[0-9]|\\\+)*)`)

func guardOf(e *conftree.Element) *guard {
	c := e.Child("condition")
	if !comparesNumber(c) || c.Child("anti-action") != nil {
		return new(guard)
	}
	switch strings.ToLower(c.Attr("break")) {
	case "", "on-false", "always":
	default:
		return new(guard)
	}
	expression, _ := expressionOf(c)
	if strings.Contains(expression, "${") {
		return new(guard)
	}
	pattern, err := pcre.Compile(expression)
	if err != nil {
		return new(guard)
	}
	g := &guard{pattern: pattern}
	if found := literalPrefix.FindStringSubmatch(expression); found != nil && !strings.Contains(expression, "|") {
		g.prefix = strings.ReplaceAll(found[1], `\`, "")
		g.prefix = g.prefix[:max(0, len(g.prefix)-1)] // the last sign may be repeated, or not be there
	}
	return g
}

// takes reports whether an extension may do something with a call to a number.
func (g *guard) takes(number string) bool {
	if g.pattern == nil {
		return true
	}
	if !strings.HasPrefix(number, g.prefix) {
		return false
	}
	match, err := g.pattern.Match(number)
	return err != nil || match != nil
}

func (g *guard) close() {
	if g.pattern != nil {
		g.pattern.Close()
	}
}
