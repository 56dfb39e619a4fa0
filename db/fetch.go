package db

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
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
func (s *Store) Fetches(ctx context.Context, node string) ([]Fetch, error) {
	return collect[Fetch](ctx, s, "fetches", fetchesQuery, node)
}

// saveFetchQuery: a revision that extends is added, word by word, to the one that is there. What was taken is kept as long as
// the switch did not start anew: post_load_modules.conf is asked for then, and then only. The second is for times that are
// a little late, when a connection had to be waited for.
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
	AND (f.part <> '` + TakenPart + `' OR k.at IS NULL OR k.at < b.at - interval '1 second')
ON CONFLICT (node, document, part) DO UPDATE SET
	revision = excluded.revision,
	at = excluded.at`

const tookQuery = `
INSERT INTO node_fetch (node, document, part, revision, at)
SELECT name, $2, '` + TakenPart + `', $3, clock_timestamp() - $4 * interval '1 second'
FROM node
WHERE name = $1
ON CONFLICT (node, document, part) DO UPDATE SET
	revision = excluded.revision,
	at = excluded.at`

// Took keeps that node runs with document, one that is stored as XML, as it was fetched age seconds ago.
func (s *Store) Took(ctx context.Context, node, document, revision string, age float64) error {
	defer s.metrics.observe("took", time.Now())
	_, err := s.pool.Exec(ctx, tookQuery, node, document, revision, age)
	return translate("took", err)
}

// saveFetch keeps that node was given the parts of document some time ago, by their names and revisions. A node without a
// row is not kept.
func (s *Store) saveFetch(ctx context.Context, node, document string, parts Parts, ago time.Duration) error {
	var names, revisions []string
	var extends []bool
	for name, revision := range parts {
		profile, also := strings.CutSuffix(name, "/also")
		if also {
			name = profile + "/kept"
		}
		names, revisions, extends = append(names, name), append(revisions, revision), append(extends, also)
	}
	defer s.metrics.observe("save_fetch", time.Now())
	_, err := s.pool.Exec(ctx, saveFetchQuery, node, document, names, revisions, extends, ago.Seconds())
	return translate("save a fetch", err)
}

// Wait is the kind of notice that AskForLook gives.
const Wait = "wait"

// Notice says that something was committed.
type Notice struct {
	Kind  string    // what is different; empty: it may be anything
	Asked time.Time // of kind Wait: what AskForLook returned
}

// notice reads a payload.
func notice(payload string) Notice {
	kind, at, _ := strings.Cut(payload, " ")
	micro, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return Notice{Kind: kind}
	}
	return Notice{kind, time.UnixMicro(micro)}
}

// Listen calls told with each notice, in the order in which the transactions were committed, until the connection or ctx
// ends, and returns why. It calls told with an empty one once it listens: what was committed before that is to be looked
// for.
func (s *Store) Listen(ctx context.Context, told func(Notice)) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return translate("listen", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN xmlcurld"); err != nil {
		return translate("listen", err)
	}
	told(Notice{})
	for {
		heard, err := conn.WaitForNotification(ctx)
		if err != nil {
			return translate("listen", err)
		}
		told(notice(heard.Payload))
	}
}
