package check

import (
	"fmt"
	"slices"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/pcre"
)

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

// transferred are the numbers n whose extensions, $1, transfer them to $2 in context $3, where empty is the same, with where each
// gets: number t in context c.
const transferred = `
	FROM unnest($1::text[], $2::text[], $3::text[]) x (extension, number, context)
	JOIN number n ON n.extension = x.extension
	CROSS JOIN LATERAL (
		SELECT
			replace(replace(replace(x.number, '%{forward_number}', coalesce(n.forward_number, '')), '%{number}', n.number), '%{tenant}', n.tenant),
			coalesce(nullif(replace(x.context, '%{tenant}', n.tenant), ''), n.context)
	) t (number, context)
	JOIN context c ON lower(c.name) = lower(t.context)`

// forwardedNowhereQuery asks for numbers whose extension transfers them to a number that is in no row: the extensions $1, which
// transfer to $2 in context $3, where empty is the same. Contexts $4 may have it anyhow.
const forwardedNowhereQuery = `
	SELECT l.context, l.number, l.tenant, l.target, l.name
	FROM (
		SELECT n.context::text, n.number::text, n.tenant::text, t.number AS target, c.name, c.number_forms` + transferred + `
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
	SELECT n.context::text, n.number::text, n.tenant::text` + transferred + `
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
