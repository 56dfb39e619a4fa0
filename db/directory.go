package db

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"xmlcurld/db/pg"
)

// Domain is a domain of the directory, with as much of it as was asked for.
type Domain struct {
	Name       string
	DialString string
	Context    string
	Cacheable  int // milliseconds; 0: not at all
	Params     []Setting
	Variables  []Setting
	Users      []User
	Groups     []Group // where all users were asked for
}

// Group is a group of a domain's users.
type Group struct {
	Name  string
	Users []string // ids, in the order in which they ring
}

// User is a user of a domain.
type User struct {
	ID             string
	NumberAlias    string
	Password       string // of the secrets one answer about one user holds all, and one about many none
	A1Hash         string
	VMPassword     string
	CallerIDName   string
	CallerIDNumber string
	CIDR           string // networks, separated by commas
	Params         []Setting
	Variables      []Setting
	Gateways       []Gateway
}

// directoryRow is one line of the directory: a domain, a user, or a setting of either.
type directoryRow struct {
	Domain         string
	DialString     string
	Context        string
	Cacheable      int
	UserID         string
	NumberAlias    string
	CallerIDName   string `db:"caller_id_name"`
	CallerIDNumber string `db:"caller_id_number"`
	CIDR           string `db:"cidr"`
	Gateway        string
	Kind           string // domain_param, domain_variable, user_param, user_variable, user_group, param, variable (of a gateway)
	Name           string
	Value          string
	Expand         bool
	Direction      string
	NodeKnown      bool
}

// directoryColumns are the columns of a directoryRow, over d (a domain), u (a user) and l (a line of either).
const directoryColumns = `
	coalesce(d.name, '') AS domain,
	coalesce(d.dial_string, '') AS dial_string,
	coalesce(d.context, '') AS context,
	coalesce(d.cacheable, 0) AS cacheable,
	coalesce(u.id, '') AS user_id,
	coalesce(u.number_alias, '') AS number_alias,
	coalesce(u.caller_id_name, '') AS caller_id_name,
	coalesce(u.caller_id_number, '') AS caller_id_number,
	coalesce(array_to_string(u.cidr, ','), '') AS cidr,
	coalesce(l.gateway, '') AS gateway,
	coalesce(l.kind, '') AS kind,
	coalesce(l.name, '') AS name,
	coalesce(l.value, '') AS value,
	coalesce(l.expand, false) AS expand,
	coalesce(l.direction, '') AS direction,
	` + nodeKnown

// A domain's users call in no other tenant's context. The queries see to it once more, whatever the triggers let
// through: ownContext is the context c of domain d, unless another tenant has it, and ownVariable tells whether the
// user's variable s may stand beside d.
const (
	ownContext  = `CASE WHEN coalesce(c.tenant = d.tenant, true) THEN d.context END AS context`
	ownVariable = `NOT (lower(s.name) = 'user_context' AND EXISTS (
			SELECT FROM context c WHERE lower(c.name) = lower(s.value) AND c.tenant <> d.tenant
		))`
)

// directoryDomain is the domain $2 (all, if it is empty), unless it or its tenant is off.
const directoryDomain = `
FROM (SELECT) always
LEFT JOIN (
	SELECT d.name, d.tenant, d.dial_string, d.cacheable, ` + ownContext + `
	FROM domain d
	JOIN tenant t ON t.name = d.tenant
	LEFT JOIN context c ON c.name = d.context
	WHERE d.enabled
		AND t.enabled
		AND ($2 = '' OR d.name = lower($2 COLLATE "C"))
) d ON true`

const domainLines = `
	SELECT '' AS gateway, 'domain_param' AS kind, s.name, s.value, s.expand, '' AS direction
	FROM domain_param s
	WHERE s.domain = d.name
	UNION ALL
	SELECT '', 'domain_variable', s.name, s.value, s.expand, ''
	FROM domain_variable s
	WHERE s.domain = d.name`

const userLines = `
	SELECT '' AS gateway, 'user_param' AS kind, s.name, s.value, s.expand, '' AS direction
	FROM domain_user_param s
	WHERE s.domain = u.domain AND s.user_id = u.id
	UNION ALL
	SELECT '', 'user_variable', s.name, s.value, s.expand, ''
	FROM domain_user_variable s
	WHERE s.domain = u.domain AND s.user_id = u.id
		AND ` + ownVariable

const directoryOrder = `
ORDER BY
	d.name,
	u.id,
	l.gateway,
	l.kind,
	l.name`

const domainQuery = `
SELECT` + directoryColumns + directoryDomain + `
LEFT JOIN (SELECT * FROM domain_user WHERE false) u ON true
LEFT JOIN LATERAL (` + domainLines + `
) l ON true` + directoryOrder

// Domain implements Source.
func (s *Store) Domain(ctx context.Context, node, domain string) (Answer[[]Domain], error) {
	return s.tree(ctx, "domain", domainQuery, node, domain)
}

const usersQuery = `
SELECT` + directoryColumns + directoryDomain + `
LEFT JOIN domain_user u ON u.domain = d.name AND u.enabled
LEFT JOIN LATERAL (` + domainLines + `
	UNION ALL` + userLines + `
	UNION ALL
	SELECT '', 'user_group', m.group_name, m.position::text, false, ''
	FROM domain_group_user m
	WHERE m.domain = u.domain AND m.user_id = u.id
) l ON true` + directoryOrder

// Users implements Source.
func (s *Store) Users(ctx context.Context, node, domain string) (Answer[[]Domain], error) {
	return s.tree(ctx, "users", usersQuery, manyRows(node, domain)...)
}

const networksQuery = `
SELECT` + directoryColumns + directoryDomain + `
LEFT JOIN domain_user u ON u.domain = d.name AND u.enabled AND cardinality(u.cidr) > 0
LEFT JOIN (SELECT '' AS gateway, '' AS kind, '' AS name, '' AS value, false AS expand, '' AS direction) l ON true` + directoryOrder

// Networks implements Source.
func (s *Store) Networks(ctx context.Context, node, domain string) (Answer[[]Domain], error) {
	return s.tree(ctx, "networks", networksQuery, node, domain)
}

// everyUsersGroup is the group that every user is in, as in a static directory.
const everyUsersGroup = "default"

const groupQuery = `
SELECT` + directoryColumns + directoryDomain + `
LEFT JOIN (
	SELECT u.*, m.group_name, m.position
	FROM domain_group_user m
	JOIN domain_user u ON u.domain = m.domain AND u.id = m.user_id AND u.enabled
	UNION ALL
	SELECT u.*, '` + everyUsersGroup + `', 0
	FROM domain_user u
	WHERE u.enabled
) u ON u.domain = d.name AND lower(u.group_name) = lower($3 COLLATE "C")
LEFT JOIN LATERAL (` + domainLines + `
	UNION ALL` + userLines + `
) l ON true
ORDER BY
	d.name,
	u.position,
	u.id,
	l.kind,
	l.name`

// Group implements Source.
func (s *Store) Group(ctx context.Context, node, domain, name string) (Answer[[]Domain], error) {
	return s.tree(ctx, "group", groupQuery, node, domain, name)
}

const userGatewaysQuery = `
SELECT` + directoryColumns + directoryDomain + `
LEFT JOIN LATERAL (
	SELECT u.*, g.name AS gateway, g.revision, g.username, g.password AS gateway_password, g.proxy, g.realm, g.register, g.caller_id_in_from
	FROM (
		SELECT *
		FROM gateway
		WHERE domain = d.name
			AND enabled
			AND profile = $3
			AND node IN ('*', $1)
			AND coalesce((SELECT enabled FROM tenant WHERE name = gateway.tenant), true)
		OFFSET 0
	) g
	CROSS JOIN LATERAL (
		SELECT *
		FROM domain_user
		WHERE domain = g.domain
			AND id = g.user_id
			AND enabled
		OFFSET 0
	) u
) u ON true
LEFT JOIN LATERAL (
	SELECT u.gateway, 'param' AS kind, v.name, v.value, false AS expand, '' AS direction
	FROM (SELECT u.username, u.gateway_password AS password, u.proxy, u.realm, u.register, u.caller_id_in_from) g
	CROSS JOIN LATERAL (VALUES
		('username', g.username),
		('password', g.password),
		('proxy', g.proxy),
		('realm', g.realm),
		('register', g.register::text),
		('caller-id-in-from', g.caller_id_in_from::text)
	) v (name, value)
	WHERE v.value <> ''
	UNION ALL
	SELECT u.gateway, 'param', s.name, s.value, s.expand, ''
	FROM gateway_param s
	WHERE s.gateway = u.gateway
	UNION ALL
	SELECT u.gateway, 'variable', s.name, s.value, s.expand, s.direction::text
	FROM gateway_variable s
	WHERE s.gateway = u.gateway
	UNION ALL
	SELECT u.gateway, 'variable', '` + RevisionVariable + `', u.revision::text, false, 'inbound'
) l ON u.gateway IS NOT NULL` + directoryOrder

// UserGateways implements Source.
func (s *Store) UserGateways(ctx context.Context, node, domain, profile string) (Answer[[]Domain], error) {
	return s.tree(ctx, "user_gateways", userGatewaysQuery, manyRows(node, domain, profile)...)
}

func (s *Store) tree(ctx context.Context, operation, query string, args ...any) (Answer[[]Domain], error) {
	rows, fresh, err := pg.Collect[directoryRow](ctx, s.from, operation, query, args...)
	if err != nil {
		return Answer[[]Domain]{}, err
	}
	return Answer[[]Domain]{domains(rows), rows[0].NodeKnown, fresh}, nil
}

// domains folds rows, sorted, into the tree that they are the leaves of.
func domains(rows []directoryRow) []Domain {
	var all []Domain
	for _, row := range rows {
		if row.Domain == "" {
			continue
		}
		if n := len(all); n == 0 || all[n-1].Name != row.Domain {
			all = append(all, Domain{Name: row.Domain, DialString: row.DialString, Context: row.Context, Cacheable: row.Cacheable})
		}
		all[len(all)-1].add(row)
	}
	addGroups(all, rows)
	return all
}

// addGroups adds each domain's groups, by name, with their users as they ring.
func addGroups(all []Domain, rows []directoryRow) {
	if !slices.ContainsFunc(rows, func(r directoryRow) bool { return r.Kind == "user_group" }) {
		return
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(r directoryRow) bool { return r.Kind != "user_group" })
	slices.SortStableFunc(rows, func(a, b directoryRow) int {
		first, _ := strconv.Atoi(a.Value) // a number of Postgres's: no error
		second, _ := strconv.Atoi(b.Value)
		return cmp.Or(strings.Compare(a.Domain, b.Domain), strings.Compare(a.Name, b.Name), cmp.Compare(first, second))
	})
	places := make(map[string]int, len(all))
	for i := range all {
		places[all[i].Name] = i
	}
	for _, row := range rows {
		d := &all[places[row.Domain]]
		if n := len(d.Groups); n == 0 || d.Groups[n-1].Name != row.Name {
			d.Groups = append(d.Groups, Group{Name: row.Name})
		}
		group := &d.Groups[len(d.Groups)-1]
		group.Users = append(group.Users, row.UserID)
	}
}

func (d *Domain) add(row directoryRow) {
	user := d.user(row)
	setting := Setting{row.Name, row.Value, row.Expand}
	switch row.Kind {
	case "domain_param":
		if len(d.Users) < 2 { // the domain's lines come again with each user
			d.Params = append(d.Params, setting)
		}
	case "domain_variable":
		if len(d.Users) < 2 {
			d.Variables = append(d.Variables, setting)
		}
	case "user_param":
		user.Params = append(user.Params, setting)
	case "user_variable":
		user.Variables = append(user.Variables, setting)
	case "user_group": // addGroups does
	case "param", "variable":
		user.Gateways = addGatewaySetting(user.Gateways, row.Gateway, GatewaySetting{row.Kind, setting, row.Direction})
	}
}

// user returns the row's user, appended to the domain if it is not its last one; nil if the row has none.
func (d *Domain) user(row directoryRow) *User {
	if row.UserID == "" {
		return nil
	}
	if n := len(d.Users); n == 0 || d.Users[n-1].ID != row.UserID {
		d.Users = append(d.Users, User{
			ID: row.UserID, NumberAlias: row.NumberAlias,
			CallerIDName: row.CallerIDName, CallerIDNumber: row.CallerIDNumber, CIDR: row.CIDR,
		})
	}
	return &d.Users[len(d.Users)-1]
}
