package check

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed parameters.txt
var parametersText string

// freeSWITCH is the version whose words these are.
const freeSWITCH = "FreeSWITCH 1.11"

// parameters are the names that FreeSWITCH knows, by the table that they stand in; directory for those of domains and users.
func parameters() map[string][]string {
	all := make(map[string][]string)
	for _, line := range lines(parametersText) {
		where, name, _ := strings.Cut(line, " ")
		all[where] = append(all[where], name)
	}
	return all
}

const parametersQuery = `
	SELECT 'switch_param', 'switch_param', format('node=%s name=%s', node, name), '', name FROM switch_param
	UNION ALL
	SELECT 'sofia_param', 'sofia_param', format('node=%s name=%s', node, name), '', name FROM sofia_param
	UNION ALL
	SELECT 'event_socket_param', 'event_socket_param', format('node=%s name=%s', node, name), '', name FROM event_socket_param
	UNION ALL
	SELECT 'sip_profile_param', 'sip_profile_param', format('profile=%s node=%s name=%s position=%s', profile, node, name, position), '', name FROM sip_profile_param
	UNION ALL
	SELECT 'directory', 'domain_param', format('domain=%s name=%s', p.domain, p.name), d.tenant, p.name
	FROM domain_param p
	JOIN domain d ON d.name = p.domain
	UNION ALL
	SELECT 'directory', 'domain_user_param', format('domain=%s user_id=%s name=%s', p.domain, p.user_id, p.name), d.tenant, p.name
	FROM domain_user_param p
	JOIN domain d ON d.name = p.domain`

// parameterUnknown finds parameters that FreeSWITCH ignores. What a domain or a user holds may be for a script or another
// module, so there only a name that is almost a known one counts.
func parameterUnknown(w *world) (found []Finding, err error) {
	known := parameters()
	if known["sip_profile_param"], err = texts(w, `SELECT unnest(known_words('profile parameter'))`); err != nil {
		return nil, err
	}
	all, err := rows[struct{ Where, Table, Key, Tenant, Name string }](w, parametersQuery)
	for _, p := range all {
		words := known[p.Where]
		name := p.Name
		if p.Where != "event_socket_param" { // there FreeSWITCH minds case
			name = strings.ToLower(name)
		}
		if slices.Contains(words, name) {
			continue
		}
		near := 1 + len(name)/4
		if p.Where == "directory" {
			near = 1 + len(name)/8
		}
		like := nearest(name, words, near)
		if like == "" && p.Where == "directory" {
			continue
		}
		remedy := "Delete the row, unless a module that is not FreeSWITCH's own knows it."
		if like != "" {
			remedy = fmt.Sprintf("Write %s, if that is meant.", like)
		}
		found = append(found, place{p.Table, p.Key, p.Tenant}.finding(fmt.Sprintf("%s knows no parameter %s here, and ignores it.", freeSWITCH, p.Name), remedy))
	}
	return found, err
}

// wordUnknown returns a check of what actions and conditions name.
func wordUnknown(kind, consequence string, named func(w *world) ([]place, []string)) func(*world) ([]Finding, error) {
	return func(w *world) (found []Finding, err error) {
		known, err := texts(w, `SELECT unnest(known_words($1))`, kind)
		if err != nil {
			return nil, err
		}
		places, names := named(w)
		for i, name := range names {
			if name == "" || strings.Contains(name, "$") || slices.Contains(known, strings.ToLower(name)) {
				continue
			}
			remedy := "Nothing, if a module that is not FreeSWITCH's own has it."
			if like := nearest(strings.ToLower(name), known, 1+len(name)/4); like != "" {
				remedy = fmt.Sprintf("Write %s, if that is meant.", like)
			}
			found = append(found, places[i].finding(fmt.Sprintf("%s knows no %s %s: %s.", freeSWITCH, kind, name, consequence), remedy))
		}
		return found, nil
	}
}

func applications(w *world) (places []place, names []string) {
	for _, a := range w.actions {
		if !strings.HasPrefix(a.Application, "skinny-") { // words of mod_skinny's, and no applications
			places, names = append(places, a.place), append(names, a.Application)
		}
	}
	return places, names
}

func fields(w *world) (places []place, names []string) {
	for _, e := range w.expressions {
		places, names = append(places, e.place), append(names, e.Field)
	}
	return places, names
}

// nearest is the word that name is most like, nothing if none is as near as that many letters.
func nearest(name string, words []string, near int) (like string) {
	least := near + 1
	for _, word := range words {
		if d := distance(name, word, least); d < least {
			like, least = word, d
		}
	}
	return like
}

// distance is how many letters are to be changed, put in or taken out to make one word of the other; most, if not fewer.
func distance(a, b string, most int) int {
	if abs := len(a) - len(b); abs >= most || -abs >= most {
		return most
	}
	before := make([]int, len(b)+1)
	for j := range before {
		before[j] = j
	}
	for i := range len(a) {
		now := []int{i + 1}
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			now = append(now, min(before[j+1]+1, now[j]+1, before[j]+change))
		}
		before = now
	}
	return min(before[len(b)], most)
}
