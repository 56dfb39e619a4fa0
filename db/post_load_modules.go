package db

import "context"

// Module is a module to load.
type Module struct {
	Name      string // mod_sofia; empty: there is none
	NodeKnown bool
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

// Modules returns the modules that node loads, in order.
func (s *Store) Modules(ctx context.Context, node string) ([]Module, error) {
	modules, err := collect[Module](ctx, s, "modules", modulesQuery, node)
	if err == nil {
		s.asked(modules[0].NodeKnown, "modules", node)
	}
	return modules, err
}
