package db

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// Sofia is sofia.conf, or as much of it as was asked for.
type Sofia struct {
	Params   []Setting // of all profiles
	Profiles []Profile
}

// Profile is a SIP profile.
type Profile struct {
	Name     string
	Params   []Setting
	Aliases  []string
	Domains  []ProfileDomain
	Gateways []Gateway
}

// ProfileDomain is a domain that a profile looks up in the directory when it starts.
type ProfileDomain struct {
	Name  string
	Alias bool
	Parse bool
}

// Gateway is a gateway, of a profile or of a user of the directory.
type Gateway struct {
	Name     string
	Settings []GatewaySetting
}

// GatewaySetting is a param or a variable of a gateway.
type GatewaySetting struct {
	Kind string // param or variable
	Setting
	Direction string // of a variable: inbound, outbound or both
}

// sofiaRow is one line of sofia.conf.
type sofiaRow struct {
	Profile string // empty: of all profiles
	Gateway string // empty: of the profile
	Kind    string // param, variable, alias or domain; profile or gateway for the row of one itself
	Setting
	Position  int32
	Direction string    // of a gateway's variable: inbound, outbound or both
	Alias     bool      // of a profile's domain
	Parse     bool      // of a profile's domain
	Columns   [6]string // of a gateway: the values of gatewayColumns
	Reference string    // of a gateway: where its password is, if not among Columns
	Key       string    // of a gateway: what its password's mark is made with
	NodeKnown bool
}

// RevisionVariable is the gateway's variable that holds its revision, which the switch gives back. It is for incoming
// calls, so that no carrier is told of it.
const RevisionVariable = "xmlcurld_revision"

// gatewayColumns are the params that are columns of table gateway.
var gatewayColumns = [6]string{"username", "password", "proxy", "realm", "register", "caller-id-in-from"}

const passwordColumn = 1

// AllGateways is what FreeSWITCH calls them all when it starts them.
const AllGateways = "_all_"

// sofiaQuery: of a profile's param the node's own row wins, then the node's own address, then the common row, then the
// common address.
const sofiaQuery = `
WITH profile AS (
	SELECT name
	FROM sip_profile
	WHERE enabled
		AND node IN ('*', $1)
		AND ($2 = '' OR lower(name) = lower($2 COLLATE "C"))
), wanted AS (
	SELECT g.*
	FROM gateway g
	JOIN profile p ON p.name = g.profile
	LEFT JOIN tenant t ON t.name = g.tenant
	WHERE g.enabled
		AND g.node IN ('*', $1)
		AND g.domain IS NULL
		AND coalesce(t.enabled, true)
		AND CASE $3
			WHEN '' THEN $2 <> ''
			WHEN '` + AllGateways + `' THEN true
			ELSE lower(g.name) = lower($3 COLLATE "C")
		END
), line AS (
	SELECT
		'' AS profile, '' AS gateway, 'param' AS kind, 0 AS position, name, value, expand, '' AS direction,
		false AS alias, false AS parse,
		'' AS username, '' AS password, '' AS proxy, '' AS realm, '' AS register, '' AS caller_id_in_from,
		'' AS password_from, '' AS revision_key
	FROM (
		SELECT DISTINCT ON (name) name, value, expand
		FROM sofia_param
		WHERE node IN ('*', $1)
		ORDER BY name, node = '*'
	) global
	UNION ALL
	SELECT name, '', 'profile', 0, '', '', false, '', false, false, '', '', '', '', '', '', '', ''
	FROM profile
	UNION ALL
	SELECT profile, '', 'param', position, name, value, expand, '', false, false, '', '', '', '', '', '', '', ''
	FROM (
		SELECT *, min(rank) OVER (PARTITION BY profile, name) AS best
		FROM (
			SELECT s.profile, s.position, s.name, s.value, s.expand, CASE s.node WHEN '*' THEN 3 ELSE 1 END AS rank
			FROM sip_profile_param s
			JOIN profile p ON p.name = s.profile
			WHERE s.node IN ('*', $1)
				AND $3 = ''
			UNION ALL
			SELECT p.name, 1, v.name, host(v.address), false, CASE n.name WHEN '*' THEN 4 ELSE 2 END
			FROM profile p
			JOIN node n ON n.name IN ('*', $1)
			CROSS JOIN LATERAL (VALUES
				('sip-ip', n.local_ip),
				('rtp-ip', n.local_ip),
				('ext-sip-ip', n.external_ip),
				('ext-rtp-ip', n.external_ip)
			) v (name, address)
			WHERE v.address IS NOT NULL
				AND $3 = ''
		) ranked
	) setting
	WHERE rank = best
	UNION ALL
	SELECT a.profile, '', 'alias', 0, a.name, '', false, '', false, false, '', '', '', '', '', '', '', ''
	FROM sip_profile_alias a
	JOIN profile p ON p.name = a.profile
	UNION ALL
	SELECT d.profile, '', 'domain', 0, d.name, '', false, '', d.alias, d.parse, '', '', '', '', '', '', '', ''
	FROM sip_profile_domain d
	JOIN profile p ON p.name = d.profile
	LEFT JOIN domain o ON o.name = d.name
	LEFT JOIN tenant t ON t.name = o.tenant
	WHERE coalesce(o.enabled AND t.enabled, true)
	UNION ALL
	SELECT g.profile, g.name, 'gateway', 0, '', '', false, '', false, false,
		coalesce(g.username, ''), coalesce(g.password, ''), coalesce(g.proxy, ''), coalesce(g.realm, ''),
		g.register::text, g.caller_id_in_from::text, coalesce(g.password_from, ''), g.revision_key::text
	FROM wanted g
	UNION ALL
	SELECT g.profile, g.name, 'param', 0, s.name, s.value, s.expand, '', false, false, '', '', '', '', '', '', '', ''
	FROM wanted g
	JOIN gateway_param s ON s.gateway = g.name
	UNION ALL
	SELECT g.profile, g.name, 'variable', 0, s.name, s.value, s.expand, s.direction::text, false, false, '', '', '', '', '', '', '', ''
	FROM wanted g
	JOIN gateway_variable s ON s.gateway = g.name
	UNION ALL
	SELECT g.profile, g.name, 'variable', 0, '` + RevisionVariable + `', g.revision::text, false, 'inbound', false, false, '', '', '', '', '', '', '', ''
	FROM wanted g
)
SELECT
	coalesce(l.profile, ''),
	coalesce(l.gateway, ''),
	coalesce(l.kind, ''),
	coalesce(l.position, 0),
	coalesce(l.name, ''),
	coalesce(l.value, ''),
	coalesce(l.expand, false),
	coalesce(l.direction, ''),
	coalesce(l.alias, false),
	coalesce(l.parse, false),
	coalesce(l.username, ''),
	coalesce(l.password, ''),
	coalesce(l.proxy, ''),
	coalesce(l.realm, ''),
	coalesce(l.register, ''),
	coalesce(l.caller_id_in_from, ''),
	coalesce(l.password_from, ''),
	coalesce(l.revision_key, ''),
	` + nodeKnown + `
FROM (SELECT) always
LEFT JOIN line l ON true`

// sofiaRows scans all rows through one.
func sofiaRows() pgx.RowToFunc[*sofiaRow] {
	var r sofiaRow
	columns := []any{&r.Profile, &r.Gateway, &r.Kind, &r.Position, &r.Name, &r.Value, &r.Expand, &r.Direction, &r.Alias, &r.Parse,
		&r.Columns[0], &r.Columns[1], &r.Columns[2], &r.Columns[3], &r.Columns[4], &r.Columns[5], &r.Reference, &r.Key, &r.NodeKnown}
	return func(row pgx.CollectableRow) (*sofiaRow, error) {
		err := row.Scan(columns...)
		line := r
		return &line, err
	}
}

// Sofia implements Source.
func (s *Store) Sofia(ctx context.Context, node, profile, gateway string) (Answer[Sofia], error) {
	args := []any{node, profile, gateway}
	if profile != "" && (gateway == "" || gateway == AllGateways) { // there may be many more than when it was asked first
		args = manyRows(args...)
	}
	rows, fresh, err := pg.Scan(ctx, s.from, sofiaRows(), "sofia", sofiaQuery, args...)
	if err != nil {
		return Answer[Sofia]{}, err
	}
	// Postgres would carry the wide rows through its sort.
	slices.SortFunc(rows, compareSofiaRows)
	return Answer[Sofia]{sofia(s.withSecrets(rows)), rows[0].NodeKnown, fresh}, nil
}

func compareSofiaRows(a, b *sofiaRow) int {
	return cmp.Or(strings.Compare(a.Profile, b.Profile), strings.Compare(a.Gateway, b.Gateway),
		strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), cmp.Compare(a.Position, b.Position))
}

// withSecrets puts the passwords that rows, sorted, refer to in their place, and their marks behind the revisions. A
// gateway whose password cannot be read is left out: its carrier would refuse it.
func (s *Store) withSecrets(rows []*sofiaRow) []*sofiaRow {
	var mark, left string
	return slices.DeleteFunc(rows, func(row *sofiaRow) bool {
		if row.Kind == "gateway" { // it comes before its lines
			mark, left = "", ""
			if row.Reference != "" {
				var err error
				if row.Columns[passwordColumn], mark, err = s.resolve(row.Reference, row.Key); err != nil {
					left = row.Gateway
				}
			}
		}
		if row.Name == RevisionVariable && row.Kind == "variable" {
			row.Value = marked(row.Value, mark)
		}
		return row.Gateway != "" && row.Gateway == left
	})
}

// marked is the revision of a gateway whose password has mark; "" when it stands in the row, which has a revision.
func marked(revision, mark string) string {
	if mark == "" {
		return revision
	}
	return revision + "." + mark
}

// sofia folds rows, sorted, into the tree that they are the leaves of.
func sofia(rows []*sofiaRow) (tree Sofia) {
	for _, row := range rows {
		switch {
		case row.Kind == "":
		case row.Profile == "":
			tree.Params = append(tree.Params, row.Setting)
		default:
			if n := len(tree.Profiles); n == 0 || tree.Profiles[n-1].Name != row.Profile {
				tree.Profiles = append(tree.Profiles, Profile{Name: row.Profile})
			}
			tree.Profiles[len(tree.Profiles)-1].add(row)
		}
	}
	return tree
}

func (p *Profile) add(row *sofiaRow) {
	switch {
	case row.Kind == "gateway":
		for i, value := range row.Columns {
			if value != "" {
				p.Gateways = addGatewaySetting(p.Gateways, row.Gateway, GatewaySetting{Kind: "param", Setting: Setting{Name: gatewayColumns[i], Value: value}})
			}
		}
	case row.Gateway != "":
		p.Gateways = addGatewaySetting(p.Gateways, row.Gateway, GatewaySetting{row.Kind, row.Setting, row.Direction})
	case row.Kind == "param":
		p.Params = append(p.Params, row.Setting)
	case row.Kind == "alias":
		p.Aliases = append(p.Aliases, row.Name)
	case row.Kind == "domain":
		p.Domains = append(p.Domains, ProfileDomain{row.Name, row.Alias, row.Parse})
	}
}

// addGatewaySetting appends setting to the gateway name, and the gateway to gateways if it is not the last one there.
func addGatewaySetting(gateways []Gateway, name string, setting GatewaySetting) []Gateway {
	if n := len(gateways); n == 0 || gateways[n-1].Name != name {
		gateways = append(gateways, Gateway{Name: name})
	}
	last := &gateways[len(gateways)-1]
	last.Settings = append(last.Settings, setting)
	return gateways
}

// GatewayRow is a gateway with what decides whether a node has it. A password that the row refers to is not in it.
type GatewayRow struct {
	Name      string    `json:"-"`
	Profile   string    `json:"profile"`
	Node      string    `json:"node"`
	Tenant    *string   `json:"tenant"`
	Columns   [6]string `json:"columns"` // the values of gatewayColumns
	Revision  string    `json:"revision"`
	Reference string    `json:"reference"`
	Key       string    `json:"key"`
	Params    []Setting `json:"params"`
	Variables []struct {
		Setting
		Direction string
	} `json:"variables"`
}

// Gateways returns what sofia.conf has for gateways, by their profiles, with the passwords that rows refer to.
func (s *Store) Gateways(gateways []GatewayRow) map[string][]Gateway {
	var rows []*sofiaRow
	for i := range gateways {
		rows = append(rows, gateways[i].rows()...)
	}
	slices.SortFunc(rows, compareSofiaRows)
	byProfile := make(map[string][]Gateway)
	for _, p := range sofia(s.withSecrets(rows)).Profiles {
		byProfile[p.Name] = p.Gateways
	}
	return byProfile
}

// rows are what sofiaQuery has for the gateway.
func (g *GatewayRow) rows() []*sofiaRow {
	line := func(kind string, s Setting, direction string) *sofiaRow {
		return &sofiaRow{Profile: g.Profile, Gateway: g.Name, Kind: kind, Setting: s, Direction: direction}
	}
	first := line("gateway", Setting{}, "")
	first.Columns, first.Reference, first.Key = g.Columns, g.Reference, g.Key
	rows := []*sofiaRow{first, line("variable", Setting{Name: RevisionVariable, Value: g.Revision}, "inbound")}
	for _, s := range g.Params {
		rows = append(rows, line("param", s, ""))
	}
	for _, s := range g.Variables {
		rows = append(rows, line("variable", s.Setting, s.Direction))
	}
	return rows
}
