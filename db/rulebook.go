// Package db holds the rules by which rows make what FreeSWITCH is told. It knows no XML; a file of it goes with each file of
// package sections.
package db

import (
	"context"
	"encoding/json"
	"sync"

	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// ErrUnavailable says that the rows cannot be had now: Postgres is away, starting, full, or too slow for the deadline.
var ErrUnavailable = pg.ErrUnavailable

// Rulebook answers what FreeSWITCH asks for, by the rules that make answers of rows. Each rule stands here once, wherever
// the rows come from. It is safe for concurrent use.
type Rulebook struct {
	rows    table.Source
	secrets Secrets

	nodes      textReader[nodeRow]
	contexts   textReader[contextRow]
	extensions textReader[Extension]
	domains    textReader[domainRow]
	lists      memory[listsRead]
	trunks     memory[[]*gatewayRow]
}

// NewRulebook returns a Rulebook over rows. Secrets resolves what rows refer to; nil: nobody knows it.
func NewRulebook(rows table.Source, secrets Secrets) *Rulebook {
	if secrets == nil {
		secrets = noSecrets{}
	}
	return &Rulebook{rows: rows, secrets: secrets}
}

// ask answers q, which node asks, by a rule.
func ask[T any](ctx context.Context, b *Rulebook, q table.Question, rule func(rows table.Rows) (T, error)) (a Answer[T], err error) {
	node := q.Node()
	a.Freshness, err = b.rows.Read(ctx, q, func(rows table.Rows) error {
		row, err := rows.Row(table.Node, node)
		if err != nil {
			return err
		}
		a.NodeKnown = row != nil && node != table.Common
		a.Value, err = rule(rows)
		return err
	})
	if err != nil {
		return Answer[T]{}, err
	}
	return a, nil
}

// textReader reads texts in JSON, each once: contexts, extensions and domains come with every call, and a different one is a
// different text. What it returns is only to be read. Its zero value is ready.
type textReader[T any] struct {
	mu           sync.Mutex
	seen, before map[string]*T // lately, and before that
}

// textsKept bounds how many texts each of the two holds.
const textsKept = 2000

func (r *textReader[T]) read(text []byte) (*T, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if value, ok := r.seen[string(text)]; ok {
		return value, nil
	}
	value, ok := r.before[string(text)]
	if !ok {
		value = new(T)
		if err := json.Unmarshal(text, value); err != nil {
			return nil, err
		}
	}
	if r.seen == nil || len(r.seen) >= textsKept {
		r.seen, r.before = make(map[string]*T), r.seen
	}
	r.seen[string(text)] = value
	return value, nil
}

// memory keeps what was made of many rows, for as long as these are the same. Its zero value is ready.
type memory[T any] struct {
	mu   sync.Mutex
	kept map[string]remembered[T]
}

type remembered[T any] struct {
	version uint64
	value   T
}

// memoryKept bounds how much a memory holds.
const memoryKept = 16

// recall returns what was made of rows in a version, unless that is not known.
func (m *memory[T]) recall(key string, version uint64) (value T, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.kept[key]
	return r.value, ok && version != 0 && r.version == version
}

func (m *memory[T]) keep(key string, version uint64, value T) {
	if version == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil || len(m.kept) >= memoryKept {
		m.kept = make(map[string]remembered[T])
	}
	m.kept[key] = remembered[T]{version, value}
}

// Answer is what the rows say to one question, and what is known of that.
type Answer[T any] struct {
	Value     T
	NodeKnown bool // the node that asks has a row of its own
	Freshness pg.Freshness
}
