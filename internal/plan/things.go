package plan

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/table"
)

// Reached is how many of something an edit reaches: their own rows change, or what they are told is made of one that does.
type Reached struct {
	Kind  string `json:"kind"` // number, user, gateway, context, …
	By    string `json:"by"`   // extension, context, domain or tenant; empty: they are changed themselves
	Count int    `json:"count"`
	More  bool   `json:"more"` // Count is the least
}

// thing is what a document is asked about.
type thing struct{ kind, key string } // key: parts, with table.Separator between them

func (t thing) parts() []string { return strings.Split(t.key, table.Separator) }

// aboutRow tells what a table's rows are about, and how many values of their keys name it.
var aboutRow = map[string]struct {
	kind  string
	parts int
}{
	"number":               {"number", 2},
	"extension":            {"extension", 1},
	"context":              {"context", 1},
	"context_extension":    {"context", 1},
	"domain":               {"domain", 1},
	"domain_param":         {"domain", 1},
	"domain_variable":      {"domain", 1},
	"domain_user":          {"user", 2},
	"domain_user_param":    {"user", 2},
	"domain_user_variable": {"user", 2},
	"domain_group_user":    {"group", 2},
	"gateway":              {"gateway", 1},
	"tenant":               {"tenant", 1},
	"document":             {"document", 3},
}

// thingsMost is how many things of a kind are told apart.
const thingsMost = 20_000

// things are what rows are about, each once.
type things struct {
	examples int
	known    map[thing]bool
	count    map[string]int
	first    []thing
	reached  []Reached
}

func newThings(examples int) things {
	return things{examples: examples, known: make(map[thing]bool), count: make(map[string]int), reached: []Reached{}}
}

// about adds what a row is about. A row with another key is another row.
func (t *things) about(r *row) {
	of, ok := aboutRow[r.table]
	if !ok || t.count[of.kind] > thingsMost {
		return
	}
	parts := strings.Split(r.key, " ")
	parts = parts[:min(len(parts), of.parts)]
	if r.table == "number" { // which the history has in front of its context
		slices.Reverse(parts)
	}
	t.add(thing{of.kind, strings.Join(parts, table.Separator)})
}

// add adds a thing. Of each kind the first few are examples, but of extensions and the like, which lead to others, all are.
func (t *things) add(one thing) {
	if t.known[one] {
		return
	}
	t.known[one] = true
	t.count[one.kind]++
	if leads := slices.ContainsFunc(ways, func(w way) bool { return w.by == one.kind }); leads || t.count[one.kind] <= t.examples {
		t.first = append(t.first, one)
	}
}

// names are all things of a kind, nil if they are too many to be told apart.
func (t *things) names(kind string) (all []string) {
	if t.count[kind] > thingsMost {
		return nil
	}
	for one := range t.known {
		if one.kind == kind {
			all = append(all, one.key)
		}
	}
	return all
}

// way leads from a thing to those that are told what is in its row.
type way struct{ by, kind, key, from string }

var ways = []way{
	{"extension", "number", `context || E'\x1f' || number`, `number WHERE extension = ANY ($1)`},
	{"extension", "context", `name`, `context WHERE not_found_extension = ANY ($1)
		OR name IN (SELECT context FROM context_extension WHERE extension = ANY ($1))`},
	{"context", "number", `context || E'\x1f' || number`, `number WHERE context = ANY ($1)`},
	{"domain", "user", `domain || E'\x1f' || id`, `domain_user WHERE domain = ANY ($1)`},
	{"tenant", "number", `context || E'\x1f' || number`, `number WHERE tenant = ANY ($1)`},
	{"tenant", "user", `u.domain || E'\x1f' || u.id`, `domain_user u JOIN domain d ON d.name = u.domain WHERE d.tenant = ANY ($1)`},
	{"tenant", "gateway", `name`, `gateway WHERE tenant = ANY ($1)`},
}

// reach follows the ways, and adds examples of what they lead to.
func (t *things) reach(ctx context.Context, tx pgx.Tx) error {
	for kind, count := range t.count {
		if !slices.ContainsFunc(ways, func(w way) bool { return w.by == kind }) {
			t.reached = append(t.reached, Reached{kind, "", count, count > thingsMost})
		}
	}
	slices.SortFunc(t.reached, func(a, b Reached) int { return strings.Compare(a.Kind, b.Kind) })
	changed := slices.Clone(t.first)
	for _, w := range ways {
		var names []string
		for _, one := range changed {
			if one.kind == w.by {
				names = append(names, one.key)
			}
		}
		if len(names) == 0 {
			continue
		}
		r := Reached{Kind: w.kind, By: w.by}
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM `+w.from, names).Scan(&r.Count); err != nil {
			return err
		}
		if r.Count == 0 {
			continue
		}
		t.reached = append(t.reached, r)
		rows, err := tx.Query(ctx, `SELECT `+w.key+` FROM `+w.from+` LIMIT $2`, names, t.examples)
		if err != nil {
			return err
		}
		keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, key := range keys {
			if one := (thing{w.kind, key}); !slices.Contains(t.first, one) {
				t.first = append(t.first, one)
			}
		}
	}
	return nil
}
