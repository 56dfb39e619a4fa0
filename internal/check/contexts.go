package check

import (
	"fmt"
	"strings"

	"xmlcurld/db/table"
)

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
		CROSS JOIN LATERAL (SELECT FROM number n WHERE n.context = c.name ORDER BY n.context, n.number LIMIT 1) n
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
