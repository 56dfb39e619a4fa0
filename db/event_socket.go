package db

import (
	"context"
	"strings"
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

// eventSocketRow is a setting, or where its value is.
type eventSocketRow struct {
	NodeSetting
	Reference string
	Key       string
}

// EventSocket returns node's settings for event_socket.conf. A password that cannot be read is none.
func (s *Store) EventSocket(ctx context.Context, node string) ([]NodeSetting, error) {
	rows, err := s.eventSocketRows(ctx, node)
	if err == nil {
		s.asked(rows[0].NodeKnown, "event_socket", node)
	}
	return s.eventSocket(rows), err
}

func (s *Store) eventSocketRows(ctx context.Context, node string) ([]eventSocketRow, error) {
	return collect[eventSocketRow](ctx, s, "event_socket", eventSocketQuery, node)
}

// eventSocket puts the password that rows refer to in its place, and gives each access list a setting of its own.
func (s *Store) eventSocket(rows []eventSocketRow) []NodeSetting {
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
