package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// Document is one document that is stored as XML.
type Document struct {
	Body   string
	Expand bool // $${name} in Body is for FreeSWITCH to replace
}

const documentQuery = `
SELECT
	coalesce(d.body::text, '') AS body,
	coalesce(d.expand, false) AS expand,
	` + nodeKnown + `
FROM (SELECT) always
LEFT JOIN (
	SELECT body, expand
	FROM document
	WHERE section::text = $2
		AND name = $3
		AND node IN ('*', $1)
	ORDER BY node = '*'
	LIMIT 1
) d ON true`

// Document implements Source.
func (s *Store) Document(ctx context.Context, node, section, name string) (a Answer[Document], err error) {
	scan := func(row pgx.CollectableRow) (d Document, err error) {
		err = row.Scan(&d.Body, &d.Expand, &a.NodeKnown)
		return d, err
	}
	documents, fresh, err := pg.Scan(ctx, s.from, scan, "document", documentQuery, node, section, name)
	if err != nil {
		return a, err
	}
	a.Value, a.Freshness = documents[0], fresh
	return a, nil
}

const documentRevisionsQuery = `
SELECT DISTINCT ON (name)
	name,
	left(encode(sha256(convert_to(body::text, 'UTF8')), 'hex'), 16) || ' ' || expand AS revision
FROM document
WHERE section = 'configuration'
	AND node IN ('*', $1)
ORDER BY name, node = '*'`

// DocumentRevisions returns the revisions of the configuration documents that are stored as XML for node, by name.
func (s *Store) DocumentRevisions(ctx context.Context, node string) (map[string]string, error) {
	type row struct{ Name, Revision string }
	rows, _, err := pg.Collect[row](ctx, s.from, "document_revisions", documentRevisionsQuery, node)
	revisions := make(map[string]string, len(rows))
	for _, r := range rows {
		revisions[r.Name] = r.Revision
	}
	return revisions, err
}
