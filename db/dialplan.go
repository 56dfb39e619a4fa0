package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// Call is what the dialplan is asked about.
type Call struct {
	Node    string
	Context string
	Number  string // as it was dialled
}

// Route is what is to be done with a call.
type Route struct {
	Context    string  // empty: nobody has that context
	Called     *Number // nil: nobody has the number; then Extensions are those of the context
	Extensions []*Extension
	Own        int        // where in Extensions the number's own extension is, if it was called: the others are for every call
	NotFound   *Extension // the context's own answer for a number that nobody has
}

// Number is the row of the number that was called.
type Number struct {
	Number        string
	Tenant        string
	Address       string
	ForwardNumber string
	DisplayName   string
}

// Extension is a dialplan extension.
type Extension struct {
	Name       string      `json:"name"`
	Continue   bool        `json:"continue"`
	Body       string      `json:"body"` // XML instead of Conditions
	ExpandBody bool        `json:"expand"`
	Asks       []string    `json:"asks"` // values of the called number that Body is filled in with, as forward_number
	Conditions []Condition `json:"conditions"`
}

// Condition is a condition of an extension and what it does. Position 0 stands for the condition on the called number,
// and has nothing but actions.
type Condition struct {
	Position       int     `json:"position"`
	Parent         int     `json:"parent"` // the position of the condition that it stands in; 0: in none
	Field          string  `json:"field"`
	Expression     string  `json:"expression"`
	Break          string  `json:"break"`
	Regex          string  `json:"regex"` // all, any or xor of Regexes, instead of Field and Expression
	Regexes        []Regex `json:"regexes"`
	NestedOptional bool    `json:"nested_optional"`
	Time
	Expand  bool     `json:"expand"`
	Actions []Action `json:"actions"`
}

// Regex is one of the things that a condition counts.
type Regex struct {
	Field      string `json:"field"`
	Expression string `json:"expression"`
	Time
	Expand bool `json:"expand"`
}

// Time is when a condition is true, as FreeSWITCH reads it. What is empty does not matter.
type Time struct {
	Wday        string `json:"wday"`
	Mday        string `json:"mday"`
	Mon         string `json:"mon"`
	TimeOfDay   string `json:"time_of_day"`
	DateTime    string `json:"date_time"`
	Year        string `json:"year"`
	Yday        string `json:"yday"`
	Week        string `json:"week"`
	Mweek       string `json:"mweek"`
	Hour        string `json:"hour"`
	Minute      string `json:"minute"`
	MinuteOfDay string `json:"minute_of_day"`
	TzOffset    string `json:"tz_offset"`
	DST         bool   `json:"dst"`
}

// Action is an action of a condition.
type Action struct {
	Application string `json:"application"`
	Data        string `json:"data"`
	Inline      bool   `json:"inline"`
	Anti        bool   `json:"anti"`
	Expand      bool   `json:"expand"`
}

// callRowsQuery reads the rows that many calls may need, by their keys: for each of the contexts $2 and the numbers $3 in them,
// and for the nodes $1. Each row is found by index, however few there are: OFFSET 0 keeps Postgres from comparing the rows of a
// subquery with others instead. A number is found by the index number_called, which does not tell one with a plus from one
// without.
const callRowsQuery = `
WITH c AS MATERIALIZED (
	SELECT c.*
	FROM (SELECT DISTINCT unnest($2::text[]) AS name OFFSET 0) q
	CROSS JOIN LATERAL (SELECT * FROM context WHERE lower(name) = q.name OFFSET 0) c
), n AS MATERIALIZED (
	SELECT n.*
	FROM unnest($2::text[], $3::text[]) q (context, number)
	JOIN c ON lower(c.name) = q.context
	CROSS JOIN LATERAL (
		SELECT *
		FROM number
		WHERE context || ' ' || ltrim(number, '+') = c.name || ' ' || ltrim(q.number, '+')
		OFFSET 0
	) n
	WHERE n.context = c.name
), x AS (
	SELECT extension AS name FROM n
	UNION
	SELECT not_found_extension FROM c
	UNION
	SELECT x.extension
	FROM c
	CROSS JOIN LATERAL (SELECT extension FROM context_extension WHERE context = c.name AND enabled OFFSET 0) x
), t AS (
	SELECT tenant AS name FROM n
	UNION
	SELECT tenant FROM c
)
SELECT '` + NodeTable + `', r.key, r.value
FROM (SELECT DISTINCT unnest($1::text[]) AS name OFFSET 0) q
CROSS JOIN LATERAL (` + NodeRow + ` AND name = q.name OFFSET 0) r (key, value)
UNION ALL
SELECT '` + ContextTable + `', r.key, r.value
FROM (` + ContextRow + ` FROM c) r (key, value)
UNION ALL
SELECT '` + NumberTable + `', r.key, r.value
FROM (` + NumberRow + ` FROM n WHERE enabled) r (key, value)
UNION ALL
SELECT '` + TenantTable + `', r.key, r.value
FROM t
CROSS JOIN LATERAL (` + TenantRow + ` WHERE name = t.name OFFSET 0) r (key, value)
UNION ALL
SELECT '` + ExtensionTable + `', r.key, r.value
FROM x
CROSS JOIN LATERAL (` + ExtensionRow + ` WHERE name = x.name OFFSET 0) r (key, value)`

// Route implements Source, in one round trip or a share of one.
func (s *Store) Route(ctx context.Context, call Call) (Answer[Route], error) {
	return together(ctx, s, &s.routes, s.askRoutes, call)
}

func (s *Store) askRoutes(ctx context.Context, calls []Call) ([]Answer[Route], error) {
	nodes := make([]string, len(calls))
	contexts, numbers := make([]string, 0, 2*len(calls)), make([]string, 0, 2*len(calls))
	for i, call := range calls {
		nodes[i] = call.Node
		room := Fold(call.Context)
		contexts, numbers = append(contexts, room, room), append(numbers, call.Number, e164(call.Number))
	}
	rows := make(rowsRead)
	scan := func(row pgx.CollectableRow) (none struct{}, err error) {
		var at rowKey
		var value []byte
		err = row.Scan(&at.table, &at.key, &value)
		rows[at] = append([]byte{}, value...)
		return none, err
	}
	_, fresh, err := pg.Lookup(ctx, s.from, scan, "route", callRowsQuery, nodes, contexts, numbers)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer[Route], len(calls))
	for i, call := range calls {
		if answers[i], err = s.rules.Route(rows, call); err != nil {
			return nil, err
		}
		answers[i].Freshness = fresh
	}
	return answers, nil
}

// rowsRead are rows that were read.
type rowsRead map[rowKey][]byte

type rowKey struct{ table, key string }

// Row implements Rows.
func (r rowsRead) Row(table, key string) ([]byte, error) { return r[rowKey{table, key}], nil }
