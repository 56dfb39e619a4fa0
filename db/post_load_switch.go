package db

import (
	"context"

	"xmlcurld/db/pg"
)

// switchQuery lists the node's own columns and its rows in switch_param and switch_variable.
const switchQuery = `
SELECT
	coalesce(x.kind, '') AS kind,
	coalesce(x.name, '') AS name,
	coalesce(x.value, '') AS value,
	coalesce(x.expand, false) AS expand,
	` + nodeKnown + `
FROM (SELECT) always
LEFT JOIN (
	SELECT DISTINCT ON (kind, name) kind, name, value, expand
	FROM (
		SELECT 'param' AS kind, v.name, v.value, false AS expand, n.name AS node
		FROM node n
		CROSS JOIN LATERAL (VALUES
			('rtp-start-port', lower(n.rtp_port)::text),
			('rtp-end-port', (upper(n.rtp_port) - 1)::text),
			('max-sessions', n.max_sessions::text),
			('sessions-per-second', n.sessions_per_second::text),
			('loglevel', n.loglevel::text),
			('api-expansion', n.api_expansion::text)
		) v (name, value)
		UNION ALL
		SELECT 'param', name, value, expand, node FROM switch_param
		UNION ALL
		SELECT 'variable', name, value, expand, node FROM switch_variable
	) s
	WHERE node IN ('*', $1) AND value IS NOT NULL
	ORDER BY kind, name, node = '*'
) x ON true
ORDER BY kind, name`

// Switch implements Source.
func (s *Store) Switch(ctx context.Context, node string) (a Answer[[]NodeSetting], err error) {
	a.Value, a.Freshness, err = pg.Scan(ctx, s.from, scanNodeSetting(&a.NodeKnown), "switch", switchQuery, node)
	return a, err
}
