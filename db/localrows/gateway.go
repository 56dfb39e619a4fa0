package localrows

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"xmlcurld/db"
)

// Gateways are held row by row, and sofia.conf is put together from them and from the profiles as a node was given them:
// so a gateway that changed is read once, however many nodes have it, and answered whether anybody asked for it or not.

// gatewayTables are those whose rows make a gateway.
var gatewayTables = strings.Fields(ofTrunks)

// gatewayTable leaves out gateways of users: they stand in the directory.
var gatewayTable = table{ofGateways, `
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

// readGateways reads the gateways that changed: all, if it is not known which.
func (r *reader) readGateways(ctx context.Context, by map[string][]change) error {
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

// Sofia implements db.Source.
func (l *Store) Sofia(_ context.Context, node, profile, gateway string) (a db.Answer[db.Sofia], err error) {
	err = l.look(func(v view) error {
		if slices.ContainsFunc(gatewayTables, v.unread.any) {
			return errNotHeld
		}
		if a, err = keptIn[db.Answer[db.Sofia]](l, v, "sofia", node); err != nil {
			return err
		}
		sofia := &a.Value
		sofia.Profiles = slices.DeleteFunc(sofia.Profiles, func(p db.Profile) bool {
			return profile != "" && db.Fold(p.Name) != db.Fold(profile)
		})
		if profile+gateway == "" {
			return nil
		}
		rows, err := v.gateways(node, gateway)
		if err != nil {
			return err
		}
		byProfile := l.store.Gateways(rows)
		for i := range sofia.Profiles {
			p := &sofia.Profiles[i]
			if gateway != "" {
				p.Params = nil
			}
			p.Gateways = byProfile[p.Name]
		}
		return nil
	})
	return a, err
}

// gateways are those that node has: all, or one.
func (v view) gateways(node, gateway string) (rows []db.GatewayRow, err error) {
	for name, there := range v.Keys(ofGateways, "") {
		if !there || gateway != "" && gateway != db.AllGateways && db.Fold(name) != db.Fold(gateway) {
			continue
		}
		g := db.GatewayRow{Name: name}
		if err := json.Unmarshal(v.Get(ofGateways, name), &g); err != nil {
			return nil, fmt.Errorf("the local rows' gateway %s: %w", name, err)
		}
		if g.Node != db.Common && g.Node != node {
			continue
		}
		if g.Tenant != nil {
			enabled, err := v.Row(db.TenantTable, *g.Tenant)
			if err != nil {
				return nil, err
			}
			if string(enabled) != "true" {
				continue
			}
		}
		rows = append(rows, g)
	}
	return rows, nil
}
