package db

import "context"

const eventSocketQuery = `
SELECT
	CASE WHEN x.name IS NULL THEN '' ELSE 'param' END AS kind,
	coalesce(x.name, '') AS name,
	coalesce(x.value, '') AS value,
	coalesce(x.expand, false) AS expand,
	` + nodeKnown + `
FROM (SELECT) always
LEFT JOIN (
	SELECT DISTINCT ON (name) name, value, expand
	FROM (
		SELECT v.name, v.value, false AS expand, n.name AS node
		FROM node n
		CROSS JOIN LATERAL (VALUES
			('listen-ip', host(n.event_socket_ip)),
			('listen-port', n.event_socket_port::text),
			('password', n.event_socket_password),
			('apply-inbound-acl', n.event_socket_acl)
		) v (name, value)
		UNION ALL
		SELECT name, value, expand, node FROM event_socket_param
	) s
	WHERE node IN ('*', $1) AND value IS NOT NULL
	ORDER BY name, node = '*'
) x ON true
ORDER BY name`

// EventSocket returns node's settings for event_socket.conf.
func (s *Store) EventSocket(ctx context.Context, node string) ([]NodeSetting, error) {
	s.asked("event_socket", node)
	return collect[NodeSetting](ctx, s, "event_socket", eventSocketQuery, node)
}
