package db

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

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

// routeRow is an answer to a question. A number that was dialled as 0027… may have two: as it stands, and as +27….
type routeRow struct {
	Question      int64
	NodeKnown     bool
	Context       string
	Number        string
	Tenant        string
	Address       string
	ForwardNumber string
	DisplayName   string
	Extension     string   // of the number, compiled
	Extensions    []string // of the context, compiled; where a number was called, an empty one stands for the number's own
	NotFound      string   // compiled
}

// routeQuery asks about many calls at once. What few calls need is in a function, since Postgres prepares each subquery
// for each question, whether it comes to it or not. A number is found by the index number_called, which does not tell one with a plus
// from one without, so that both ways to write it are one look. The tenants are compared again, whatever the triggers let through.
const routeQuery = `
SELECT
	q.question,
	` + askerKnown + `,
	coalesce(c.name, ''),
	CASE WHEN called.it THEN n.number ELSE '' END,
	coalesce(n.tenant, ''),
	coalesce(n.address, ''),
	coalesce(n.forward_number, ''),
	coalesce(n.display_name, ''),
	CASE WHEN called.it THEN e.compiled::text ELSE '' END,
	CASE
		WHEN NOT called.it THEN ARRAY(
			SELECT o.compiled::text
			FROM (
				SELECT extension, position
				FROM context_extension
				WHERE context = c.name
					AND enabled
				OFFSET 0
			) x
			CROSS JOIN LATERAL (
				SELECT compiled
				FROM extension
				WHERE name = x.extension
					AND coalesce(tenant = coalesce(c.tenant, ''), true)
				OFFSET 0
			) o
			ORDER BY x.position, x.extension
		)
		WHEN c.every_call THEN around_number(c.name, e.name)
	END,
	CASE
		WHEN called.it THEN ''
		ELSE coalesce((
			SELECT o.compiled::text
			FROM extension o
			WHERE o.name = c.not_found_extension
				AND coalesce(o.tenant = coalesce(c.tenant, ''), true)
		), '')
	END
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
	WITH ORDINALITY AS q (node, context, number, e164, question)
LEFT JOIN LATERAL (
	SELECT *
	FROM context
	WHERE lower(name) = q.context
		AND coalesce((SELECT enabled FROM tenant WHERE name = context.tenant), true)
	OFFSET 0
) c ON true
LEFT JOIN LATERAL (
	SELECT *
	FROM number
	WHERE context || ' ' || ltrim(number, '+') = c.name || ' ' || ltrim(q.number, '+')
		AND enabled
		AND CASE number
			WHEN q.number THEN q.number NOT LIKE '+%' OR 'plus' = ANY (c.number_forms)
			WHEN q.e164 THEN 'bare' = ANY (c.number_forms)
		END
	UNION ALL
	SELECT *
	FROM number
	WHERE q.number LIKE '00%'
		AND context || ' ' || ltrim(number, '+') = c.name || ' ' || ltrim(q.e164, '+')
		AND number = q.e164
		AND enabled
		AND '00' = ANY (c.number_forms)
) n ON true
LEFT JOIN LATERAL (
	SELECT *
	FROM tenant
	WHERE name = n.tenant
	OFFSET 0
) t ON true
LEFT JOIN LATERAL (
	SELECT *
	FROM extension
	WHERE name = n.extension
	OFFSET 0
) e ON true
CROSS JOIN LATERAL (
	SELECT coalesce(t.enabled AND coalesce(c.tenant = t.name, true) AND coalesce(e.tenant = t.name, true), false) AS it
) called`

// Route implements Source, in one round trip or a share of one.
func (s *Store) Route(ctx context.Context, call Call) (Answer[Route], error) {
	return together(ctx, s, &s.routes, s.askRoutes, call)
}

func (s *Store) askRoutes(ctx context.Context, calls []Call) ([]Answer[Route], error) {
	n := len(calls)
	columns := make([]string, 4*n) // of the questions: node, context, number, e164
	for i, call := range calls {
		columns[i], columns[n+i], columns[2*n+i] = call.Node, Fold(call.Context), call.Number
		columns[3*n+i] = E164(call.Number)
	}
	rows, fresh, err := pg.Lookup(ctx, s.from, scanRoute, "route", routeQuery,
		columns[:n], columns[n:2*n], columns[2*n:3*n], columns[3*n:])
	if err != nil {
		return nil, err
	}
	return s.routeAnswers(rows, calls, fresh)
}

// E164 is the number that a carrier wrote without its plus, as 27… or 0027…. It is nothing for one with a plus.
func E164(number string) string {
	switch {
	case strings.HasPrefix(number, "+"):
		return ""
	case strings.HasPrefix(number, "00"):
		return "+" + number[2:]
	default:
		return "+" + number
	}
}

func scanRoute(row pgx.CollectableRow) (r routeRow, err error) {
	err = row.Scan(&r.Question, &r.NodeKnown, &r.Context, &r.Number, &r.Tenant, &r.Address, &r.ForwardNumber, &r.DisplayName,
		&r.Extension, &r.Extensions, &r.NotFound)
	return r, err
}

// routeAnswers gives each of calls its answer. Where two numbers fit, the one that was dialled as it stands is meant.
func (s *Store) routeAnswers(rows []routeRow, calls []Call, fresh pg.Freshness) ([]Answer[Route], error) {
	answers := make([]Answer[Route], len(calls))
	for i := range rows {
		row := &rows[i]
		answer := &answers[row.Question-1]
		if answer.Value.Called != nil && row.Number != calls[row.Question-1].Number {
			continue
		}
		route, err := s.routeAnswer(row)
		if err != nil {
			return nil, err
		}
		*answer = Answer[Route]{route, row.NodeKnown, fresh}
	}
	return answers, nil
}

func (s *Store) routeAnswer(row *routeRow) (Route, error) {
	r := Route{Context: row.Context}
	compiled := row.Extensions
	if row.Number != "" {
		r.Called = &Number{row.Number, row.Tenant, row.Address, row.ForwardNumber, row.DisplayName}
		if r.Own = slices.Index(compiled, ""); r.Own < 0 {
			r.Own, compiled = 0, []string{""}
		}
		compiled[r.Own] = row.Extension
	}
	r.Extensions = make([]*Extension, len(compiled))
	for i := range compiled {
		extension, err := s.extensions.Read(compiled[i])
		if err != nil {
			return Route{}, err
		}
		r.Extensions[i] = extension
	}
	if row.NotFound != "" {
		notFound, err := s.extensions.Read(row.NotFound)
		if err != nil {
			return Route{}, err
		}
		r.NotFound = notFound
	}
	return r, nil
}

// ExtensionReader reads compiled extensions, each text once: Postgres sends it with every call, and a different extension
// is a different text.
type ExtensionReader struct {
	mu   sync.Mutex
	seen map[string]*Extension
}

// extensionsKept bounds how many texts are kept.
const extensionsKept = 1000

// ReadBytes is Read for a text that is not kept as a string.
func (r *ExtensionReader) ReadBytes(compiled []byte) (*Extension, error) {
	r.mu.Lock()
	e, ok := r.seen[string(compiled)]
	r.mu.Unlock()
	if ok {
		return e, nil
	}
	return r.Read(string(compiled))
}

// Read returns the extension that compiled is.
func (r *ExtensionReader) Read(compiled string) (*Extension, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.seen[compiled]; ok {
		return e, nil
	}
	e := new(Extension)
	if err := json.Unmarshal([]byte(compiled), e); err != nil {
		return nil, fmt.Errorf("read a compiled extension: %w", err)
	}
	if r.seen == nil || len(r.seen) >= extensionsKept {
		r.seen = make(map[string]*Extension)
	}
	r.seen[compiled] = e
	return e, nil
}
