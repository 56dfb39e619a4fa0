package explain

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// countAndName counts what a query finds, and names the first.
const countAndName = `
WITH q AS MATERIALIZED (
	SELECT name
	FROM (%s) q (name)
	LIMIT %d
)
SELECT count(*), array(SELECT name::text FROM q LIMIT %d)
FROM q`

// shownOfAKind is how many of a kind are named.
const shownOfAKind = 10

// way leads from a row to what it reaches.
type way struct {
	by        string      // the row's columns, whose values are $1, $2, … of the queries
	kinds     [][2]string // a kind, and a query of names, which finds its rows by an index, or looks through a table that is small
	documents []string    // that are made of the row
}

// settingsOf leads to the nodes that are told a row in documents.
func settingsOf(documents ...string) way { return way{"node", nodesOf, documents} }

var (
	nodesOf     = [][2]string{{"nodes", `SELECT name FROM node WHERE name <> '*' AND ($1 IN ('*', name))`}}
	ofList      = way{"list", listKinds, []string{"acl.conf"}}
	ofContext   = way{"context", contextKinds, []string{"dialplan"}}
	ofDomain    = way{"domain", domainKinds, []string{"directory"}}
	ofExtension = way{"extension", extensionKinds, []string{"dialplan"}}
	ofGateway   = way{"gateway", gatewayKinds, []string{"sofia.conf"}}
	ofProfile   = way{"profile", profileKinds, []string{"sofia.conf"}}

	listKinds = [][2]string{
		{"entries", `SELECT coalesce(cidr::text, domain) FROM acl_entry WHERE list = $1 ORDER BY id`},
		{"profiles", `SELECT DISTINCT profile FROM sip_profile_param WHERE name LIKE '%acl%' AND split_part(value, ':', 1) = $1`},
	}
	contextKinds = [][2]string{
		{"numbers", `SELECT number FROM number WHERE context = $1`},
		{"extensions", `SELECT extension FROM context_extension WHERE context = $1 ORDER BY position`},
		{"domains", `SELECT name FROM domain WHERE context = $1`},
		{"profiles", `SELECT DISTINCT profile FROM sip_profile_param WHERE name = 'context' AND lower(value) = lower($1)`},
	}
	domainKinds = [][2]string{
		{"users", `SELECT id || '@' || domain FROM domain_user WHERE domain = $1`},
		{"gateways", `SELECT name FROM gateway WHERE domain = $1`},
		{"access lists", `SELECT DISTINCT list FROM acl_entry WHERE domain = $1`},
		{"contexts", `SELECT context FROM domain WHERE name = $1 AND context IS NOT NULL`},
	}
	extensionKinds = [][2]string{
		{"numbers", `SELECT context || ' ' || number FROM number WHERE extension = $1`},
		{"contexts", `SELECT context FROM context_extension WHERE extension = $1`},
		{"contexts that end in it", `SELECT name FROM context WHERE not_found_extension = $1`},
	}
	gatewayKinds = [][2]string{
		{"extensions", `SELECT DISTINCT extension FROM action WHERE data LIKE '%sofia/gateway/' || $1 || '/%'`},
		{"profiles", `SELECT profile FROM gateway WHERE name = $1`},
		{"nodes", `SELECT n.name FROM gateway g JOIN node n ON n.name <> '*' AND (g.node = '*' OR g.node = n.name) WHERE g.name = $1`},
	}
	profileKinds = [][2]string{
		{"gateways", `SELECT name FROM gateway WHERE profile = $1`},
		{"domains", `SELECT name FROM sip_profile_domain WHERE profile = $1`},
		{"nodes", `SELECT n.name FROM sip_profile p JOIN node n ON n.name <> '*' AND (p.node = '*' OR p.node = n.name) WHERE p.name = $1`},
	}
	userKinds = [][2]string{
		{"users", `SELECT id || '@' || domain FROM domain_user WHERE domain = $1 AND id = $2`},
		{"groups", `SELECT group_name FROM domain_group_user WHERE domain = $1 AND user_id = $2`},
		{"gateways", `SELECT name FROM gateway WHERE domain = $1 AND user_id = $2`},
		{"access lists", `SELECT DISTINCT e.list FROM domain_user u JOIN acl_entry e ON e.domain = u.domain
			WHERE u.domain = $1 AND u.id = $2 AND cardinality(u.cidr) > 0`},
	}
	groupKinds = [][2]string{
		{"users", `SELECT user_id || '@' || domain FROM domain_group_user WHERE domain = $1 AND group_name = $2`},
	}
)

// reaches are, for each table whose rows reach FreeSWITCH, the ways from a row of it.
var reaches = map[string][]way{
	"acl_entry":            {ofList, settingsOf()},
	"acl_list":             {{"name", listKinds, []string{"acl.conf"}}},
	"action":               {ofExtension},
	"condition":            {ofExtension},
	"condition_regex":      {ofExtension},
	"context":              {{"name", contextKinds, []string{"dialplan"}}},
	"context_extension":    {ofContext},
	"document":             {settingsOf(), {"section name", [][2]string{{"documents", `SELECT CASE $1 WHEN 'configuration' THEN $2 ELSE $1 || ' ' || $2 END`}}, nil}},
	"domain":               {{"name", domainKinds, []string{"directory"}}},
	"domain_group":         {{"domain name", groupKinds, []string{"directory"}}},
	"domain_group_user":    {{"domain group_name", groupKinds, []string{"directory"}}},
	"domain_param":         {ofDomain},
	"domain_user":          {{"domain id", userKinds, []string{"directory"}}},
	"domain_user_param":    {{"domain user_id", userKinds, []string{"directory"}}},
	"domain_user_variable": {{"domain user_id", userKinds, []string{"directory"}}},
	"domain_variable":      {ofDomain},
	"event_socket_param":   {settingsOf("event_socket.conf")},
	"extension":            {{"name", extensionKinds, []string{"dialplan"}}},
	"gateway":              {{"name", gatewayKinds, []string{"sofia.conf"}}},
	"gateway_param":        {ofGateway},
	"gateway_variable":     {ofGateway},
	"module":               {settingsOf("post_load_modules.conf")},
	"node": {{"name", [][2]string{
		{"gateways", `SELECT name FROM gateway WHERE node = $1`},
		{"profiles", `SELECT name FROM sip_profile WHERE node = $1`},
		{"documents", `SELECT section || ' ' || name FROM document WHERE node = $1`},
		{"settings", `SELECT 'switch_param ' || name FROM switch_param WHERE node = $1 UNION ALL
			SELECT 'switch_variable ' || name FROM switch_variable WHERE node = $1`},
	}, []string{"event_socket.conf", "post_load_switch.conf", "sofia.conf"}}},
	"node_credential": {settingsOf()},
	"number": {{"extension", [][2]string{{"extensions", `SELECT name FROM extension WHERE name = $1`}}, []string{"dialplan"}},
		{"context", [][2]string{
			{"contexts", `SELECT name FROM context WHERE name = $1`},
			{"profiles", `SELECT DISTINCT profile FROM sip_profile_param WHERE name = 'context' AND lower(value) = lower($1)`},
			{"domains", `SELECT name FROM domain WHERE context = $1`},
		}, nil}},
	"sip_profile":        {{"name", profileKinds, []string{"sofia.conf"}}},
	"sip_profile_alias":  {ofProfile},
	"sip_profile_domain": {ofProfile},
	"sip_profile_param":  {ofProfile},
	"sofia_param":        {settingsOf("sofia.conf")},
	"switch_param":       {settingsOf("post_load_switch.conf")},
	"switch_variable":    {settingsOf("post_load_switch.conf")},
	"tenant": {{"name", [][2]string{
		{"numbers", `SELECT context || ' ' || number FROM number WHERE tenant = $1`},
		{"contexts", `SELECT name FROM context WHERE tenant = $1`},
		{"extensions", `SELECT name FROM extension WHERE tenant = $1`},
		{"domains", `SELECT name FROM domain WHERE tenant = $1`},
		{"gateways", `SELECT name FROM gateway WHERE tenant = $1`},
		{"access lists", `SELECT DISTINCT list FROM acl_entry WHERE tenant = $1`},
	}, nil}},
}

// count is how many there are, in words.
func (r Reach) count() string {
	if r.Count > CountedUpTo {
		return fmt.Sprintf("more than %d", CountedUpTo)
	}
	return fmt.Sprint(r.Count)
}

// Tables are those whose rows Reached knows.
func Tables() []string { return slices.Sorted(maps.Keys(reaches)) }

// Reached tells what a row matters to. Key is that of the history, the values of the primary key, separated by blanks; or that of
// a finding, columns with their values: context=public number=+27123456789.
func (e *Explainer) Reached(ctx context.Context, name, key string) (*Explanation, error) {
	ways, ok := reaches[name]
	if !ok {
		return nil, fmt.Errorf("explain row: table is %s; known: %s", name, strings.Join(Tables(), ", "))
	}
	x := &Explanation{Question: fmt.Sprintf("row %s of table %s", key, name), Answer: "there is no such row"}
	columns, values, err := e.keyOf(ctx, name, key)
	if err != nil {
		return nil, err
	}
	for _, w := range ways {
		args, err := e.columnsOf(ctx, name, strings.Fields(w.by), columns, values)
		if err != nil {
			return nil, err
		}
		if args == nil {
			return e.finish(x), nil
		}
		x.Found = true
		e.rows.note(name, key)
		for _, kind := range w.kinds {
			r := Reach{Kind: kind[0]}
			query := fmt.Sprintf(countAndName, kind[1], CountedUpTo+1, shownOfAKind)
			if err := e.tx.QueryRow(ctx, query, args...).Scan(&r.Count, &r.Names); err != nil {
				return nil, fmt.Errorf("explain row: %w", err)
			}
			x.add(r)
		}
		x.add(Reach{"documents", len(w.documents), w.documents})
	}
	var parts []string
	for _, r := range x.Reaches {
		parts = append(parts, r.Kind+" ("+r.count()+")")
	}
	x.Answer = "it reaches " + strings.Join(parts, ", ")
	if len(parts) == 0 {
		x.Answer = "it reaches nothing"
	}
	return e.finish(x), nil
}

// add adds what a row reaches to what it reaches of that kind already.
func (x *Explanation) add(r Reach) {
	if r.Count == 0 {
		return
	}
	i := slices.IndexFunc(x.Reaches, func(known Reach) bool { return known.Kind == r.Kind })
	if i < 0 {
		x.Reaches = append(x.Reaches, r)
		return
	}
	known := &x.Reaches[i]
	known.Count += r.Count
	known.Names = append(known.Names, r.Names...)
}

// keyOf are columns of a table that tell a row from others, and their values.
func (e *Explainer) keyOf(ctx context.Context, name, key string) (columns, values []string, err error) {
	for _, word := range strings.Fields(key) {
		column, value, found := strings.Cut(word, "=")
		if !found {
			columns = nil
			break
		}
		columns, values = append(columns, column), append(values, value)
	}
	if columns != nil {
		return columns, values, nil
	}
	text, _, err := value[string](ctx, e, `SELECT encode(tgargs, 'escape') FROM pg_trigger WHERE tgname = 'record_insert' AND tgrelid = $1::text::regclass`, name)
	columns = strings.Split(strings.TrimSuffix(text, `\000`), `\000`)
	values = strings.SplitN(key, " ", len(columns))
	if err == nil && len(values) < len(columns) {
		err = fmt.Errorf("explain row: the key of %s is %s, and %q is less", name, strings.Join(columns, " "), key)
	}
	return columns, values, err
}

// columnsOf are what a row has in some columns, nil if there is no such row.
func (e *Explainer) columnsOf(ctx context.Context, name string, columns, key, values []string) ([]any, error) {
	var wanted, is []string
	var args []any
	for _, column := range columns {
		wanted = append(wanted, pgx.Identifier{column}.Sanitize()+"::text")
	}
	for i, column := range key {
		is = append(is, fmt.Sprintf("%s = $%d", pgx.Identifier{column}.Sanitize(), i+1))
		args = append(args, values[i])
	}
	query := fmt.Sprintf(`SELECT ARRAY[%s] FROM %s WHERE %s`, strings.Join(wanted, ", "), pgx.Identifier{name}.Sanitize(), strings.Join(is, " AND "))
	// As literals, so that they are of the columns' types.
	found, ok, err := value[[]string](ctx, e, query, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...)
	if !ok || err != nil {
		return nil, err
	}
	args = nil
	for _, one := range found {
		args = append(args, one)
	}
	return args, nil
}
