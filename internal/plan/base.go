package plan

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// Base is what a plan was made from, and what it came to.
type Base struct {
	Cluster  string // the database cluster's identifier
	Database string
	Schema   int64 // the last migration
	At       time.Time
	Salt     []byte

	digest
}

// newBase reads what database that of tx is. Its digests can be compared with those of another, unless that is nil.
func newBase(ctx context.Context, tx pgx.Tx, other *Base) (*Base, error) {
	b := new(Base)
	if other != nil {
		b.Salt = other.Salt
	} else {
		b.Salt = make([]byte, 16)
		_, _ = rand.Read(b.Salt) // never fails
	}
	return b, tx.QueryRow(ctx, `
		SELECT
			(SELECT system_identifier::text FROM pg_control_system()), current_database()::text, now(),
			(SELECT max(version_id) FROM goose_db_version WHERE is_applied)`).Scan(&b.Cluster, &b.Database, &b.At, &b.Schema)
}

// ErrChanged says that an edit would not do any more what its plan says.
var ErrChanged = errors.New("what the plan was made from has changed since")

// check compares what a plan came to with what its edit has done now. Tx sees what others have done since.
func (b *Base) check(ctx context.Context, tx pgx.Tx, now *Base) error {
	switch {
	case b.Cluster != now.Cluster || b.Database != now.Database:
		return fmt.Errorf("the plan is for another database: %s of cluster %s", b.Database, b.Cluster)
	case b.Schema != now.Schema:
		return fmt.Errorf("the plan is for another schema: migration %d, and not %d", b.Schema, now.Schema)
	case b.sum == now.sum:
		return nil
	}
	var which, tables, keys []string
	for _, name := range merged(slices.Sorted(maps.Keys(b.rows)), slices.Sorted(maps.Keys(now.rows))) {
		if b.rows[name] == now.rows[name] {
			continue
		}
		shown := strings.ReplaceAll(name, table.Separator, " ")
		switch {
		case now.rows[name] == "":
			shown += " would not be changed any more"
		case b.rows[name] == "":
			shown += " would be changed, too"
		default:
			shown += " is another row now, or would become another one"
		}
		which = append(which, shown)
		of, key, _ := strings.Cut(name, table.Separator)
		tables, keys = append(tables, of), append(keys, key)
	}
	if len(which) > changesNamed {
		which = append(which[:changesNamed], fmt.Sprintf("… and %d more", len(which)-changesNamed))
	}
	if len(which) == 0 {
		which = []string{"rows behind the first of them"}
	}
	others, err := editsSince(ctx, tx, b.At, tables, keys)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w:\n  %s\nNothing is changed. Make another plan", ErrChanged, strings.Join(append(which, others...), "\n  "))
}

// editsSince tells who has changed some rows since a time.
func editsSince(ctx context.Context, tx pgx.Tx, since time.Time, tables, keys []string) ([]string, error) {
	return pg.Rows(ctx, tx, pgx.RowTo[string], `
		SELECT DISTINCT format('edit %s by %s with %s', h.edit, h.role, coalesce(nullif(h.application, ''), 'an unnamed program'))
		FROM history h
		JOIN unnest($2::text[], $3::text[]) c (relation, key) ON c.relation = h.relation AND c.key = h.key
		WHERE h.at >= $1 AND h.edit <> this_edit_number()`, since, tables, keys)
}

// changesNamed is how many rows that have changed since a plan are named.
const changesNamed = 10

// Commit makes an edit as its plan says, or not at all: it fails with ErrChanged where the edit would come to something else.
func Commit(ctx context.Context, url string, e Edit, planned *Base, application string) ([]Done, error) {
	c, err := connect(ctx, url, application)
	if err != nil {
		return nil, err
	}
	defer c.close()
	tx, err := c.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	now, err := newBase(ctx, tx, planned)
	if err != nil {
		return nil, err
	}
	done, err := c.run(ctx, tx, e)
	if err != nil {
		return nil, err
	}
	rows, err := changes(ctx, tx, 0, now.Salt)
	if err != nil {
		return nil, err
	}
	now.digest = rows.digest
	if err := planned.check(ctx, tx, now); err != nil {
		return nil, err
	}
	return done, tx.Commit(ctx)
}
