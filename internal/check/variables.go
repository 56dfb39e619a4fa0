package check

import (
	"fmt"
	"regexp"
	"strings"

	"xmlcurld/internal/hunt"
)

// variable is a variable of a row.
type variable struct {
	Table, Key, Tenant, Name, Value string
	Expand                          bool
}

var globalVariable = regexp.MustCompile(`\$\$\{[A-Za-z0-9_.-]+\}`)

// arrives is the value as FreeSWITCH gets it, but for what it puts in for $${name} itself.
func (v *variable) arrives() string {
	if v.Expand {
		return globalVariable.ReplaceAllString(v.Value, "")
	}
	return v.Value
}

// variableDropped finds variables of calls that FreeSWITCH refuses to set.
func variableDropped(w *world) (found []Finding, err error) {
	all, err := rows[variable](w, `
		SELECT 'gateway_variable', format('gateway=%s name=%s', v.gateway, v.name), coalesce(g.tenant, ''), v.name::text, v.value::text, v.expand
		FROM gateway_variable v
		JOIN gateway g ON g.name = v.gateway
		WHERE v.value LIKE '%$%'
		UNION ALL
		SELECT 'domain_variable', format('domain=%s name=%s', v.domain, v.name), d.tenant, v.name, v.value, v.expand
		FROM domain_variable v
		JOIN domain d ON d.name = v.domain
		WHERE v.value LIKE '%$%'
		UNION ALL
		SELECT 'domain_user_variable', format('domain=%s user_id=%s name=%s', v.domain, v.user_id, v.name), d.tenant, v.name, v.value, v.expand
		FROM domain_user_variable v
		JOIN domain d ON d.name = v.domain
		WHERE v.value LIKE '%$%'`)
	for i := range all {
		if v := &all[i]; hunt.Expands(v.arrives()) {
			found = append(found, place{v.Table, v.Key, v.Tenant}.finding(fmt.Sprintf("FreeSWITCH does not set the variable %s, because its value holds ${.", v.Name),
				"Write the value itself; $${name} of a global variable is replaced where the row has expand."))
		}
	}
	return found, err
}

const switchVariables = `
	SELECT 'switch_variable', format('node=%s name=%s', node, name), '', name, value, expand FROM switch_variable ORDER BY node, name`

// variableAltered finds global variables whose value FreeSWITCH changes: ${ becomes %{, and hostname its own again.
func variableAltered(w *world) (found []Finding, err error) {
	all, err := rows[variable](w, switchVariables)
	for i := range all {
		v := &all[i]
		if strings.EqualFold(v.Name, "hostname") {
			found = append(found, place{v.Table, v.Key, ""}.finding("FreeSWITCH sets the variable hostname to the name of its host again within a minute.",
				"Choose another name for the variable."))
		} else if hunt.Expands(v.arrives()) {
			found = append(found, place{v.Table, v.Key, ""}.finding(fmt.Sprintf("In the global variable %s FreeSWITCH writes %%{ for ${, so that nothing will be expanded in it.", v.Name),
				"Write the value itself, or set a channel variable by an action."))
		}
	}
	return found, err
}

var late = regexp.MustCompile(`[\x01-\x1f\x7f"<>&]|^ | $|^$`)

// variableLate finds global variables that modules find empty at a start, as the schema warns at the edit.
func variableLate(w *world) (found []Finding, err error) {
	all, err := rows[variable](w, switchVariables)
	for i := range all {
		if v := &all[i]; late.MatchString(v.Value) || strings.Contains(v.Value, "$${") && !v.Expand || len(v.Value) > 2000 {
			found = append(found, place{v.Table, v.Key, ""}.finding(fmt.Sprintf("FreeSWITCH has the variable %s only when its modules are loaded: what they read at a start sees it empty.", v.Name),
				`For it to be there in time the value may hold no line end, no " < > or &, no blank at either end, and at most 2000 bytes.`))
		}
	}
	return found, err
}

// restartRequired finds what switches were told and run only after a restart.
func restartRequired(w *world) (found []Finding, err error) {
	all, err := rows[struct {
		Node string
		What []string
	}](w, `SELECT node, restart_required::text[] FROM node_state WHERE restart_required <> '{}' ORDER BY node`)
	for _, n := range all {
		found = append(found, place{"node", "name=" + n.Node, ""}.finding(fmt.Sprintf("Node %s goes on as before until it restarts: %s.", n.Node, list(n.What)),
			"Restart FreeSWITCH, or the profile that is named, when no call is up."))
	}
	return found, err
}
