package switchstate

import (
	"context"
	"strings"

	"xmlcurld/db/fingerprint"
	"xmlcurld/db/pg"
)

// Fetch is a part of a document as a switch fetched it last.
type Fetch struct {
	Document string // the file's name
	Part     string
	Revision string
	Age      float64 // seconds, by the database's clock
}

const fetchesQuery = `
SELECT document, part, revision, extract(epoch FROM clock_timestamp() - at)::float8 AS age
FROM node_fetch
WHERE node = $1`

// Fetches returns what node fetched last.
func (r *Rows) Fetches(ctx context.Context, node string) ([]Fetch, error) {
	return collect[Fetch](ctx, r, "fetches", fetchesQuery, node)
}

// saveFetchQuery: a revision that extends is added, word by word, to the one that is there. What was taken is kept as long as
// the switch did not start anew, or $7 replaces it: post_load_modules.conf is asked for then, and then only. The
// second is for times that are a little late, when a connection had to be waited for.
const saveFetchQuery = `
INSERT INTO node_fetch (node, document, part, revision, at)
SELECT
	n.name,
	$2,
	f.part,
	CASE WHEN f.extends THEN (
		SELECT coalesce(string_agg(DISTINCT word, ' ' ORDER BY word), '')
		FROM regexp_split_to_table(coalesce(k.revision, '') || ' ' || f.revision, ' ') word
		WHERE word <> ''
	) ELSE f.revision END,
	clock_timestamp() - $6 * interval '1 second'
FROM node n
CROSS JOIN unnest($3::text[], $4::text[], $5::boolean[]) f (part, revision, extends)
LEFT JOIN node_fetch k ON k.node = n.name AND k.document = $2 AND k.part = f.part
LEFT JOIN node_fetch b ON b.node = n.name AND b.document = 'post_load_modules.conf' AND b.part = ''
WHERE n.name = $1
	AND n.name <> '*'
	AND ($7 OR f.part <> '` + fingerprint.TakenPart + `' OR k.at IS NULL OR k.at < b.at - interval '1 second')
ON CONFLICT (node, document, part) DO UPDATE SET
	revision = excluded.revision,
	at = excluded.at`

// Took keeps that node runs with document, one that is stored as XML, as it was fetched age seconds ago.
func (r *Rows) Took(ctx context.Context, node, document, revision string, age float64) error {
	if r.edit != nil {
		return nil
	}
	return saveFetch(ctx, r.pg, node, document, fingerprint.Parts{fingerprint.TakenPart: revision}, age, true)
}

// saveFetch keeps that node was given the parts of document age seconds ago, by their names and revisions. A node without
// a row is not kept. What was taken before is replaced at a new start, and when taken says so.
func saveFetch(ctx context.Context, database *pg.DB, node, document string, parts fingerprint.Parts, age float64, taken bool) error {
	var names, revisions []string
	var extends []bool
	for name, revision := range parts {
		profile, also := strings.CutSuffix(name, "/also")
		if also {
			name = profile + "/kept"
		}
		names, revisions, extends = append(names, name), append(revisions, revision), append(extends, also)
	}
	return database.Exec(ctx, "save_fetch", saveFetchQuery, node, document, names, revisions, extends, age, taken)
}
