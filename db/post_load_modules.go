package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// Module is a module to load.
type Module struct {
	Name string // mod_sofia; empty: there is none
}

const modulesQuery = `
SELECT
	coalesce(m.name, '') AS name,
	` + nodeKnown + `
FROM (SELECT) always
LEFT JOIN (
	SELECT DISTINCT ON (name) name, position, enabled
	FROM module
	WHERE node IN ('*', $1)
	ORDER BY name, node = '*'
) m ON m.enabled
ORDER BY m.position, m.name`

// Modules implements Source.
func (s *Store) Modules(ctx context.Context, node string) (a Answer[[]Module], err error) {
	scan := func(row pgx.CollectableRow) (m Module, err error) {
		err = row.Scan(&m.Name, &a.NodeKnown)
		return m, err
	}
	a.Value, a.Freshness, err = pg.Scan(ctx, s.from, scan, "modules", modulesQuery, node)
	return a, err
}
