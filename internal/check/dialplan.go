package check

import (
	"fmt"
	"slices"
	"strings"
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

// loopbackTarget returns where a destination loopback/NUMBER/CONTEXT goes. Without a context it goes to the caller's own, or to
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

// extensionEmpty finds extensions that are used and do nothing. After one that continues others may follow.
func extensionEmpty(w *world) (found []Finding, err error) {
	all, err := rows[struct{ Name, Tenant string }](w, `
		SELECT e.name, coalesce(e.tenant, '')
		FROM extension e
		WHERE e.body IS NULL AND NOT e.continue AND NOT EXISTS (SELECT FROM action a WHERE a.extension = e.name)
			-- Without conditions, as a context's answer, it leaves the end to FreeSWITCH.
			AND (EXISTS (SELECT FROM condition k WHERE k.extension = e.name) OR EXISTS (SELECT FROM number n WHERE n.extension = e.name)
				OR EXISTS (SELECT FROM context_extension x WHERE x.extension = e.name))
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

// menuUnknown finds IVR menus that no stored document has. Where none is stored at all, switches may have them on their own
// disks.
func menuUnknown(w *world) ([]Finding, error) {
	return w.unknownIn("ivr", "IVR menu", "ivr.conf", `
		SELECT x.name
		FROM document d
		CROSS JOIN LATERAL XMLTABLE('/*/menus/menu/@name' PASSING d.body COLUMNS name text PATH '.') x
		WHERE d.section = 'configuration' AND d.name = 'ivr.conf'`)
}

// phraseUnknown finds phrases that no stored language has, as menuUnknown does menus.
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
