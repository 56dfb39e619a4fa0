package table

import "strings"

// Separator stands between parts of keys and of values. No value holds it.
const Separator = "\x1f"

// UserColumns is how many columns stand in a user's row before its params and variables.
const UserColumns = 10

// Common is the name of the row in table node that holds what is common to all nodes.
const Common = "*"

// The tables whose rows make answers, by the names that Rows knows them by.
const (
	Node             = "node"
	Tenant           = "tenant"
	Context          = "context" // with the extensions of table context_extension
	Extension        = "extension"
	Number           = "number"      // those that are enabled, by context and number
	Domain           = "domain"      // with params and variables
	User             = "domain_user" // those that are enabled, by domain and id, with params and variables
	Group            = "domain_group_user"
	Profile          = "sip_profile" // with params, aliases and domains
	Gateway          = "gateway"     // by name in lower case, with params and variables
	SofiaParam       = "sofia_param"
	ACLList          = "acl_list"
	ACLEntry         = "acl_entry" // those that are enabled, by id
	Module           = "module"
	SwitchParam      = "switch_param"
	SwitchVariable   = "switch_variable"
	EventSocketParam = "event_socket_param"
	Document         = "document"
	Credential       = "node_credential"
)

// The indexes of table domain_user.
const (
	AliasIndex   = "domain_user number_alias" // ids of users by domain and number_alias
	NetworkIndex = "domain_user cidr"         // networks, separated by commas, of the users who have any, by domain and id
)

// Table is a table whose rows are held as keys and values. Rows of other tables may be parts of its rows, as parameters are of
// a gateway.
type Table struct {
	Name string
	// Noted are the tables whose changes are changes of this one's rows. Where Some is set they are noted by the same keys.
	Noted []string
	// Some narrows All to rows whose keys are among $1, in the scopes $2 if it is Scoped. Empty: a change is one of all rows.
	Some   string
	Scoped bool
	// Order orders All by the keys, for a Table that is Large.
	Order string
	// Large says that there may be too many rows to read them again for one change.
	Large bool
	// Index returns what a row adds to the Indexes of the table.
	Index   func(key string, value []byte) []IndexRow
	Indexes []string

	columns string // key and value
	from    string // with the alias that columns and conditions use
	where   string // what a row must be to be held; empty: any
	folded  bool   // keys are in lower case
}

// All is the query for all rows, as keys and values. A further condition may follow.
func (t *Table) All() string { return "SELECT " + t.columns + " FROM " + t.from + " WHERE " + t.held() }

func (t *Table) held() string {
	if t.where == "" {
		return "true"
	}
	return t.where
}

// Names are the table's own and those of its indexes.
func (t *Table) Names() []string { return append([]string{t.Name}, t.Indexes...) }

// Key returns the key of a row whose change was noted with scope and key.
func (t *Table) Key(scope, key string) string {
	if t.folded {
		key = Fold(key)
	}
	if t.Scoped {
		return scope + Separator + key
	}
	return key
}

// All are all tables.
var All = []*Table{
	{Name: Node, Noted: []string{"node"}, from: "node n", columns: `
	n.name,
	convert_to(json_build_object(
		'local_ip', host(n.local_ip),
		'external_ip', host(n.external_ip),
		'settings', ARRAY(
			SELECT json_build_object('name', v.name, 'value', v.value)
			FROM (VALUES
				('rtp-start-port', lower(n.rtp_port)::text),
				('rtp-end-port', (upper(n.rtp_port) - 1)::text),
				('max-sessions', n.max_sessions::text),
				('sessions-per-second', n.sessions_per_second::text),
				('loglevel', n.loglevel::text),
				('api-expansion', n.api_expansion::text)
			) v (name, value)
			WHERE v.value IS NOT NULL
		),
		'event_socket', ARRAY(
			SELECT json_build_object('name', v.name, 'value', v.value)
			FROM (VALUES
				('listen-ip', host(n.event_socket_ip)),
				('listen-port', n.event_socket_port::text),
				('password', coalesce(n.event_socket_password, n.event_socket_password_from)),
				('apply-inbound-acl', n.event_socket_acl)
			) v (name, value)
			WHERE v.value IS NOT NULL
		),
		'reference', n.event_socket_password_from,
		'key', n.revision_key
	)::text, 'UTF8')`},
	{Name: Tenant, Noted: []string{"tenant"}, Some: "t.name = ANY ($1)", from: "tenant t", columns: `
	t.name,
	convert_to(t.enabled::text, 'UTF8')`},
	{Name: Context, Noted: []string{"context", "context_extension"}, from: "context c", columns: `
	lower(c.name),
	convert_to(json_build_object(
		'name', c.name,
		'tenant', c.tenant,
		'number_forms', c.number_forms,
		'extensions', ARRAY(
			SELECT json_build_object('name', x.extension, 'before', x.before_number, 'after', x.after_number)
			FROM context_extension x
			WHERE x.context = c.name AND x.enabled
			ORDER BY x.position, x.extension
		),
		'not_found', c.not_found_extension
	)::text, 'UTF8')`},
	{Name: Extension, Noted: []string{"extension"}, Some: "x.name = ANY ($1)", from: "extension x", columns: `
	x.name,
	convert_to(concat_ws(E'\x1f', coalesce(x.tenant, ''), x.compiled::text), 'UTF8')`},
	{Name: Number, Noted: []string{"number"}, Some: "(n.context, n.number) IN (SELECT * FROM unnest($2::text[], $1::text[]))", Scoped: true, Large: true,
		Order: " ORDER BY n.context, n.number", from: "number n", where: "n.enabled", columns: `
	n.context || E'\x1f' || n.number,
	convert_to(concat_ws(E'\x1f',
		n.tenant, n.extension, coalesce(n.address, ''), coalesce(n.forward_number, ''), coalesce(n.display_name, '')), 'UTF8')`},
	{Name: Domain, Noted: []string{"domain", "domain_param", "domain_variable"}, Some: "d.name = ANY ($1)", from: "domain d", columns: `
	d.name,
	convert_to(json_build_object(
		'name', d.name,
		'tenant', d.tenant,
		'enabled', d.enabled,
		'dial_string', d.dial_string,
		'context', d.context,
		'cacheable', d.cacheable,
		'params', ARRAY(
			SELECT ` + settingObject + `
			FROM domain_param s
			WHERE s.domain = d.name
			ORDER BY s.name
		),
		'variables', ARRAY(
			SELECT ` + settingObject + `
			FROM domain_variable s
			WHERE s.domain = d.name
			ORDER BY s.name
		)
	)::text, 'UTF8')`},
	{Name: User, Noted: []string{"domain_user", "domain_user_param", "domain_user_variable"},
		Some: "(u.domain, u.id) IN (SELECT * FROM unnest($2::text[], $1::text[]))", Scoped: true, Large: true,
		Order: " ORDER BY u.domain, u.id", Indexes: []string{AliasIndex, NetworkIndex}, Index: indexUser, from: "domain_user u", where: "u.enabled", columns: `
	u.domain || E'\x1f' || u.id,
	convert_to(concat_ws(E'\x1f',
		coalesce(u.number_alias, ''), coalesce(u.password, ''), coalesce(u.a1_hash, ''), coalesce(u.vm_password, ''),
		coalesce(u.caller_id_name, ''), coalesce(u.caller_id_number, ''), coalesce(array_to_string(u.cidr, ','), ''),
		u.login, coalesce(u.body::text, ''), u.expand,
		(
			SELECT string_agg(concat_ws(E'\x1f', 'param', s.name, s.value, s.expand), E'\x1f' ORDER BY s.name)
			FROM domain_user_param s
			WHERE s.domain = u.domain AND s.user_id = u.id
		), (
			SELECT string_agg(concat_ws(E'\x1f', 'variable', s.name, s.value, s.expand), E'\x1f' ORDER BY s.name)
			FROM domain_user_variable s
			WHERE s.domain = u.domain AND s.user_id = u.id
		)
	), 'UTF8')`},
	{Name: Group, Noted: []string{"domain_group_user"}, Some: "d.name = ANY ($1)", from: "domain d", where: `EXISTS (
		SELECT FROM domain_group_user WHERE domain = d.name
	)`, columns: `
	d.name,
	convert_to((
		SELECT json_agg(json_build_object('name', g.name, 'users', g.users) ORDER BY g.name)
		FROM (
			SELECT m.group_name AS name, array_agg(m.user_id ORDER BY m.position, m.user_id) AS users
			FROM domain_group_user m
			WHERE m.domain = d.name
			GROUP BY m.group_name
		) g
	)::text, 'UTF8')`},
	{Name: Profile, Noted: []string{"sip_profile", "sip_profile_param", "sip_profile_alias", "sip_profile_domain"}, from: "sip_profile p", columns: `
	p.name,
	convert_to(json_build_object(
		'node', p.node,
		'enabled', p.enabled,
		'params', ARRAY(
			SELECT json_build_object('node', s.node, 'name', s.name, 'value', s.value, 'expand', s.expand)
			FROM sip_profile_param s
			WHERE s.profile = p.name
			ORDER BY s.name, s.position
		),
		'aliases', ARRAY(
			SELECT a.name
			FROM sip_profile_alias a
			WHERE a.profile = p.name
			ORDER BY a.name
		),
		'domains', ARRAY(
			SELECT json_build_object('name', d.name, 'alias', d.alias, 'parse', d.parse)
			FROM sip_profile_domain d
			WHERE d.profile = p.name
			ORDER BY d.name
		)
	)::text, 'UTF8')`},
	{Name: Gateway, Noted: []string{"gateway", "gateway_param", "gateway_variable"}, Some: "g.name = ANY ($1)", folded: true,
		from: "gateway g", where: "g.enabled", columns: `
	lower(g.name),
	convert_to(json_build_object(
		'name', g.name,
		'profile', g.profile,
		'node', g.node,
		'tenant', g.tenant,
		'domain', g.domain,
		'user', g.user_id,
		'columns', ARRAY[
			coalesce(g.username, ''), coalesce(g.password, ''), coalesce(g.proxy, ''), coalesce(g.realm, ''),
			g.register::text, g.caller_id_in_from::text
		],
		'revision', g.revision::text,
		'reference', g.password_from,
		'key', g.revision_key,
		'settings', ARRAY(
			SELECT json_build_object('kind', s.kind, 'name', s.name, 'value', s.value, 'expand', s.expand, 'direction', s.direction)
			FROM (
				SELECT 'param' AS kind, name, value, expand, '' AS direction
				FROM gateway_param
				WHERE gateway = g.name
				UNION ALL
				SELECT 'variable', name, value, expand, direction
				FROM gateway_variable
				WHERE gateway = g.name
			) s
			ORDER BY s.kind, s.name
		)
	)::text, 'UTF8')`},
	{Name: SofiaParam, Noted: []string{"sofia_param"}, from: "sofia_param s", columns: nodeSettingColumns},
	{Name: ACLList, Noted: []string{"acl_list"}, from: "acl_list l", columns: `
	l.name,
	convert_to(l.default_action, 'UTF8')`},
	{Name: ACLEntry, Noted: []string{"acl_entry"}, Some: "e.id = ANY ($1::text[]::bigint[])", from: "acl_entry e", where: "e.enabled", columns: `
	e.id::text,
	convert_to(concat_ws(E'\x1f',
		e.list, e.node, e.action, coalesce(e.tenant, ''), coalesce(e.cidr::text, ''), coalesce(e.domain, ''),
		coalesce(lower(e.port), 0), coalesce(upper(e.port) - 1, 0)), 'UTF8')`},
	{Name: Module, Noted: []string{"module"}, from: "module m", columns: `
	m.node || E'\x1f' || m.name,
	convert_to(json_build_object('position', m.position, 'enabled', m.enabled)::text, 'UTF8')`},
	{Name: SwitchParam, Noted: []string{"switch_param"}, from: "switch_param s", columns: nodeSettingColumns},
	{Name: SwitchVariable, Noted: []string{"switch_variable"}, from: "switch_variable s", columns: nodeSettingColumns},
	{Name: EventSocketParam, Noted: []string{"event_socket_param"}, from: "event_socket_param s", columns: nodeSettingColumns},
	{Name: Document, Noted: []string{"document"}, from: "document d", columns: `
	concat_ws(E'\x1f', d.section, d.name, d.node),
	convert_to(concat_ws(E'\x1f', d.expand, d.body::text), 'UTF8')`},
	{Name: Credential, Noted: []string{"node_credential"}, from: "node_credential c", columns: `
	c.username,
	convert_to(concat_ws(E'\x1f', c.node, c.password_hash, c.enabled), 'UTF8')`},
}

// settingObject is a param or a variable s, as JSON.
const settingObject = `json_build_object('name', s.name, 'value', s.value, 'expand', s.expand)`

const nodeSettingColumns = `
	s.node || E'\x1f' || s.name,
	convert_to(concat_ws(E'\x1f', s.expand, s.value), 'UTF8')`

// tableOf returns the table of a name.
func tableOf(name string) *Table {
	for _, t := range All {
		if t.Name == name {
			return t
		}
	}
	panic("no table " + name) // a mistake in this package
}

// Noted are the tables of Postgres whose changes are noted for All.
func Noted() (names []string) {
	for _, t := range All {
		names = append(names, t.Noted...)
	}
	return names
}

// IndexRow is a row of an index.
type IndexRow struct{ Index, Key, Value string }

// indexUser puts a user under its alias, and among those with networks.
func indexUser(key string, value []byte) (rows []IndexRow) {
	fields := strings.SplitN(string(value), Separator, UserColumns+1)
	if len(fields) < UserColumns {
		return nil
	}
	domain, id, _ := strings.Cut(key, Separator)
	if alias := fields[0]; alias != "" {
		rows = append(rows, IndexRow{AliasIndex, domain + Separator + alias, id})
	}
	if networks := fields[6]; networks != "" {
		rows = append(rows, IndexRow{NetworkIndex, key, networks})
	}
	return rows
}
