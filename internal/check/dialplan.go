package check

import (
	"fmt"
	"slices"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/pcre"
)

// target is where an action sends a call, as it stands in the row: it may hold ${…} or %{…}.
type target struct {
	Number, Context string
	Same            bool // the context is the one that the call is in
}

// fixed reports whether text is what FreeSWITCH gets, whoever calls.
func fixed(text string) bool { return !strings.ContainsAny(text, "$%") }

// target returns where an action sends a call by the XML dialplan. It reports false if it sends it nowhere, or elsewhere.
func (a *action) target() (t target, ok bool) {
	if a.Application != "transfer" && a.Application != "execute_extension" {
		return t, false
	}
	words := a.words()
	other := a.Application == "transfer" && len(words) > 0 && (strings.EqualFold(words[0], "-bleg") || strings.EqualFold(words[0], "-both"))
	if other {
		words = words[1:]
	}
	if len(words) == 0 || strings.Contains(a.Data, "'") || other && len(words) < 3 { // the other leg is in a context of its own
		return t, false
	}
	if len(words) > 1 && !strings.EqualFold(words[1], "XML") {
		return t, false
	}
	if len(words) < 3 {
		return target{Number: words[0], Same: true}, true
	}
	return target{Number: words[0], Context: words[2]}, true
}

// legs are the destinations of a dial string, without the variables before each.
func legs(data string) (all []string) {
	depth, start := 0, 0
	add := func(end int) {
		leg := strings.TrimSpace(data[start:end])
		for len(leg) > 0 && strings.ContainsRune("{[<", rune(leg[0])) {
			end := closing(leg)
			if end < 0 {
				return
			}
			leg = strings.TrimSpace(leg[end+1:])
		}
		if leg != "" {
			all = append(all, leg)
		}
	}
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case strings.IndexByte("{[<", c) >= 0:
			depth++
		case strings.IndexByte("}]>", c) >= 0:
			depth--
		case depth == 0 && (c == ',' || c == '|'):
			add(i)
			start = i + 1
		case depth == 0 && strings.HasPrefix(data[i:], ":_:"):
			add(i)
			start = i + 3
			i += 2
		}
	}
	add(len(data))
	return all
}

// closing is where the bracket that text begins with is closed, below 0 if it is not.
func closing(text string) int {
	depth := 0
	for i := range len(text) {
		if strings.IndexByte("{[<", text[i]) >= 0 {
			depth++
		} else if strings.IndexByte("}]>", text[i]) >= 0 {
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// dialled are the destinations of an action, if it calls any.
func (a *action) dialled() []string {
	if a.Application != "bridge" {
		return nil
	}
	return legs(a.Data)
}

// loopback returns where a destination loopback/NUMBER/CONTEXT goes. Without a context it goes to the caller's own, or to
// default where a call comes from nowhere.
func loopbackTarget(leg string) (t target, ok bool) {
	rest, ok := strings.CutPrefix(leg, "loopback/")
	if !ok || strings.HasPrefix(rest, "app=") {
		return t, false
	}
	parts := strings.SplitN(rest, "/", 3)
	if len(parts) == 3 && !strings.EqualFold(parts[2], "XML") {
		return t, false
	}
	if len(parts) < 2 || parts[1] == "" {
		return target{Number: parts[0], Same: true}, true
	}
	return target{Number: parts[0], Context: parts[1]}, true
}

// targets are all places of the dialplan that an action may send a call to.
func (a *action) targets() (all []target) {
	if t, ok := a.target(); ok {
		all = append(all, t)
	}
	for _, leg := range a.dialled() {
		if t, ok := loopbackTarget(leg); ok {
			all = append(all, t)
		}
	}
	return all
}

// contextUnknown finds contexts that nobody has.
func contextUnknown(w *world) (found []Finding, err error) {
	unknown := func(name string) bool {
		_, ok := w.contexts[table.Fold(name)]
		return name != "" && fixed(name) && !ok
	}
	const remedy = "Name a context of table context, or insert it there."
	for _, a := range w.actions {
		for _, t := range a.targets() {
			if unknown(t.Context) {
				found = append(found, a.finding(fmt.Sprintf("%s goes to context %s, which nobody has.", a.Application, t.Context), remedy))
			}
		}
	}
	for i := range w.profiles {
		for n := range w.nodes {
			p, n := &w.profiles[i], &w.nodes[n]
			if !n.is(p.Node) || !strings.Contains(strings.ToUpper(p.value(n, "dialplan", "XML")), "XML") {
				continue
			}
			all := p.on(n, "context")
			if len(all) == 0 && unknown("default") {
				found = append(found, place{"sip_profile", "name=" + p.Name, ""}.finding(
					fmt.Sprintf("Calls to profile %s come in context default, since it has no parameter context, and nobody has that context.", p.Name),
					"Give it a parameter context, such as public."))
			}
			if len(all) > 0 {
				last := all[len(all)-1]
				if last.literal() && last.Value != "_domain_" && unknown(last.Value) {
					found = append(found, last.place().finding(fmt.Sprintf("Calls to profile %s come in context %s, which nobody has.", p.Name, last.Value), remedy))
				}
			}
		}
	}
	others, err := rows[struct{ Table, Key, Tenant, Name, Context string }](w, `
		SELECT 'gateway_param', format('gateway=%s name=%s', p.gateway, p.name), coalesce(g.tenant, ''), g.name::text, p.value::text
		FROM gateway_param p
		JOIN gateway g ON g.name = p.gateway
		WHERE p.name = 'context' AND g.enabled AND NOT (p.expand AND p.value LIKE '%$${%')
		UNION ALL
		SELECT 'domain_user_variable', format('domain=%s user_id=%s name=%s', v.domain, v.user_id, v.name), d.tenant, v.user_id || '@' || v.domain, v.value::text
		FROM domain_user_variable v
		JOIN domain d ON d.name = v.domain
		WHERE lower(v.name) = 'user_context' AND NOT (v.expand AND v.value LIKE '%$${%')`)
	for _, o := range others {
		if unknown(o.Context) {
			found = append(found, place{o.Table, o.Key, o.Tenant}.finding(fmt.Sprintf("Calls of %s come in context %s, which nobody has.", o.Name, o.Context), remedy))
		}
	}
	return found, err
}

// contextUnentered finds contexts with numbers that no row leads to. A program may transfer calls there by itself.
func contextUnentered(w *world) (found []Finding, err error) {
	leads, err := texts(w, `
		SELECT value FROM sip_profile_param WHERE name = 'context'
		UNION ALL
		SELECT value FROM gateway_param WHERE name = 'context'
		UNION ALL
		SELECT context FROM domain WHERE context IS NOT NULL
		UNION ALL
		SELECT value FROM domain_user_variable WHERE lower(name) = 'user_context'
		UNION ALL
		SELECT value FROM domain_param WHERE name = 'verto-context'
		UNION ALL
		SELECT value FROM domain_user_param WHERE name = 'verto-context'`)
	if err != nil {
		return nil, err
	}
	for _, a := range w.actions {
		for _, t := range a.targets() {
			if !t.Same {
				leads = append(leads, t.Context)
			}
		}
	}
	entered := map[string]bool{"default": true} // where nothing is said
	for _, name := range leads {
		if !fixed(name) || name == "_domain_" {
			return nil, nil // it may be any
		}
		entered[table.Fold(name)] = true
	}
	all, err := rows[struct{ Name, Tenant string }](w, `
		SELECT c.name, coalesce(c.tenant, '')
		FROM context c
		CROSS JOIN LATERAL (SELECT FROM number n WHERE n.context = c.name LIMIT 1) n
		ORDER BY 1`)
	for _, c := range all {
		if !entered[table.Fold(c.Name)] {
			found = append(found, place{"context", "name=" + c.Name, c.Tenant}.finding(
				fmt.Sprintf("No row leads a call to context %s, so that only a program can call its numbers.", c.Name),
				"Name it in parameter context of a profile, in column context of a domain, or in a transfer."))
		}
	}
	return found, err
}

// contextForms finds contexts in which no number can be dialled.
func contextForms(w *world) (found []Finding, err error) {
	all, err := rows[struct{ Name, Tenant string }](w, `
		SELECT c.name, coalesce(c.tenant, '')
		FROM context c
		CROSS JOIN LATERAL (SELECT FROM number n WHERE n.context = c.name AND n.number >= '+' AND n.number < ',' LIMIT 1) n
		WHERE c.number_forms = '{}'`)
	for _, c := range all {
		found = append(found, place{"context", "name=" + c.Name, c.Tenant}.finding(
			fmt.Sprintf("Context %s takes no form of a number, so that none of its numbers with a plus can be called.", c.Name),
			"Set number_forms, as '{plus}'."))
	}
	return found, err
}

// used are the contexts that each of some extensions stands in.
func (w *world) used(extensions []string) (map[string][]string, error) {
	if len(extensions) == 0 {
		return nil, nil
	}
	all, err := rows[struct{ Extension, Context string }](w, `
		SELECT DISTINCT extension::text, context::text FROM number WHERE enabled AND extension = ANY ($1)
		UNION
		SELECT extension, context FROM context_extension WHERE enabled AND extension = ANY ($1)
		UNION
		SELECT not_found_extension, name FROM context WHERE not_found_extension = ANY ($1)
		ORDER BY 1, 2`, extensions)
	in := make(map[string][]string)
	for _, u := range all {
		in[u.Extension] = append(in[u.Extension], u.Context)
	}
	return in, err
}

// route is what the server answers to a call of number in context, on the first node. Nothing of it depends on the node.
func (w *world) route(context, number string) (db.Route, error) {
	a, err := w.rules.Route(w.ctx, db.Call{Node: w.nodes[0].Name, Context: context, Number: number})
	return a.Value, err
}

// mayBe reports whether a call of number in context can reach an extension.
func (w *world) mayBe(context, number string) (bool, error) {
	route, err := w.route(context, number)
	if err != nil || route.Context == "" || route.Called != nil || route.NotFound != nil {
		return true, err
	}
	for _, e := range route.Extensions {
		if !w.refuses(e.Name, number) {
			return true, nil
		}
	}
	return false, nil
}

// refuses reports whether an extension does nothing for a call of number, whatever else there is about the call.
func (w *world) refuses(extension, number string) bool {
	for i := range w.expressions {
		e := &w.expressions[i]
		if e.Extension != extension || e.Field != fieldOfNumber || !e.First || !e.literal() {
			continue
		}
		m, err := pcre.Perform(number, e.Text)
		if err == nil && m == nil {
			return true
		}
	}
	return false
}

// fixedTarget is an action that sends a call to a number which is in the row itself.
type fixedTarget struct {
	*action
	target
}

func (w *world) fixedTargets() (all []fixedTarget, extensions []string) {
	for i := range w.actions {
		a := &w.actions[i]
		for _, t := range a.targets() {
			if !fixed(t.Number) || !t.Same && !fixed(t.Context) || a.Expand && strings.Contains(a.Data, "$${") {
				continue
			}
			all = append(all, fixedTarget{a, t})
			if t.Same {
				extensions = append(extensions, a.Extension)
			}
		}
	}
	return all, extensions
}

// numberUnknown finds transfers to numbers that nobody has.
func numberUnknown(w *world) (found []Finding, err error) {
	targets, extensions := w.fixedTargets()
	used, err := w.used(extensions)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		contexts := []string{t.Context}
		if t.Same {
			contexts = used[t.Extension]
		}
		missing, err := w.missing(t.Number, contexts)
		if err != nil {
			return nil, err
		}
		if len(missing) > 0 {
			found = append(found, t.finding(fmt.Sprintf("%s goes to %s, which nobody has in context %s.", t.Application, t.Number, list(missing)),
				"Give somebody the number there, or name another."))
		}
	}
	forwarded, err := w.forwardedNowhere()
	return append(found, forwarded...), err
}

// missing are those of some contexts in which nobody can have a number.
func (w *world) missing(number string, contexts []string) (some []string, err error) {
	for _, context := range contexts {
		name, known := w.contexts[table.Fold(context)]
		if !known {
			continue
		}
		may, err := w.mayBe(name, number)
		if err != nil {
			return nil, err
		}
		if !may {
			some = append(some, name)
		}
	}
	return some, nil
}

// forwardedNowhereQuery asks for numbers whose extension transfers them to a number that is in no row: the extensions $1, which
// transfer to $2 in context $3, where empty is the same. Contexts $4 may have it anyhow.
const forwardedNowhereQuery = `
	SELECT l.context, l.number, l.tenant, l.target, l.name
	FROM (
		SELECT n.context::text, n.number::text, n.tenant::text, t.number AS target, c.name, c.number_forms
		FROM unnest($1::text[], $2::text[], $3::text[]) x (extension, number, context)
		JOIN number n ON n.extension = x.extension
		CROSS JOIN LATERAL (
			SELECT
				replace(replace(replace(x.number, '%{forward_number}', coalesce(n.forward_number, '')), '%{number}', n.number), '%{tenant}', n.tenant),
				coalesce(nullif(replace(x.context, '%{tenant}', n.tenant), ''), n.context)
		) t (number, context)
		JOIN context c ON lower(c.name) = lower(t.context)
		WHERE n.enabled
			AND NOT c.name = ANY ($4)
			AND NOT EXISTS (SELECT FROM number o WHERE o.context = c.name AND o.number = t.number AND o.enabled)
		ORDER BY n.context, n.number
		OFFSET 0
	) l
	WHERE NOT EXISTS (SELECT FROM number o WHERE o.context = l.name AND o.number = whole_number(l.target, l.number_forms) AND o.enabled)
	LIMIT 1000`

// forwardedNowhere finds numbers whose own values send their calls to a number that nobody has.
func (w *world) forwardedNowhere() (found []Finding, err error) {
	var extensions, numbers, contexts []string
	for _, a := range w.actions {
		for _, t := range a.targets() {
			if strings.Contains(t.Number+t.Context, "%{") && !strings.Contains(t.Number+t.Context, "$") {
				extensions, numbers, contexts = append(extensions, a.Extension), append(numbers, t.Number), append(contexts, t.Context)
			}
		}
	}
	if len(extensions) == 0 {
		return nil, nil
	}
	open, err := w.openContexts()
	if err != nil {
		return nil, err
	}
	all, err := rows[struct{ Context, Number, Tenant, Target, In string }](w, forwardedNowhereQuery, extensions, numbers, contexts, open)
	if err != nil {
		return nil, err
	}
	for _, n := range all {
		may, err := w.mayBe(n.In, n.Target)
		if err != nil {
			return nil, err
		}
		if !may {
			found = append(found, numberPlace(n.Context, n.Number, n.Tenant).finding(
				fmt.Sprintf("Calls to %s go on to %s, which nobody has in context %s.", n.Number, n.Target, n.In), "Set forward_number to a number that somebody has there."))
		}
	}
	return found, nil
}

func numberPlace(context, number, tenant string) place {
	return place{"number", fmt.Sprintf("context=%s number=%s", context, number), tenant}
}

// openContexts are those that have an answer for numbers which are in no row, or may have one.
func (w *world) openContexts() ([]string, error) {
	all, err := rows[struct{ Context, Extension string }](w, `
		SELECT context, extension FROM context_extension WHERE enabled
		UNION ALL
		SELECT name, not_found_extension FROM context WHERE not_found_extension IS NOT NULL`)
	open := []string{}
	for _, x := range all {
		if !slices.ContainsFunc(w.expressions, func(e expression) bool {
			return e.Extension == x.Extension && e.Field == fieldOfNumber && e.First && e.literal()
		}) {
			open = append(open, x.Context)
		}
	}
	return open, err
}

// quick are the applications that end by themselves at once, so that the next action always follows.
var quick = []string{"answer", "eval", "event", "export", "info", "log", "multiset", "multiunset", "pre_answer", "presence", "push", "ring_ready",
	"session_loglevel", "set", "set_profile_var", "unset", "unshift", "verbose_events"}

// certain is the action of each extension that transfers every call of it, if there is one: before all conditions, with nothing
// before it that takes time.
func (w *world) certain() map[string]*action {
	all, stopped := make(map[string]*action), make(map[string]bool)
	for i := range w.actions { // in order
		a := &w.actions[i]
		if a.Condition != 0 || a.Anti || stopped[a.Extension] {
			continue
		}
		if _, ok := a.target(); ok && a.Application == "transfer" && !strings.HasPrefix(a.Data, "-") {
			all[a.Extension] = a
		}
		stopped[a.Extension] = !slices.Contains(quick, a.Application)
	}
	return all
}

// transferLoop finds numbers that are transferred in a circle.
func transferLoop(w *world) (found []Finding, err error) {
	certain := w.certain()
	starts, err := w.loopStarts(certain)
	if err != nil {
		return nil, err
	}
	for _, start := range starts {
		path, err := w.circle(certain, start)
		if err != nil {
			return nil, err
		}
		if path != nil {
			found = append(found, numberPlace(start.Context, start.Number, start.Tenant).finding(
				fmt.Sprintf("Calls to %s are transferred in a circle, until FreeSWITCH ends them after 70 transfers: %s.", start.Number, strings.Join(path, ", ")),
				"Let one of these numbers have an extension that answers."))
		}
	}
	return found, nil
}

// called is a number that somebody has.
type called struct{ Context, Number, Tenant string }

// loopStartsQuery asks for numbers whose extension, one of $1, transfers them to $2 in context $3, where a number is that has
// one of these extensions, too.
const loopStartsQuery = `
	SELECT n.context::text, n.number::text, n.tenant::text
	FROM unnest($1::text[], $2::text[], $3::text[]) x (extension, number, context)
	JOIN number n ON n.extension = x.extension
	CROSS JOIN LATERAL (
		SELECT
			replace(replace(replace(x.number, '%{forward_number}', coalesce(n.forward_number, '')), '%{number}', n.number), '%{tenant}', n.tenant),
			coalesce(nullif(replace(x.context, '%{tenant}', n.tenant), ''), n.context)
	) t (number, context)
	JOIN context c ON lower(c.name) = lower(t.context)
	JOIN number o ON o.context = c.name AND o.number = t.number
	WHERE n.enabled AND o.enabled AND o.extension = ANY ($1)
	ORDER BY n.context, n.number
	LIMIT 1000`

func (w *world) loopStarts(certain map[string]*action) ([]called, error) {
	var extensions, numbers, contexts []string
	for extension, a := range certain {
		if t, _ := a.target(); !strings.Contains(t.Number+t.Context, "$") {
			extensions, numbers, contexts = append(extensions, extension), append(numbers, t.Number), append(contexts, t.Context)
		}
	}
	if len(extensions) == 0 {
		return nil, nil
	}
	return rows[called](w, loopStartsQuery, extensions, numbers, contexts)
}

// circle follows the transfers of a number. It returns the numbers on the way if they lead back to it, nil otherwise.
func (w *world) circle(certain map[string]*action, start called) (path []string, err error) {
	const most = 70 // max_forwards
	context, number := start.Context, start.Number
	for len(path) < most {
		route, err := w.route(context, number)
		if err != nil || route.Called == nil || len(route.Extensions) != 1 {
			return nil, err
		}
		if len(path) > 0 && route.Context == start.Context && route.Called.Number == start.Number {
			return append(path, route.Called.Number), nil
		}
		path = append(path, route.Called.Number)
		a := certain[route.Extensions[0].Name]
		if a == nil {
			return nil, nil
		}
		t, _ := a.target()
		number = filled(t.Number, route.Called)
		if !t.Same {
			context = filled(t.Context, route.Called)
		}
		if strings.Contains(number+context, "$") {
			return nil, nil
		}
	}
	return nil, nil
}

// filled is text with the values of a number.
func filled(text string, n *db.Number) string {
	return strings.NewReplacer("%{forward_number}", n.ForwardNumber, "%{number}", n.Number, "%{tenant}", n.Tenant).Replace(text)
}

// numberRefused finds numbers whose own extension has a condition on the dialled number that they never fulfil.
func numberRefused(w *world) (found []Finding, err error) {
	var extensions []string
	for _, e := range w.expressions {
		if e.First && e.Field == fieldOfNumber && e.literal() && !slices.Contains(extensions, e.Extension) {
			extensions = append(extensions, e.Extension)
		}
	}
	if len(extensions) == 0 {
		return nil, nil
	}
	all, err := rows[struct {
		Context, Number, Tenant, Extension string
		Forms                              []string
	}](w, `
		SELECT n.context, n.number, n.tenant, n.extension, c.number_forms::text[]
		FROM number n
		JOIN context c ON c.name = n.context
		WHERE n.enabled AND n.extension = ANY ($1)
		ORDER BY n.context, n.number
		LIMIT 10000`, extensions)
	for _, n := range all {
		if !slices.ContainsFunc(dialledForms(n.Number, n.Forms), func(form string) bool { return !w.refuses(n.Extension, form) }) {
			found = append(found, numberPlace(n.Context, n.Number, n.Tenant).finding(
				fmt.Sprintf("Extension %s has a condition on the dialled number that %s does not fulfil.", n.Extension, n.Number),
				"Choose another extension for the number, or change the condition."))
		}
	}
	return found, err
}

// dialledForms are the forms in which a number may be dialled in a context.
func dialledForms(number string, forms []string) (all []string) {
	digits, whole := strings.CutPrefix(number, "+")
	if !whole {
		return []string{number}
	}
	for _, form := range forms {
		all = append(all, map[string]string{"plus": number, "bare": digits, "00": "00" + digits}[form])
	}
	return all
}

// extensionEmpty finds extensions that are used and do nothing. After one that continues others may follow.
func extensionEmpty(w *world) (found []Finding, err error) {
	all, err := rows[struct{ Name, Tenant string }](w, `
		SELECT e.name, coalesce(e.tenant, '')
		FROM extension e
		WHERE e.body IS NULL AND NOT e.continue AND NOT EXISTS (SELECT FROM action a WHERE a.extension = e.name)
		ORDER BY e.name`)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name)
	}
	used, err := w.used(names)
	for _, e := range all {
		if contexts := used[e.Name]; len(contexts) > 0 {
			found = append(found, place{"extension", "name=" + e.Name, e.Tenant}.finding(
				fmt.Sprintf("Extension %s has no action, so that its calls in context %s end without an answer.", e.Name, list(contexts)),
				"Give it an action, such as answer."))
		}
	}
	return found, err
}

// menuUnknown finds IVR menus that no stored document has, and phraseUnknown phrases. Where none is stored at all, switches may
// have them on their own disks.
func menuUnknown(w *world) ([]Finding, error) {
	return w.unknownIn("ivr", "IVR menu", "ivr.conf", `
		SELECT x.name
		FROM document d
		CROSS JOIN LATERAL XMLTABLE('/*/menus/menu/@name' PASSING d.body COLUMNS name text PATH '.') x
		WHERE d.section = 'configuration' AND d.name = 'ivr.conf'`)
}

func phraseUnknown(w *world) ([]Finding, error) {
	return w.unknownIn("phrase", "phrase", "a language", `
		SELECT x.name
		FROM document d
		CROSS JOIN LATERAL XMLTABLE('/*//macro/@name' PASSING d.body COLUMNS name text PATH '.') x
		WHERE d.section = 'languages'`)
}

// unknownIn finds actions of an application whose first word is none of the names that query asks for, if there are any.
func (w *world) unknownIn(application, kind, where, query string) (found []Finding, err error) {
	known, err := texts(w, query)
	if len(known) == 0 {
		return nil, err
	}
	for _, a := range w.actions {
		name, _, _ := strings.Cut(a.Data, ",")
		if words := strings.Fields(name); a.Application == application && len(words) == 1 && fixed(words[0]) &&
			!slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, words[0]) }) {
			found = append(found, a.finding(fmt.Sprintf("Table document holds no %s %s.", kind, words[0]), fmt.Sprintf("Name one of %s, or add it there.", where)))
		}
	}
	return found, nil
}

// extensionHidden finds extensions of a context that are never asked for a number which nobody has, because one before them
// takes every call.
func extensionHidden(w *world) (found []Finding, err error) {
	all, err := rows[struct{ Context, Extension, Tenant, By string }](w, `
		SELECT x.context, x.extension, coalesce(c.tenant, ''), h.extension
		FROM context_extension x
		JOIN extension own ON own.name = x.extension
		JOIN context c ON c.name = x.context
		CROSS JOIN LATERAL (
			SELECT b.extension
			FROM context_extension b
			JOIN extension e ON e.name = b.extension
			WHERE b.context = x.context AND b.enabled AND (b.position, b.extension) < (x.position, x.extension)
				AND NOT e.continue AND e.body IS NULL
				AND EXISTS (SELECT FROM action a WHERE a.extension = e.name)
				AND NOT EXISTS (SELECT FROM condition k WHERE k.extension = e.name)
			ORDER BY b.position, b.extension
			LIMIT 1
		) h
		WHERE x.enabled AND NOT own.continue AND NOT x.after_number
		ORDER BY 1, 2`)
	for _, x := range all {
		found = append(found, place{"context_extension", fmt.Sprintf("context=%s extension=%s", x.Context, x.Extension), x.Tenant}.finding(
			fmt.Sprintf("Extension %s of context %s is never asked: %s stands before it and takes every call.", x.Extension, x.Context, x.By),
			"Give it a smaller position, or give the other one a condition or continue."))
	}
	return found, err
}
