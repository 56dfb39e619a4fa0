package db

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// The tables whose rows say what is to be done with a call.
const (
	NodeTable      = "node"
	ContextTable   = "context" // with the extensions of table context_extension
	NumberTable    = "number"  // those that are enabled, by context and number
	TenantTable    = "tenant"
	ExtensionTable = "extension"
)

// Separator stands between parts of keys and of values. No value holds it.
const Separator = "\x1f"

// Queries for the rows of these tables, as keys and values. Some end where a FROM may follow, the others where a WHERE may.
const (
	NodeRow = `
	SELECT name, ''::bytea
	FROM node
	WHERE name <> '*'`

	ContextRow = `
	SELECT
		lower(name),
		convert_to(json_build_object(
			'name', name,
			'tenant', tenant,
			'number_forms', number_forms,
			'extensions', ARRAY(
				SELECT json_build_object('name', x.extension, 'after', x.after_number)
				FROM context_extension x
				WHERE x.context = name AND x.enabled
				ORDER BY x.position, x.extension
			),
			'not_found', not_found_extension
		)::text, 'UTF8')`

	NumberRow = `
	SELECT
		context || E'\x1f' || number,
		convert_to(concat_ws(E'\x1f',
			tenant, extension, coalesce(address, ''), coalesce(forward_number, ''), coalesce(display_name, '')), 'UTF8')`

	TenantRow = `
	SELECT name, convert_to(enabled::text, 'UTF8')
	FROM tenant`

	ExtensionRow = `
	SELECT name, convert_to(concat_ws(E'\x1f', coalesce(tenant, ''), compiled::text), 'UTF8')
	FROM extension`
)

// Rows are where a Rulebook finds rows.
type Rows interface {
	// Row returns the value of a row by the name of its table and its key, nil if there is none. An error says that it is not
	// to be had.
	Row(table, key string) ([]byte, error)
}

// Rulebook holds the rules by which rows make answers. It reads each text once: contexts and extensions come with every call,
// and a different one is a different text. It is safe for concurrent use; its zero value is ready.
type Rulebook struct {
	contexts   textReader[contextRow]
	extensions textReader[Extension]
}

// contextRow is a context with what stands in it for numbers that nobody has, and for every call.
type contextRow struct {
	Name        string   `json:"name"`
	Tenant      *string  `json:"tenant"`
	NumberForms []string `json:"number_forms"`
	Extensions  []struct {
		Name  string `json:"name"`
		After bool   `json:"after"` // every call gets it, behind the number's own
	} `json:"extensions"`
	NotFound *string `json:"not_found"`
}

// Route returns what is to be done with call. The tenants are compared, whatever the triggers let through.
func (b *Rulebook) Route(rows Rows, call Call) (a Answer[Route], err error) {
	node, err := rows.Row(NodeTable, call.Node)
	if err != nil {
		return a, err
	}
	a.NodeKnown = node != nil
	text, err := rows.Row(ContextTable, Fold(call.Context))
	if err != nil || text == nil {
		return a, err
	}
	room, err := b.contexts.read(text)
	if err != nil {
		return a, fmt.Errorf("context %s: %w", call.Context, err)
	}
	r := routing{b, rows, room, &a.Value}
	if room.Tenant != nil {
		if on, err := r.tenantEnabled(*room.Tenant); err != nil || !on {
			return a, err
		}
	}
	a.Value.Context = room.Name
	for _, number := range room.numbers(call.Number) {
		if found, err := r.called(number); err != nil || found {
			return a, err
		}
	}
	return a, r.notCalled()
}

// numbers are those that dialled may mean, the likelier one first.
func (room *contextRow) numbers(dialled string) (numbers []string) {
	takes := func(form string) bool { return slices.Contains(room.NumberForms, form) }
	form := "bare"
	if strings.HasPrefix(dialled, "00") {
		form = "00"
	}
	if !strings.HasPrefix(dialled, "+") || takes("plus") {
		numbers = append(numbers, dialled)
	}
	if other := e164(dialled); other != "" && takes(form) {
		numbers = append(numbers, other)
	}
	return numbers
}

// e164 is the number that a carrier wrote without its plus, as 27… or 0027…. It is nothing for one with a plus.
func e164(number string) string {
	switch {
	case strings.HasPrefix(number, "+"):
		return ""
	case strings.HasPrefix(number, "00"):
		return "+" + number[2:]
	default:
		return "+" + number
	}
}

// routing is one call on its way through the rules.
type routing struct {
	*Rulebook
	rows  Rows
	room  *contextRow
	route *Route
}

// called fills the route in if somebody has number.
func (r routing) called(number string) (bool, error) {
	text, err := r.rows.Row(NumberTable, r.room.Name+Separator+number)
	if err != nil || text == nil {
		return false, err
	}
	fields := bytes.Split(text, []byte(Separator))
	if len(fields) != 5 {
		return false, fmt.Errorf("number %s: %d fields", number, len(fields))
	}
	n := Number{number, string(fields[0]), string(fields[2]), string(fields[3]), string(fields[4])}
	if r.room.Tenant != nil && *r.room.Tenant != n.Tenant {
		return false, nil
	}
	if on, err := r.tenantEnabled(n.Tenant); err != nil || !on {
		return false, err
	}
	name := string(fields[1])
	own, err := r.extension(name, &n.Tenant)
	if err != nil || own == nil {
		return false, err
	}
	if err := r.everyCall(name, false); err != nil {
		return false, err
	}
	r.route.Called, r.route.Own, r.route.Extensions = &n, len(r.route.Extensions), append(r.route.Extensions, own)
	return true, r.everyCall(name, true)
}

// everyCall adds the extensions that every call gets before, or after, the number's own. One before it is of use only if it
// continues.
func (r routing) everyCall(own string, after bool) error {
	for _, x := range r.room.Extensions {
		if x.After != after || x.Name == own {
			continue
		}
		e, err := r.extension(x.Name, r.room.Tenant)
		if err != nil {
			return err
		}
		if e != nil && (after || e.Continue) {
			r.route.Extensions = append(r.route.Extensions, e)
		}
	}
	return nil
}

// notCalled fills the route in with what the context has for a number that nobody has.
func (r routing) notCalled() error {
	for _, x := range r.room.Extensions {
		e, err := r.extension(x.Name, r.room.Tenant)
		if err != nil {
			return err
		}
		if e != nil {
			r.route.Extensions = append(r.route.Extensions, e)
		}
	}
	if r.room.NotFound == nil {
		return nil
	}
	e, err := r.extension(*r.room.NotFound, r.room.Tenant)
	r.route.NotFound = e
	return err
}

// extension returns the extension name, nil if there is none, or it is of a tenant other than tenant.
func (r routing) extension(name string, tenant *string) (*Extension, error) {
	text, err := r.rows.Row(ExtensionTable, name)
	if err != nil || text == nil {
		return nil, err
	}
	own, compiled, _ := bytes.Cut(text, []byte(Separator))
	if len(own) > 0 && (tenant == nil || *tenant != string(own)) {
		return nil, nil
	}
	e, err := r.extensions.read(compiled)
	if err != nil {
		return nil, fmt.Errorf("extension %s: %w", name, err)
	}
	return e, nil
}

func (r routing) tenantEnabled(name string) (bool, error) {
	enabled, err := r.rows.Row(TenantTable, name)
	return string(enabled) == "true", err
}

// textReader reads texts in JSON, each once.
type textReader[T any] struct {
	mu   sync.Mutex
	seen map[string]*T
}

// textsKept bounds how many texts are kept.
const textsKept = 1000

func (r *textReader[T]) read(text []byte) (*T, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if value, ok := r.seen[string(text)]; ok {
		return value, nil
	}
	value := new(T)
	if err := json.Unmarshal(text, value); err != nil {
		return nil, err
	}
	if r.seen == nil || len(r.seen) >= textsKept {
		r.seen = make(map[string]*T)
	}
	r.seen[string(text)] = value
	return value, nil
}
