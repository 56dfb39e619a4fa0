package db

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
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
	Extensions []Extension
	NotFound   *Extension // the context's own answer for a number that nobody has
	NodeKnown  bool
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
	Conditions []Condition `json:"conditions"`
}

// Condition is a condition of an extension and what it does. Position 0 stands for the condition on the called number,
// and has nothing but actions.
type Condition struct {
	Position   int      `json:"position"`
	Field      string   `json:"field"`
	Expression string   `json:"expression"`
	Break      string   `json:"break"`
	Wday       string   `json:"wday"`
	Mday       string   `json:"mday"`
	Mon        string   `json:"mon"`
	TimeOfDay  string   `json:"time_of_day"`
	DateTime   string   `json:"date_time"`
	Expand     bool     `json:"expand"`
	Actions    []Action `json:"actions"`
}

// Action is an action of a condition.
type Action struct {
	Application string `json:"application"`
	Data        string `json:"data"`
	Inline      bool   `json:"inline"`
	Anti        bool   `json:"anti"`
	Expand      bool   `json:"expand"`
}

// routeRow is the answer to a question, with the extensions' names only, or, for question 0, one of those extensions.
type routeRow struct {
	Question      int64
	NodeKnown     bool
	Context       string
	Number        string
	Tenant        string
	Address       string
	ForwardNumber string
	DisplayName   string
	Extensions    []string
	NotFound      string
	Extension     *Extension
}

// routeQuery asks about many calls at once, and returns each extension that they need once. The tenants are compared
// here again, whatever the triggers let through.
const routeQuery = `
WITH hit AS MATERIALIZED (
	SELECT
		q.question,
		EXISTS (SELECT FROM node WHERE name = q.node AND name <> '*') AS node_known,
		c.name AS context,
		n.number,
		n.tenant,
		n.address,
		n.forward_number,
		n.display_name,
		CASE
			WHEN n.number IS NOT NULL THEN ARRAY[n.extension::text]
			ELSE ARRAY(
				SELECT x.extension::text
				FROM context_extension x
				JOIN extension e ON e.name = x.extension
				WHERE x.context = c.name
					AND x.enabled
					AND coalesce(e.tenant = coalesce(c.tenant, ''), true)
				ORDER BY x.position, x.extension
			)
		END AS extensions,
		(
			SELECT e.name
			FROM extension e
			WHERE n.number IS NULL
				AND e.name = c.not_found_extension
				AND coalesce(e.tenant = coalesce(c.tenant, ''), true)
		) AS not_found
	FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
		WITH ORDINALITY AS q (node, context, number, e164, form, question)
	LEFT JOIN LATERAL (
		SELECT c.*
		FROM context c
		LEFT JOIN tenant t ON t.name = c.tenant
		WHERE lower(c.name) = lower(q.context)
			AND coalesce(t.enabled, true)
	) c ON true
	LEFT JOIN LATERAL (
		SELECT n.*
		FROM number n
		JOIN tenant t ON t.name = n.tenant
		JOIN extension e ON e.name = n.extension
		WHERE n.context = c.name
			AND n.number = ANY (ARRAY[q.number, q.e164])
			AND n.enabled
			AND t.enabled
			AND coalesce(c.tenant = n.tenant, true)
			AND coalesce(e.tenant = n.tenant, true)
			AND CASE n.number
				WHEN q.number THEN n.number !~ '^\+' OR 'plus' = ANY (c.number_forms)
				ELSE q.form = ANY (c.number_forms::text[])
			END
		ORDER BY n.number <> q.number
		LIMIT 1
	) n ON true
)
SELECT
	h.question,
	h.node_known,
	coalesce(h.context, '') AS context,
	coalesce(h.number, '') AS number,
	coalesce(h.tenant, '') AS tenant,
	coalesce(h.address, '') AS address,
	coalesce(h.forward_number, '') AS forward_number,
	coalesce(h.display_name, '') AS display_name,
	h.extensions,
	coalesce(h.not_found, '') AS not_found,
	NULL::json AS extension
FROM hit h
UNION ALL
SELECT
	0, false, '', '', '', '', '', '', NULL, '',
	json_build_object(
		'name', e.name,
		'continue', e.continue,
		'body', e.body::text,
		'expand', e.expand,
		'conditions', (
			SELECT json_agg(c ORDER BY c.position)
			FROM (
				SELECT
					k.*,
					(
						SELECT json_agg(a ORDER BY a.position)
						FROM action a
						WHERE a.extension = e.name
							AND a.condition IS NOT DISTINCT FROM nullif(k.position, 0)
					) AS actions
				FROM (
					SELECT
						position, field, expression, break, wday, mday, mon, time_of_day, date_time, expand
					FROM condition
					WHERE extension = e.name
					UNION ALL
					SELECT 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false
				) k
			) c
		)
	)
FROM extension e
WHERE e.name IN (
	SELECT unnest(h.extensions) FROM hit h
	UNION ALL
	SELECT h.not_found FROM hit h
)`

// Route returns what is to be done with call, in one round trip or a share of one.
func (s *Store) Route(ctx context.Context, call Call) (Route, error) {
	return s.routes.answer(ctx, call)
}

func (s *Store) askRoutes(ctx context.Context, calls []Call) ([]Route, error) {
	var node, context, number, plus, form []string
	for _, call := range calls {
		e164, written := e164(call.Number)
		node, context, number = append(node, call.Node), append(context, call.Context), append(number, call.Number)
		plus, form = append(plus, e164), append(form, written)
	}
	rows, err := scan(ctx, s, scanRoute, "route", routeQuery, node, context, number, plus, form)
	if err != nil {
		return nil, err
	}
	return routes(rows, len(calls)), nil
}

// e164 reads a number that a carrier wrote without its plus, and tells in which form it did: 27… is bare, 0027… is 00.
func e164(number string) (plus, form string) {
	switch {
	case strings.HasPrefix(number, "+"):
		return "", ""
	case strings.HasPrefix(number, "00"):
		return "+" + number[2:], "00"
	default:
		return "+" + number, "bare"
	}
}

func scanRoute(row pgx.CollectableRow) (r routeRow, err error) {
	err = row.Scan(&r.Question, &r.NodeKnown, &r.Context, &r.Number, &r.Tenant, &r.Address, &r.ForwardNumber, &r.DisplayName,
		&r.Extensions, &r.NotFound, &r.Extension)
	return r, err
}

// routes gives each of n questions its answer, with the extensions that it names.
func routes(rows []routeRow, n int) []Route {
	extensions := make(map[string]Extension)
	for i := range rows {
		if e := rows[i].Extension; e != nil {
			extensions[e.Name] = *e
		}
	}
	answers := make([]Route, n)
	for i := range rows {
		row := &rows[i]
		if row.Question == 0 {
			continue
		}
		route := &answers[row.Question-1]
		route.Context, route.NodeKnown = row.Context, row.NodeKnown
		if row.Number != "" {
			route.Called = &Number{row.Number, row.Tenant, row.Address, row.ForwardNumber, row.DisplayName}
		}
		for _, name := range row.Extensions {
			route.Extensions = append(route.Extensions, extensions[name])
		}
		if row.NotFound != "" {
			notFound := extensions[row.NotFound]
			route.NotFound = &notFound
		}
	}
	return answers
}
