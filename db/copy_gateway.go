package db

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Gateways are copied row by row, and sofia.conf is put together from them and from the profiles as a node was given them:
// so a gateway that changed is read once, however many nodes have it, and answered whether anybody asked for it or not.

// gatewayTables are those whose rows make a gateway.
var gatewayTables = strings.Fields(ofTrunks)

// gatewayTable leaves out gateways of users: they stand in the directory.
var gatewayTable = copyTable{"gateway", ofGateways, `
	SELECT
		g.name,
		convert_to(json_build_object(
			'profile', g.profile,
			'node', g.node,
			'tenant', g.tenant,
			'columns', ARRAY[
				coalesce(g.username, ''), coalesce(g.password, ''), coalesce(g.proxy, ''), coalesce(g.realm, ''),
				g.register::text, g.caller_id_in_from::text
			],
			'revision', g.revision::text,
			'reference', coalesce(g.password_from, ''),
			'key', g.revision_key,
			'params', (
				SELECT json_agg(json_build_object('Name', s.name, 'Value', s.value, 'Expand', s.expand))
				FROM gateway_param s
				WHERE s.gateway = g.name
			),
			'variables', (
				SELECT json_agg(json_build_object('Name', s.name, 'Value', s.value, 'Expand', s.expand, 'Direction', s.direction))
				FROM gateway_variable s
				WHERE s.gateway = g.name
			)
		)::text, 'UTF8')
	FROM gateway g
	WHERE g.enabled
		AND g.domain IS NULL`, ` AND g.name = ANY ($1)`}

// gatewayCopy is a gateway with what decides whether a node has it. A password that the row refers to is not copied.
type gatewayCopy struct {
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

// readGateways reads the gateways that changed: all, if it is not known which.
func (r *copyReader) readGateways(ctx context.Context, by map[string][]change) error {
	names := make(map[string]bool)
	for _, relation := range gatewayTables {
		for _, n := range by[relation] {
			names[n.Key] = true
		}
	}
	if names[""] {
		return r.readTable(ctx, ofGateways, gatewayTable.query)
	}
	var news []change
	for name := range names {
		news = append(news, change{Key: name})
	}
	return r.readRows(ctx, gatewayTable, news)
}

// Sofia is Store.Sofia, from the copy.
func (c *Copy) Sofia(_ context.Context, node, profile, gateway string) (answer Sofia, err error) {
	err = c.look(func(v copyView) error {
		if slices.ContainsFunc(gatewayTables, c.doubtsAny) {
			return errNotCopied
		}
		if answer, err = keptIn[Sofia](c, v, "sofia", node); err != nil {
			return err
		}
		answer.Profiles = slices.DeleteFunc(answer.Profiles, func(p Profile) bool {
			return profile != "" && Fold(p.Name) != Fold(profile)
		})
		if profile+gateway == "" {
			return nil
		}
		rows, err := c.gatewayRows(v, node, gateway)
		if err != nil {
			return err
		}
		for i := range answer.Profiles {
			p := &answer.Profiles[i]
			if gateway != "" {
				p.Params = nil
			}
			p.Gateways = gatewaysOf(p.Name, rows)
		}
		return nil
	})
	return answer, err
}

// gatewayRows are the lines of the gateways that node has, sorted: of all, or of one.
func (c *Copy) gatewayRows(v copyView, node, gateway string) ([]*sofiaRow, error) {
	var rows []*sofiaRow
	for name, there := range v.keys(ofGateways, "") {
		if !there || gateway != "" && gateway != allGateways && Fold(name) != Fold(gateway) {
			continue
		}
		var g gatewayCopy
		if err := json.Unmarshal(v.get(ofGateways, name), &g); err != nil {
			return nil, fmt.Errorf("copy of gateway %s: %w", name, err)
		}
		if g.Node != Common && g.Node != node {
			continue
		}
		if g.Tenant != nil {
			if on, err := c.tenantEnabled(v, *g.Tenant); err != nil {
				return nil, err
			} else if !on {
				continue
			}
		}
		rows = append(rows, g.rows(name)...)
	}
	slices.SortFunc(rows, compareSofiaRows)
	return c.store.withSecrets(rows), nil
}

// rows are what sofiaQuery has for the gateway.
func (g *gatewayCopy) rows(name string) []*sofiaRow {
	line := func(kind string, s Setting, direction string) *sofiaRow {
		return &sofiaRow{Profile: g.Profile, Gateway: name, Kind: kind, Setting: s, Direction: direction}
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

// gatewaysOf folds those of rows that are the profile's.
func gatewaysOf(profile string, rows []*sofiaRow) []Gateway {
	p := Profile{Name: profile}
	for _, row := range rows {
		if row.Profile == profile {
			p.add(row)
		}
	}
	return p.Gateways
}
