package compare

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/form"
	"xmlcurld/internal/hunt"
)

// dialplan compares the contexts: what becomes of calls that are made up from the conditions of both.
func (c *comparison) dialplan() error {
	section := filled(c.tree, c.tree.Section("dialplan"))
	order := map[*node]int{}
	plans, err := c.plansOfTree(section, order)
	if err != nil {
		return err
	}
	defer plans.Close()
	seen := map[string]bool{}
	for _, tree := range section.all("context") {
		name := tree.soft("name")
		if seen[strings.ToLower(name)] {
			c.explain(of{"context " + name, "extensions"}, Difference{What: "a second context " + name, Place: tree.place(), Meaning: "the server does not have it"},
				"FreeSWITCH never reads it: it takes the first of the name")
			continue
		}
		seen[strings.ToLower(name)] = true
		c.progress("context " + name)
		if err := c.context(tree, plans, order); err != nil {
			return err
		}
	}
	return c.contextsOfServer(seen)
}

// contextsOfServer tells of the contexts that only the server has.
func (c *comparison) contextsOfServer(seen map[string]bool) error {
	for name := range seen {
		seen[strings.ToLower(c.served(name))] = true
	}
	names, err := c.server.names(`SELECT name::text COLLATE "C" FROM context WHERE $1 = '' OR tenant = $1 ORDER BY 1`, c.Tenant)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !seen[strings.ToLower(name)] {
			at := of{"context " + name, "extensions"}
			c.compared(at.document, at.counted, 1)
			c.found(at, Difference{What: "context " + name, Row: "context " + name, Server: name, Meaning: "calls could be sent to a context that the tree does not have"})
		}
	}
	return nil
}

// served is the name that a context has in the rows.
func (c *comparison) served(context string) string {
	for from, to := range c.Contexts {
		if strings.EqualFold(from, context) {
			return to
		}
	}
	return context
}

// plansOfTree parses the tree's contexts, once for all calls. Order gets the place of each element in what is parsed.
func (c *comparison) plansOfTree(section *node, order map[*node]int) (*hunt.Finder, error) {
	if section == nil {
		section = &node{}
	}
	var b bytes.Buffer
	b.WriteString(`<document><section name="dialplan">`)
	count := 2 // elements
	for _, context := range section.all("context") {
		context.write(&b)
		count = context.number(order, count)
	}
	b.WriteString(`</section></document>`)
	plan, err := hunt.Parse(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("the tree's dialplan: %w", err)
	}
	return hunt.NewFinder(plan), nil
}

// callsAtOnce is how many calls' rows are read at once.
const callsAtOnce = 1000

// room is a context that is compared.
type room struct {
	*comparison
	at      of
	tree    *node
	name    string // in the rows
	plans   *hunt.Finder
	maker   *callMaker
	tried   map[string]bool
	waiting []hunt.Call
	places  map[string]string // of the extensions of the tree, by name
	reached map[int]reach     // what ran of them, by where they stand in what is hunted
	order   map[*node]int     // where they stand in it
	answers []answered        // of the server to numbers that nobody has
	learned map[string]bool   // extensions of the server for which calls were made
	new     []*node           // such for which calls are to be made
	alike   map[string]int    // where differences are, by what they have in common
}

func (c *comparison) context(tree *node, plans *hunt.Finder, order map[*node]int) error {
	name := tree.soft("name")
	places := map[string]string{}
	for _, e := range slices.Backward(tree.all("extension")) {
		places[e.soft("name")] = e.place()
	}
	r := &room{
		places: places, order: order, comparison: c, at: of{"context " + name, "calls"}, tree: tree, name: c.served(name), plans: plans,
		tried: map[string]bool{}, reached: map[int]reach{}, learned: map[string]bool{}, alike: map[string]int{},
		maker: &callMaker{base: c.call(name), times: map[string]time.Time{}},
	}
	defer r.forget()
	known, err := c.server.names(`SELECT name::text FROM context WHERE lower(name) = $1`, table.Fold(r.name))
	if err != nil {
		return err
	}
	extensions := tree.all("extension")
	c.compared(r.at.document, "extensions", len(extensions))
	if len(known) == 0 && r.name == "global" && len(extensions) == 1 && extensions[0].soft("name") == "not_found" {
		c.explain(of{r.at.document, "extensions"}, Difference{
			What: "context " + name, Place: tree.place(), Tree: "1 extension", Meaning: "the server has no row for it",
		}, "the server answers the same itself for contexts that nobody has")
		return nil
	}
	if len(known) == 0 {
		c.found(of{r.at.document, "extensions"}, Difference{
			What: "context " + name, Place: tree.place(), Row: "context " + r.name, Tree: fmt.Sprintf("%d extensions", len(extensions)),
			Meaning: "the switch would not have the context: every call there is refused",
		})
		return nil
	}
	if known, err = c.server.names(`SELECT number::text COLLATE "C" FROM number WHERE lower(context) = $1 AND enabled ORDER BY 1`, table.Fold(r.name)); err != nil {
		return err
	}
	for _, number := range append([]string{nobody}, known...) {
		call := r.maker.base
		call.Number = number
		if err := r.try(call); err != nil {
			return err
		}
	}
	next := nobody // a number that an extension behind it takes
	for _, e := range slices.Backward(extensions) {
		r.maker.next = next
		if err := r.tryAll(e); err != nil {
			return err
		}
		next = r.maker.next
	}
	if err := r.flush(); err != nil {
		return err
	}
	for len(r.new) > 0 {
		new := r.new
		r.new = nil
		for _, e := range new {
			if err := r.tryAll(e); err != nil {
				return err
			}
		}
		if err := r.flush(); err != nil {
			return err
		}
	}
	return r.unreached(extensions)
}

// tryAll tries the calls that are made for an extension, of the tree or of the server.
func (r *room) tryAll(extension *node) error {
	for _, call := range r.maker.calls(extension) {
		if err := r.try(call); err != nil {
			return err
		}
	}
	return nil
}

// nobody is a number that nobody has.
const nobody = "nobody"

// call is a call of which nothing is known but what every call has.
func (c *comparison) call(context string) hunt.Call {
	return hunt.Call{
		Number: nobody, Context: context, Complete: true, Time: c.Time, Variables: map[string]string{}, Globals: c.globals,
		Fields: map[string]string{
			"caller_id_number": "4711", "caller_id_name": "Caller", "ani": "4711", "network_addr": "192.0.2.99", "source": "mod_sofia", "dialplan": "XML",
			"username": "4711", "chan_name": "sofia/external/4711@192.0.2.99",
		},
	}
}

// try has a call compared, unless it was.
func (r *room) try(call hunt.Call) error {
	key := fmt.Sprint(call.Number, "\x00", call.Fields, call.Variables, call.Replies, call.Time.Unix())
	if r.tried[key] || call.Number == "" {
		return nil
	}
	r.tried[key] = true
	if r.waiting = append(r.waiting, call); len(r.waiting) < callsAtOnce {
		return nil
	}
	return r.flush()
}

// flush compares the calls that wait.
func (r *room) flush() error {
	calls := r.waiting
	r.waiting = nil
	questions := map[table.Question]bool{}
	for _, call := range calls {
		questions[table.ForRoute.About(r.Node, table.Fold(r.name), call.Number)] = true
	}
	if err := r.server.rows.Ask(r.ctx, slices.Collect(maps.Keys(questions))); err != nil {
		return err
	}
	r.compared(r.at.document, r.at.counted, len(calls))
	for _, call := range calls {
		if err := r.compare(call); err != nil {
			return err
		}
	}
	return nil
}

// eventSequence is that of the questions that are asked of the server: it marks answers with it.
const eventSequence = "1"

// compare makes a call on both sides.
func (r *room) compare(call hunt.Call) error {
	told := r.plans.Hunt(call)
	for _, a := range told.Actions {
		ran := r.reached[a.At]
		ran.action, ran.anti = ran.action || !a.Anti, ran.anti || a.Anti
		r.reached[a.At] = ran
	}
	plan, done, err := r.answer(call)
	if what, err := asFault(err); err != nil || what != "" {
		r.differs(call, what, Difference{
			Place: r.placeOf(told.Extension), Tree: shownRun(r.comparison, told.Actions, 0), Server: what, Meaning: "the server fails to answer the call",
		})
		return err
	}
	defer done()
	call.Context, call.Globals = r.name, r.server.globals
	r.judge(call, told, plan.Hunt(call))
	return nil
}

// answered is an answer to numbers that nobody has, and what it is made of.
type answered struct {
	db.Route
	plan *hunt.Finder
}

// answersKept bounds how many answers of the server are kept parsed.
const answersKept = 16

// answer is the server's to a call, which is done with when done is called. All who call what nobody has get the same, which is
// made once.
func (r *room) answer(call hunt.Call) (plan *hunt.Finder, done func(), err error) {
	route, err := r.server.route(r.name, call.Number)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range r.answers {
		if route.Called == nil && a.Context == route.Context && a.NotFound == route.NotFound && slices.Equal(a.Extensions, route.Extensions) {
			return a.plan, func() {}, nil
		}
	}
	document, err := r.server.document(form.Call(r.Node, r.name, call.Number).With("Event-Sequence", eventSequence))
	if err != nil {
		return nil, nil, err
	}
	if document == nil {
		document = []byte(`<document><section name="dialplan"/></document>`)
	}
	parsed, err := hunt.Parse([]byte(fillIn(string(document), r.server.globals)))
	if err != nil {
		return nil, nil, fmt.Errorf("the server's answer: %w", err)
	}
	if err := r.learn(document); err != nil {
		return nil, nil, err
	}
	plan = hunt.NewFinder(parsed)
	if route.Called != nil {
		return plan, plan.Close, nil
	}
	if len(r.answers) >= answersKept {
		r.forget()
	}
	r.answers = append(r.answers, answered{route, plan})
	return plan, func() {}, nil
}

// forget closes the answers that are kept.
func (r *room) forget() {
	for _, a := range r.answers {
		a.plan.Close()
	}
	r.answers = nil
}

// learn notes the extensions of an answer, so that calls are made for them, too. One that looks at nothing but the number that was
// called needs no more.
func (r *room) learn(document []byte) error {
	root, err := read(document, r.server.globals)
	if err != nil {
		return err
	}
	for _, e := range root.child("section").child("context").all("extension") {
		if list := leaves(e); len(list) == 0 || len(list) == 1 && isNumber(list[0].field) && exact.MatchString(list[0].expression) {
			continue
		}
		var b bytes.Buffer
		if e.write(&b); !r.learned[b.String()] {
			r.learned[b.String()] = true
			r.new = append(r.new, e)
		}
	}
	return nil
}

// exact matches an expression on one number, as the server writes it.
var exact = regexp.MustCompile(`^\^\((\\.|[\w*#])*\)\$$`)

// markVariable is the call's variable by which the server's answer knows that an extension acted.
const markVariable = "xmlcurld"

// judge compares what runs.
func (r *room) judge(call hunt.Call, told, heard hunt.Result) {
	tree, server := told.Actions, slices.Clone(heard.Actions)
	marked := func(a hunt.Action) bool {
		return a.Application == "set" && a.Inline && strings.HasPrefix(a.Data, markVariable+"=")
	}
	if slices.ContainsFunc(server, marked) {
		server = slices.DeleteFunc(server, marked)
		r.explain(r.at, Difference{What: "call to " + call.Number, Server: "set(" + markVariable + "=…)", Meaning: "the call has one variable more"},
			"by it the server's answer knows that an extension acted, so that nobody is told 404 after it")
	}
	if rest, ok := r.withoutNotFound(server, tree); ok {
		server = rest
		r.explain(r.at, Difference{What: "call to " + call.Number, Server: "log, respond(404 Not Found)", Meaning: "the caller is told 404, and a line of the log says why"},
			"no extension of the tree takes the call: FreeSWITCH ends it without a word")
	}
	n := 0
	for n < len(tree) && n < len(server) && r.sameAction(call, tree[n], server[n]) {
		n++
	}
	switch {
	case n < len(tree) || n < len(server):
		r.actionsDiffer(call, tree, server, n)
	case len(tree) > 0 && told.Extension != heard.Extension:
		r.explain(r.at, Difference{
			What: "call to " + call.Number, Tree: told.Extension, Server: heard.Extension, Place: r.placeOf(told.Extension), Meaning: "logs and call records name the extension otherwise",
		}, "an extension of the rows has a name of its own")
	}
}

// withoutNotFound is server without what the server does for a number that nobody has, if it comes after all that the tree does.
func (r *room) withoutNotFound(server, tree []hunt.Action) ([]hunt.Action, bool) {
	n := len(server) - 2
	if n < 0 || len(tree) != n || server[n].Application != "log" || server[n+1].Application != "respond" || server[n+1].Data != "404 Not Found" {
		return server, false
	}
	return server[:n], true
}

func (r *room) sameAction(call hunt.Call, a, b hunt.Action) bool {
	if a.Application != b.Application || a.Inline != b.Inline || a.Anti != b.Anti {
		return false
	}
	if a.Data == b.Data {
		return true
	}
	if r.renamed([]string{a.Data})[0] != b.Data {
		return false
	}
	r.explain(r.at, Difference{
		What: "call to " + call.Number + ", " + a.Application, Tree: r.Masker.Data(call.Number, a.Application, a.Data), Server: r.Masker.Data(call.Number, b.Application, b.Data),
		Meaning: "the call goes on in a context with another name",
	}, "the context has another name here, as --context says")
	return true
}

// actionsDiffer tells of the first action that differs.
func (r *room) actionsDiffer(call hunt.Call, tree, server []hunt.Action, n int) {
	d := Difference{Tree: shownRun(r.comparison, tree, n), Server: shownRun(r.comparison, server, n), Meaning: "the call would be treated in another way"}
	of := func(actions []hunt.Action) string {
		if len(actions) == 0 {
			return ""
		}
		return actions[min(n, len(actions)-1)].Extension
	}
	switch {
	case len(server) == 0:
		d.Meaning = "the call would be refused"
	case len(tree) == 0:
		d.Meaning = "the call would be taken, which the tree refuses"
	case n == len(server):
		d.Meaning = "the rest of what the tree does would be left out"
	case n == len(tree):
		d.Meaning = "more would be done than the tree says"
	}
	d.Place = r.placeOf(of(tree))
	if name := of(server); name != "" {
		d.Row = "extension " + name
	}
	r.differs(call, fmt.Sprint(of(tree), of(server), n, d.Meaning, applicationOf(tree, n), applicationOf(server, n)), d)
}

func applicationOf(actions []hunt.Action, n int) string {
	if n < len(actions) {
		return actions[n].Application
	}
	return ""
}

// differs adds a difference, or counts it among those that have the same key.
func (r *room) differs(call hunt.Call, key string, d Difference) {
	if i, ok := r.alike[key]; ok {
		r.result.Differences[i].Count++
		return
	}
	d.What = said(call)
	r.found(r.at, d)
	r.alike[key] = len(r.result.Differences) - 1
}

// said is a call in words: what it is besides one from anybody.
func said(call hunt.Call) string {
	words := []string{"call to " + call.Number}
	if address := call.Fields["network_addr"]; address != "192.0.2.99" {
		words = append(words, "from "+address)
	}
	for _, name := range slices.Sorted(maps.Keys(call.Variables)) {
		words = append(words, name+"="+call.Variables[name])
	}
	for _, name := range slices.Sorted(maps.Keys(call.Replies)) {
		words = append(words, "${"+name+"} being "+call.Replies[name])
	}
	return strings.Join(words, ", ")
}

// placeOf is where an extension stands, or else the context.
func (r *room) placeOf(extension string) string {
	if at, ok := r.places[extension]; ok {
		return at
	}
	return r.tree.place()
}

// shownRun is what runs from action n on, as far as it fits a line.
func shownRun(c *comparison, actions []hunt.Action, n int) string {
	const most = 3
	if len(actions) == 0 {
		return "nothing"
	}
	var all []string
	for i := n; i < len(actions) && i < n+most; i++ {
		a := actions[i]
		text := fmt.Sprintf("%s(%s)", a.Application, c.Masker.Data("action", a.Application, a.Data))
		if a.Inline {
			text += " inline"
		}
		if a.Anti {
			text += " as anti-action"
		}
		all = append(all, text)
	}
	if rest := len(actions) - n - most; rest > 0 {
		all = append(all, fmt.Sprintf("%d more", rest))
	}
	if len(all) == 0 {
		return "nothing more"
	}
	return strings.Join(all, ", ")
}

// reach is what ran of an extension.
type reach struct{ action, anti bool }

// unreached tells of the extensions that no call reached, and why that is no fault, if it is known.
func (r *room) unreached(extensions []*node) error {
	at := of{r.at.document, "extensions"}
	for _, e := range extensions {
		name, ok := e.attr("name")
		if !ok {
			name = "UNKNOWN"
		}
		ran := r.reached[r.order[e]]
		if ran.action || !holds(e, "action") && (ran.anti || !holds(e, "anti-action")) {
			continue
		}
		d := Difference{What: "extension " + name, Place: e.place(), Tree: label(e), Meaning: "it is not known what the server does in its place"}
		switch {
		case neverActs(e):
			r.explain(at, d, "it can do nothing: it asks a field that no call has for what it is not")
		case ran.anti:
			r.explain(at, d, "no call was found that makes its conditions true; what it does where they are false is compared")
		case r.reachedAlone(e):
			r.explain(at, d, "no call gets here: an extension before it takes those that it is for")
		default:
			d.Meaning = "no call was found for which it acts, so it is not compared"
			r.found(at, d)
		}
	}
	return nil
}

// holds reports whether an element of a name stands somewhere in n.
func holds(n *node, name string) bool {
	return slices.ContainsFunc(n.children, func(child *node) bool { return child.name == name || holds(child, name) })
}

// neverActs reports whether none of the actions in n can run, since the conditions before them ask a field that no call has for
// something. A file says so with a global variable, to switch an extension off.
func neverActs(n *node) bool {
	for _, condition := range n.all("condition") {
		possible := isPossible(condition)
		if possible && (condition.child("action") != nil || !neverActs(condition)) || condition.child("anti-action") != nil {
			return false
		}
		if rule := strings.ToLower(condition.soft("break")); !possible && rule != "never" && rule != "on-true" {
			return true
		}
	}
	return true
}

// isPossible reports whether a condition may be true for some call.
func isPossible(condition *node) bool {
	l := leafOf(condition)
	_, counts := condition.attr("regex")
	return counts || !l.compares || len(l.times) > 0 || strings.Contains(l.field, "${") || isNumber(l.field) ||
		slices.Contains(callerFields, strings.ToLower(l.field)) || strings.EqualFold(l.field, "context") || takes(l.expression, "")
}

// reachedAlone reports whether one of the calls for an extension reaches it where no other stands.
func (r *room) reachedAlone(e *node) bool {
	alone := &node{name: "section", children: []*node{{name: "context", children: []*node{e}}}}
	alone.attrs = append(alone.attrs, r.tree.attrs...)
	alone.children[0].attrs = r.tree.attrs
	plans, err := r.plansOfTree(alone, map[*node]int{})
	if err != nil {
		return false
	}
	defer plans.Close()
	for _, call := range r.maker.calls(e) {
		if slices.ContainsFunc(plans.Hunt(call).Actions, func(a hunt.Action) bool { return !a.Anti }) {
			return true
		}
	}
	return false
}
