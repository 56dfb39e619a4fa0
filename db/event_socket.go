package db

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

const eventSocketQuery = `
SELECT
	CASE WHEN x.name IS NULL THEN '' ELSE 'param' END AS kind,
	coalesce(x.name, '') AS name,
	coalesce(x.value, '') AS value,
	coalesce(x.expand, false) AS expand,
	coalesce(x.reference, '') AS reference,
	coalesce(x.key, '') AS key,
	` + nodeKnown + `
FROM (SELECT) always
LEFT JOIN (
	SELECT DISTINCT ON (name) name, value, expand, reference, key
	FROM (
		SELECT v.name, v.value, false AS expand, n.name AS node, v.reference, n.revision_key::text AS key
		FROM node n
		CROSS JOIN LATERAL (VALUES
			('listen-ip', host(n.event_socket_ip), NULL),
			('listen-port', n.event_socket_port::text, NULL),
			('password', coalesce(n.event_socket_password, n.event_socket_password_from), n.event_socket_password_from),
			('apply-inbound-acl', n.event_socket_acl, NULL)
		) v (name, value, reference)
		UNION ALL
		SELECT name, value, expand, node, NULL, NULL FROM event_socket_param
	) s
	WHERE node IN ('*', $1) AND value IS NOT NULL
	ORDER BY name, node = '*'
) x ON true
ORDER BY name`

// EventSocketRow is a setting, or where its value is.
type EventSocketRow struct {
	NodeSetting
	Reference string
	Key       string
}

// EventSocket implements Source.
func (s *Store) EventSocket(ctx context.Context, node string) (Answer[[]NodeSetting], error) {
	rows, err := s.EventSocketRows(ctx, node)
	return Answer[[]NodeSetting]{s.EventSocketSettings(rows.Value), rows.NodeKnown, rows.Freshness}, err
}

// EventSocketRows returns what EventSocketSettings makes the settings of.
func (s *Store) EventSocketRows(ctx context.Context, node string) (a Answer[[]EventSocketRow], err error) {
	scan := func(row pgx.CollectableRow) (r EventSocketRow, err error) {
		err = row.Scan(&r.Kind, &r.Name, &r.Value, &r.Expand, &r.Reference, &r.Key, &a.NodeKnown)
		return r, err
	}
	a.Value, a.Freshness, err = pg.Scan(ctx, s.from, scan, "event_socket", eventSocketQuery, node)
	return a, err
}

// EventSocketSettings puts the password that rows refer to in its place, and gives each access list a setting of its own.
func (s *Store) EventSocketSettings(rows []EventSocketRow) []NodeSetting {
	settings := make([]NodeSetting, 0, len(rows))
	for _, row := range rows {
		if row.Reference != "" {
			var err error
			if row.Value, row.Mark, err = s.resolve(row.Reference, row.Key); err != nil {
				row.Kind, row.Name, row.Value = "", "", ""
			}
		}
		if row.Name == "apply-inbound-acl" {
			for _, list := range strings.Fields(row.Value) {
				row.Value = list
				settings = append(settings, row.NodeSetting)
			}
			continue
		}
		settings = append(settings, row.NodeSetting)
	}
	return settings
}
