package localrows

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/localrows/disk"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
	"xmlcurld/internal/pace"
)

// changesSeen is how long local rows may be away to be brought up to date by what changed, which is kept for table.ChangesKept.
const changesSeen = 24 * time.Hour

// change is a row that changed.
type change struct {
	Relation string
	Scope    string // context or domain
	Key      string // empty: any row of the table
}

const changesQuery = `
SELECT DISTINCT relation, scope, coalesce(key, '') AS key
FROM (SELECT $1::pg_snapshot AS seen) m` + table.ChangesUnseen

// changes returns what the file does not show yet.
func (r *reader) changes(ctx context.Context) ([]change, error) {
	return pg.Rows(ctx, r.tx, pgx.RowToStructByPos[change], changesQuery, r.was.Snapshot)
}

// read reads the rows that changed.
func (r *reader) read(ctx context.Context, news []change) error {
	r.edits = make(map[disk.Place][]byte)
	by := make(map[*table.Table][]change)
	for _, n := range news {
		for _, t := range tablesOf[n.Relation] {
			by[t] = append(by[t], n)
		}
	}
	for t, some := range by {
		if err := r.readSome(ctx, t, some); err != nil {
			return err
		}
	}
	return nil
}

// readSome reads the rows of t that changed, or all of them. Those that are gone are deleted.
func (r *reader) readSome(ctx context.Context, t *table.Table, news []change) error {
	query, args := t.All()+" AND "+t.Some, []any(nil)
	var keys, scopes []string
	for _, n := range news {
		if n.ofWhole(t) {
			query, keys = t.All(), nil
			break
		}
		keys, scopes = append(keys, n.Key), append(scopes, n.Scope)
	}
	forget := r.forgetAll
	if keys != nil {
		forget = func(t *table.Table) error { return r.forget(t, news) }
		if args = []any{keys}; t.Scoped {
			args = append(args, scopes)
		}
	}
	if err := forget(t); err != nil {
		return err
	}
	return r.each(ctx, shareSome, query, args, func(key string, value []byte) error {
		r.put(t, key, value)
		return nil
	})
}

// put keeps a row, and what it adds to indexes.
func (r *reader) put(t *table.Table, key string, value []byte) {
	r.edits[disk.At(t.Name, key)] = value
	if t.Index == nil {
		return
	}
	for _, i := range t.Index(key, value) {
		r.edits[disk.At(i.Index, i.Key)] = []byte(i.Value)
	}
}

// forget deletes rows of t that changed, with what the file has of them in indexes.
func (r *reader) forget(t *table.Table, news []change) error {
	return r.file.View(func(v disk.View) error {
		for _, n := range news {
			key := t.Key(n.Scope, n.Key)
			r.edits[disk.At(t.Name, key)] = nil
			if t.Index == nil {
				continue
			}
			for _, i := range t.Index(key, v.Get(t.Name, key)) {
				r.edits[disk.At(i.Index, i.Key)] = nil
			}
		}
		return nil
	})
}

// forgetAll deletes all rows of t.
func (r *reader) forgetAll(t *table.Table) error {
	return r.file.View(func(v disk.View) error {
		for _, name := range t.Names() {
			err := v.Each(name, "", func(key string, _ []byte) error {
				r.edits[disk.At(name, key)] = nil
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// chunk is how many rows are written at a time when everything is read.
const chunk = 20_000

// readAll writes everything to the file fresh, in no hurry: others wait for their calls.
func (r *reader) readAll(ctx context.Context, fresh *disk.File) error {
	r.file, r.edits = fresh, make(map[disk.Place][]byte)
	for _, t := range table.All {
		err := r.each(ctx, shareAll, t.All()+t.Order, nil, func(key string, value []byte) error {
			if r.put(t, key, value); len(r.edits) < chunk {
				return nil
			}
			return r.write()
		})
		if err != nil {
			return err
		}
	}
	if err := r.write(); err != nil {
		return err
	}
	text, err := r.now.text()
	if err != nil {
		return err
	}
	return fresh.Finish(text)
}

// write writes what was read so far straight to the file.
func (r *reader) write() error {
	err := r.file.Write(r.edits)
	clear(r.edits)
	return err
}

// turn is a stretch of many rows that are read, before a time that is left to calls. PostgreSQL is never far ahead: it waits
// for who reads.
type turn struct {
	share time.Duration // of calls, when one is the turn's
	rows  int
	began time.Time
}

const (
	turnRows  = 100                  // at least: a few are read at once, however slowly
	turnTime  = 4 * time.Millisecond // at least
	shareSome = 1                    // what changed must not be in doubt for long
	shareAll  = 2                    // two thirds of a processor are the calls'
)

// rest counts rows that were read, and ends the turn if it was long enough.
func (t *turn) rest(ctx context.Context, rows int) error {
	if t.began.IsZero() { // to wait for the first row is no part of it
		t.began = time.Now()
	}
	t.rows += rows
	if took := time.Since(t.began); t.rows >= turnRows && took >= turnTime {
		pace.Sleep(ctx, t.share*took)
		t.rows, t.began = 0, time.Now()
	}
	return ctx.Err()
}

// each calls keep with every row of query, which has two columns and is planned for the tables as they are. It reads them in
// turns, with share of them in between.
func (r *reader) each(ctx context.Context, share time.Duration, query string, args []any, keep func(key string, value []byte) error) error {
	rows, err := r.tx.Query(ctx, query, append([]any{pg.PlannedAnew}, args...)...)
	if err != nil {
		return err
	}
	var key string
	var value []byte
	t := turn{share: share}
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		if err := keep(key, value); err != nil {
			return err
		}
		return t.rest(ctx, 1)
	})
	return err
}
