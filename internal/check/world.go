package check

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// world is what several checks look at.
type world struct {
	ctx     context.Context
	tx      pgx.Tx
	options Options
	rows    *table.Seen
	rules   *db.Rulebook

	off         map[string]bool // tenants
	nodes       []node
	expressions []expression
	actions     []action
	profiles    []profile
	contexts    map[string]string // names by names in lower case

	trunks   memo[[]gateway]
	networks memo[[]*entry]
	names    memo[[]sipName]
	long     memo[[]answer]
}

// memo holds what several checks read, from when the first one does.
type memo[T any] struct {
	value T
	read  bool
}

// get returns what read returned when it was first called.
func (m *memo[T]) get(read func() (T, error)) (T, error) {
	if m.read {
		return m.value, nil
	}
	value, err := read()
	m.value, m.read = value, err == nil
	return value, err
}

// rows reads all rows of a query.
func rows[T any](w *world, query string, args ...any) ([]T, error) {
	return pg.Rows(w.ctx, w.tx, pgx.RowToStructByPos[T], query, args...)
}

// texts reads a query of one column.
func texts(w *world, query string, args ...any) ([]string, error) {
	return pg.Rows(w.ctx, w.tx, pgx.RowTo[string], query, args...)
}

func newWorld(ctx context.Context, tx pgx.Tx, options Options) (w *world, err error) {
	w = &world{ctx: ctx, tx: tx, options: options, off: make(map[string]bool), contexts: make(map[string]string)}
	seen := options.Rows
	if seen == nil {
		nodes, err := texts(w, `SELECT name FROM node WHERE name <> '*'`)
		if err != nil {
			return nil, err
		}
		seen = table.SeenBy(tx, nodes)
	}
	w.rows, w.rules = seen, db.NewRulebook(seen, nil)
	off, err := texts(w, `SELECT name FROM tenant WHERE NOT enabled`)
	if err != nil {
		return nil, err
	}
	for _, name := range off {
		w.off[name] = true
	}
	contexts, err := texts(w, `SELECT name FROM context`)
	if err != nil {
		return nil, err
	}
	for _, name := range contexts {
		w.contexts[table.Fold(name)] = name
	}
	for _, read := range []func() error{w.readNodes, w.readExpressions, w.readActions, w.readProfiles} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// node is what a node has, its own or in common. While no node has a row of its own, the common row stands for all.
type node struct {
	Name               string
	OwnIP, CommonIP    string // local_ip of its own row and of the common one; empty: none
	RTPLow, RTPHigh    int    // both inclusive
	MaxSessions        int
	OwnLimits          bool // its own row has one of those three
	EventSocketIP      string
	EventSocketPort    int
	EventSocketAddress string
	EventSocketACL     string
	OwnEventSocket     bool
	Modules            []string `db:"-"`
}

// is reports whether a row of a node is one of n's.
func (n *node) is(of string) bool { return of == table.Common || of == n.Name }

// What FreeSWITCH has without rows (switch_rtp.c, switch_core.c), and what mod_event_socket listens on.
const nodesQuery = `
	SELECT
		n.name,
		coalesce(host(n.local_ip), ''),
		coalesce(host(c.local_ip), ''),
		coalesce(lower(n.rtp_port), lower(c.rtp_port), 16384),
		coalesce(upper(n.rtp_port) - 1, upper(c.rtp_port) - 1, 32768),
		coalesce(n.max_sessions, c.max_sessions, 1000),
		num_nonnulls(n.rtp_port, n.max_sessions) > 0,
		coalesce(host(n.event_socket_ip), host(c.event_socket_ip), ''),
		coalesce(n.event_socket_port, c.event_socket_port, 0),
		coalesce(n.event_socket_address, c.event_socket_address, ''),
		coalesce(n.event_socket_acl, c.event_socket_acl, ''),
		num_nonnulls(n.event_socket_ip, n.event_socket_port, n.event_socket_address) > 0
	FROM node n
	CROSS JOIN node c
	WHERE c.name = '*' AND (n.name <> '*' OR NOT EXISTS (SELECT FROM node WHERE name <> '*'))
	ORDER BY n.name`

// modulesQuery asks for the modules of the nodes $1: a node's own row of a module comes before the common one.
const modulesQuery = `
	SELECT DISTINCT ON (n, m.name) n, m.name, m.enabled
	FROM unnest($1::text[]) n
	JOIN module m ON m.node IN ('*', n)
	ORDER BY n, m.name, m.node = '*'`

func (w *world) readNodes() (err error) {
	if w.nodes, err = rows[node](w, nodesQuery); err != nil {
		return err
	}
	var names []string
	for i := range w.nodes {
		names = append(names, w.nodes[i].Name)
	}
	all, err := rows[struct {
		Node, Name string
		Enabled    bool
	}](w, modulesQuery, names)
	modules := make(map[string][]string)
	for _, m := range all {
		if m.Enabled {
			modules[m.Node] = append(modules[m.Node], m.Name)
		}
	}
	for i := range w.nodes {
		w.nodes[i].Modules = modules[w.nodes[i].Name]
	}
	return err
}

// place is where something stands.
type place struct{ Table, Key, Tenant string }

func (p place) finding(what, remedy string) Finding {
	return Finding{Table: p.Table, Key: p.Key, Tenant: p.Tenant, What: what, Remedy: remedy}
}

// expression is a regular expression of the dialplan.
type expression struct {
	place
	Extension string // empty: it is in a document
	Field     string
	Text      string
	Expand    bool // $${name} in it is for FreeSWITCH to replace
	First     bool // while it is false its extension does nothing at all
}

// literal reports whether FreeSWITCH takes the expression as it stands.
func (e *expression) literal() bool {
	return !strings.Contains(e.Text, "${") && (!e.Expand || !strings.Contains(e.Text, "$${"))
}

const expressionsQuery = `
	SELECT 'condition', format('extension=%s position=%s', c.extension, c.position), coalesce(e.tenant, ''),
		c.extension::text, c.field::text, c.expression::text, c.expand,
		c.parent IS NULL AND c."break" IN ('on-false', 'always') AND num_nonnulls(c.wday, c.mday, c.mon, c.time_of_day, c.date_time, c.year, c.yday,
			c.week, c.mweek, c.hour, c.minute, c.minute_of_day, c.tz_offset, c.dst) = 0
			AND NOT EXISTS (SELECT FROM condition b WHERE b.extension = c.extension AND b.position < c.position)
			AND NOT EXISTS (SELECT FROM action a WHERE a.extension = c.extension AND (a.condition IS NULL OR a.condition = c.position AND a.anti))
	FROM condition c
	JOIN extension e ON e.name = c.extension
	WHERE c.expression IS NOT NULL
	UNION ALL
	SELECT 'condition_regex', format('extension=%s condition=%s position=%s', x.extension, x.condition, x.position), coalesce(e.tenant, ''),
		x.extension::text, x.field::text, x.expression::text, x.expand, false
	FROM condition_regex x
	JOIN extension e ON e.name = x.extension
	WHERE x.expression IS NOT NULL
	UNION ALL
	SELECT 'extension', format('name=%s (condition %s of its body)', e.name, x.n), coalesce(e.tenant, ''),
		e.name::text, coalesce(x.field, ''), coalesce(nullif(x.inside, ''), x.expression), e.expand, false
	FROM extension e
	CROSS JOIN LATERAL XMLTABLE('//*[name() = "condition" or name() = "regex"]' PASSING wrapped(e.body)
		COLUMNS n FOR ORDINALITY, field text PATH '@field', expression text PATH '@expression', inside text PATH 'string(expression[1])') x
	WHERE e.body IS NOT NULL AND coalesce(nullif(x.inside, ''), x.expression) IS NOT NULL
	UNION ALL
	SELECT 'document', format('section=%s name=%s node=%s (expression %s)', d.section, d.name, d.node, x.n), '',
		'', '', x.expression, d.expand, false
	FROM document d
	CROSS JOIN LATERAL XMLTABLE('//*[name() = "condition" or name() = "regex"]/@expression | //*[name() = "input"]/@pattern' PASSING wrapped(d.body)
		COLUMNS n FOR ORDINALITY, expression text PATH '.') x
	WHERE d.section IN ('chatplan', 'languages')`

func (w *world) readExpressions() (err error) {
	read, err := rows[struct {
		Table, Key, Tenant, Extension, Field, Text string
		Expand, First                              bool
	}](w, expressionsQuery)
	for _, r := range read {
		w.expressions = append(w.expressions, expression{place{r.Table, r.Key, r.Tenant}, r.Extension, r.Field, r.Text, r.Expand, r.First})
	}
	return err
}

// action is an action or anti-action of the dialplan, or what a key of an IVR menu does.
type action struct {
	place
	Extension         string // empty: it is in a menu
	Condition         int    // 0: before all conditions; below 0: in XML
	Application, Data string
	Anti, Expand      bool
}

// words are the words of the action's data.
func (a *action) words() []string { return strings.Fields(a.Data) }

const actionsQuery = `
	SELECT 'action', concat_ws(' ', 'extension=' || a.extension, 'condition=' || a.condition, 'position=' || a.position), coalesce(e.tenant, ''),
		a.extension::text, coalesce(a.condition, 0)::integer, a.application, a.data::text, a.anti, a.expand, a.position::integer
	FROM action a
	JOIN extension e ON e.name = a.extension
	UNION ALL
	SELECT 'extension', format('name=%s (action %s of its body)', e.name, x.n), coalesce(e.tenant, ''),
		e.name::text, -1, coalesce(x.application, ''), coalesce(nullif(x.inside, ''), x.data, ''), x.kind = 'anti-action', e.expand, x.n
	FROM extension e
	CROSS JOIN LATERAL XMLTABLE('//*[name() = "action" or name() = "anti-action"]' PASSING wrapped(e.body)
		COLUMNS n FOR ORDINALITY, kind text PATH 'name()', application text PATH '@application', data text PATH '@data', inside text PATH 'string(.)') x
	WHERE e.body IS NOT NULL
	UNION ALL
	SELECT 'document', format('section=configuration name=%s node=%s (entry %s)', d.name, d.node, x.n), '',
		'', -1, split_part(x.param, ' ', 1), substr(x.param, length(split_part(x.param, ' ', 1)) + 2), false, d.expand, x.n
	FROM document d
	CROSS JOIN LATERAL XMLTABLE('//menu/entry[@action = "menu-exec-app"]' PASSING d.body COLUMNS n FOR ORDINALITY, param text PATH '@param') x
	WHERE d.section = 'configuration' AND d.name = 'ivr.conf' AND x.param IS NOT NULL
	ORDER BY 4, 5, 10`

func (w *world) readActions() error {
	read, err := rows[struct {
		Table, Key, Tenant, Extension string
		Condition                     int
		Application, Data             string
		Anti, Expand                  bool
		Position                      int
	}](w, actionsQuery)
	for _, r := range read {
		w.actions = append(w.actions, action{place{r.Table, r.Key, r.Tenant}, r.Extension, r.Condition, r.Application, r.Data, r.Anti, r.Expand})
	}
	return err
}

// profile is a SIP profile that is on.
type profile struct {
	Name, Node string
	Params     []param `db:"-"`
}

// param is a setting of a profile.
type param struct {
	Profile, Node, Name string
	Position            int
	Value               string
	Expand              bool
}

func (p *param) place() place {
	return place{"sip_profile_param", fmt.Sprintf("profile=%s node=%s name=%s position=%d", p.Profile, p.Node, p.Name, p.Position), ""}
}

// literal reports whether FreeSWITCH takes the value as it stands.
func (p *param) literal() bool { return !p.Expand || !strings.Contains(p.Value, "$${") }

func (w *world) readProfiles() (err error) {
	read, err := rows[struct{ Name, Node string }](w, `SELECT name, node FROM sip_profile WHERE enabled ORDER BY name`)
	if err != nil {
		return err
	}
	params, err := rows[param](w, `SELECT profile, node, name, position::integer, value, expand FROM sip_profile_param ORDER BY profile, node, name, position`)
	if err != nil {
		return err
	}
	for _, r := range read {
		p := profile{Name: r.Name, Node: r.Node}
		for _, s := range params {
			if s.Profile == p.Name {
				p.Params = append(p.Params, s)
			}
		}
		w.profiles = append(w.profiles, p)
	}
	return nil
}

// on are the settings called name that the profile has on a node: the node's own, or else the common ones. Its address may
// come from the node instead, see address.
func (p *profile) on(n *node, name string) (all []param) {
	for _, of := range []string{n.Name, table.Common} {
		for _, s := range p.Params {
			if s.Node == of && s.Name == name {
				all = append(all, s)
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

// value is the setting called name that the profile has on a node, or without: what FreeSWITCH takes if there is none.
func (p *profile) value(n *node, name, without string) string {
	if all := p.on(n, name); len(all) > 0 {
		return all[len(all)-1].Value
	}
	return without
}

// address is sip-ip or rtp-ip of the profile on a node, as far as rows say: the node's own rows, or else its own address, or else
// the common rows, or else the common address.
func (p *profile) address(n *node, name string) string {
	all := p.on(n, name)
	switch {
	case len(all) > 0 && (all[0].Node == n.Name || n.OwnIP == ""):
		return all[len(all)-1].Value
	case n.OwnIP != "":
		return n.OwnIP
	}
	return n.CommonIP
}

// loopback reports whether host is one's own machine, whoever says it.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && (a.Unmap().IsLoopback() || a.IsUnspecified())
}

// list joins a few names, and says how many more there are.
func list(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// lines are the words of an embedded list: one a line, # begins a comment.
func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}
