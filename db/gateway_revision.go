package db

import (
	"context"

	"xmlcurld/db/pg"
)

// GatewayRevision is a gateway that a node should run.
type GatewayRevision struct {
	Name     string
	Profile  string
	Revision string // what the switch gives back as its variable xmlcurld_revision
	OfUser   bool   // it comes with a user of the directory, not with the profile
	Fault    string `db:"-"` // why its password cannot be read: it is not told to any switch, and stays where it is
}

// gatewayRow is a GatewayRevision before its password is read.
type gatewayRow struct {
	GatewayRevision
	Reference string
	Key       string
}

const gatewayRevisionsQuery = `
SELECT
	g.name,
	g.profile,
	g.revision::text AS revision,
	g.domain IS NOT NULL AS of_user,
	coalesce(g.password_from, '') AS reference,
	g.revision_key::text AS key
FROM gateway g
JOIN sip_profile p ON p.name = g.profile AND p.enabled AND p.node IN ('*', $1)
LEFT JOIN tenant t ON t.name = g.tenant
WHERE g.enabled
	AND g.node IN ('*', $1)
	AND coalesce(t.enabled, true)
	AND (g.domain IS NULL OR EXISTS (
		SELECT
		FROM domain_user u
		JOIN domain d ON d.name = u.domain AND d.enabled
		JOIN tenant dt ON dt.name = d.tenant AND dt.enabled
		JOIN sip_profile_domain pd ON pd.profile = g.profile AND pd.name IN (d.name, 'all') AND pd.parse
		WHERE u.domain = g.domain AND u.id = g.user_id AND u.enabled
	))
ORDER BY g.name`

// GatewayRevisions returns the gateways that node should run.
func (s *Store) GatewayRevisions(ctx context.Context, node string) ([]GatewayRevision, error) {
	rows, _, err := pg.Collect[gatewayRow](ctx, s.from, "gateway_revisions", gatewayRevisionsQuery, node)
	if err != nil {
		return nil, err
	}
	all := make([]GatewayRevision, 0, len(rows))
	for _, row := range rows {
		if row.Reference != "" {
			_, mark, err := s.resolve(row.Reference, row.Key)
			if err != nil {
				row.Fault = err.Error()
			}
			row.Revision = marked(row.Revision, mark)
		}
		all = append(all, row.GatewayRevision)
	}
	return all, nil
}
