package export

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/form"
)

// The server answers a call with the extensions for the called number and nothing else. In a file the answers for all numbers of
// a context stand one behind the other, each so that FreeSWITCH comes to no other number's:
//
//   - what every answer begins with, once;
//   - for some numbers whose answers begin and end alike, what they begin with, their own extensions, and what they end with,
//     for these numbers only. Behind them an extension without actions stops FreeSWITCH, as the end of the answer does;
//   - what is answered for numbers that nobody has.

// together is how many numbers share what stands before and after them. It keeps their regular expression small.
const together = 100

// answer is what is done with a number of a context.
type answer struct {
	forms         []string   // in which it is dialled
	own           *element   // its extension, which begins with a condition on the forms
	before, after []*element // extensions for every call
}

// dialplan writes a file for each context.
func (w *writer) dialplan() error {
	contexts, err := w.keys(table.Context)
	if err != nil {
		return err
	}
	numbers, err := w.numbersByContext()
	if err != nil {
		return err
	}
	// A context that nobody has is answered with this one, which FreeSWITCH takes for any that it does not find.
	unknown, err := w.render(w.call("", nobody))
	if err != nil {
		return err
	}
	w.include("dialplan/global.xml", unknown)
	for _, key := range contexts {
		if err := w.context(key[0], numbers); err != nil {
			return fmt.Errorf("context %s: %w", key[0], err)
		}
	}
	return nil
}

// nobody is a number that no table holds.
const nobody = "nobody"

// call is the question about a call. The value by which the not-found extension knows that something was done is another one in each
// answer of a server; in a file it is always this.
func (w *writer) call(context, number string) *form.Form {
	return form.Call(w.node, context, number).With("Event-Sequence", "1")
}

// numbersByContext are the numbers of each context.
func (w *writer) numbersByContext() (map[string][]string, error) {
	keys, err := w.keys(table.Number)
	all := make(map[string][]string)
	for _, key := range keys {
		all[key[0]] = append(all[key[0]], key[1])
	}
	return all, err
}

// context writes the file of a context. One that is switched off is left to the context global.
func (w *writer) context(name string, numbers map[string][]string) error {
	unknown, err := w.render(w.call(name, nobody))
	if err != nil {
		return err
	}
	context := unknown[0]
	if context.attr("name") == "global" {
		return nil
	}
	var answers []*answer
	for _, number := range numbers[context.attr("name")] {
		a, err := w.answer(name, number)
		if err != nil {
			return fmt.Errorf("number %s: %w", number, err)
		}
		answers = append(answers, a...)
	}
	context.inside = merged(answers, context.inside)
	w.include("dialplan/"+context.attr("name")+".xml", unknown)
	return nil
}

// answer is what the server does with a number in all forms in which it may be dialled: nothing if nobody has it.
func (w *writer) answer(context, number string) (all []*answer, err error) {
	dialled := []string{number}
	if digits, ok := strings.CutPrefix(number, "+"); ok {
		dialled = append(dialled, digits, "00"+digits)
	}
	for _, form := range dialled {
		route, err := w.rules.Route(w.ctx, db.Call{Node: w.node, Context: context, Number: form})
		if err != nil {
			return nil, err
		}
		if route.Value.Called == nil || route.Value.Called.Number != number {
			continue
		}
		rendered, err := w.render(w.call(context, form))
		if err != nil {
			return nil, err
		}
		one := cut(rendered[0].inside, route.Value.Own, form)
		if one == nil { // a value that it has to have is missing
			w.leave("dialplan/"+rendered[0].attr("name")+".xml", "number %s lacks a value that its extension asks for: it is answered as one that nobody has", number)
			break
		}
		if i := slices.IndexFunc(all, one.isLike); i >= 0 {
			all[i].forms = append(all[i].forms, form)
		} else {
			all = append(all, one)
		}
	}
	return all, nil
}

// cut tells the number's own extension, which is at a place, from those for every call. It is nil if none is for form.
func cut(extensions []*element, own int, form string) *answer {
	if own >= len(extensions) {
		return nil
	}
	a := &answer{forms: []string{form}, own: extensions[own], before: extensions[:own], after: extensions[own+1:]}
	first := a.own.first("condition")
	if first == nil || html.UnescapeString(first.attr("expression")) != "^("+regexp.QuoteMeta(form)+")$" {
		return nil
	}
	first.tag = strings.Replace(first.tag, first.attr("expression"), formsPlace, 1)
	return a
}

// formsPlace stands where an expression for the forms of a number will. No value has it.
const formsPlace = "<forms>"

// isLike reports whether a and b are the same but for the forms.
func (a *answer) isLike(b *answer) bool {
	return text([]*element{a.own}) == text([]*element{b.own}) && a.around() == b.around()
}

func (a *answer) around() string { return text(a.before) + formsPlace + text(a.after) }

// merged are the extensions of a context: of its numbers' answers, and of the one for numbers that nobody has.
func merged(answers []*answer, unknown []*element) (all []*element) {
	shared := 0
	for len(answers) > 0 && shared < len(unknown)-1 && startAll(answers, shared, unknown[shared]) {
		shared++
	}
	all = append(all, unknown[:shared]...)
	groups := make(map[string][]*answer)
	var order []string
	for _, a := range answers {
		around := a.around()
		if groups[around] == nil {
			order = append(order, around)
		}
		groups[around] = append(groups[around], a)
	}
	for _, around := range order {
		for some := range slices.Chunk(groups[around], together) {
			all = append(all, block(some, shared)...)
		}
	}
	rest := unknown[shared:]
	if strings.Contains(text(rest), ` data="`+doneVariable+`=`) {
		all = append(all, nothingDone)
	}
	return append(all, rest...)
}

// doneVariable tells the not-found extension that something was done with the call.
const doneVariable = "xmlcurld"

// nothingDone says so: a call that was transferred still has the variable from before.
var nothingDone = &element{tag: `<extension name="nothing is done yet" continue="true">`, end: "</extension>", inside: []*element{{
	tag: "<condition>", end: "</condition>", inside: []*element{{tag: `<action application="set" data="` + doneVariable + `=0" inline="true"/>`}},
}}}

// startAll reports whether all answers have an extension at a place before the number's own.
func startAll(answers []*answer, place int, e *element) bool {
	want := text([]*element{e})
	return !slices.ContainsFunc(answers, func(a *answer) bool {
		return len(a.before) <= place || text(a.before[place:place+1]) != want
	})
}

// block are the extensions for some numbers whose answers begin and end alike. The first of them stand before all blocks.
func block(some []*answer, shared int) (all []*element) {
	var forms []string
	for _, a := range some {
		forms = append(forms, a.forms...)
	}
	guard := &element{tag: `<condition field="destination_number" expression="` + expression("?:", forms) + `"/>`}
	guarded := func(extensions []*element) {
		for _, e := range extensions {
			all = append(all, &element{tag: e.tag, inside: slices.Concat([]*element{guard}, e.inside), end: e.end})
		}
	}
	guarded(some[0].before[shared:])
	for _, a := range some {
		first := a.own.first("condition")
		first.tag = strings.Replace(first.tag, formsPlace, expression("", a.forms), 1)
		all = append(all, a.own)
	}
	guarded(some[0].after)
	return append(all, &element{tag: `<extension name="that is all for these numbers">`, inside: []*element{guard}, end: "</extension>"})
}

// expression fits any of forms, in a group of a kind, as it is written in an attribute.
func expression(kind string, forms []string) string {
	var all []string
	for _, form := range forms {
		all = append(all, regexp.QuoteMeta(form))
	}
	return "^(" + kind + strings.Join(all, "|") + ")$"
}
