package db

import "context"

// Document is one document that is stored as XML.
type Document struct {
	Body      string
	Expand    bool // $${name} in Body is for FreeSWITCH to replace
	NodeKnown bool
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

// Document returns the document name of section for node. A Body that is empty says that none is stored.
func (s *Store) Document(ctx context.Context, node, section, name string) (Document, error) {
	documents, err := collect[Document](ctx, s, "document", documentQuery, node, section, name)
	if err != nil {
		return Document{}, err
	}
	s.asked(documents[0].NodeKnown, "document", node, section, name)
	return documents[0], nil
}
