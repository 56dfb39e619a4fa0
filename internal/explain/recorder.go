package explain

import (
	"context"
	"strings"

	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// recorder is a Source that notes which rows a rule reads.
type recorder struct {
	table.Source
	all   []Row
	noted map[Row]bool
}

// Read implements table.Source.
func (r *recorder) Read(ctx context.Context, q table.Question, answer func(table.Rows) error) (pg.Freshness, error) {
	return r.Source.Read(ctx, q, func(rows table.Rows) error { return answer(recordedRows{rows, r}) })
}

func (r *recorder) note(name, key string) {
	row := Row{name, strings.ReplaceAll(key, table.Separator, " ")}
	if !r.noted[row] {
		r.noted[row] = true
		r.all = append(r.all, row)
	}
}

type recordedRows struct {
	table.Rows
	recorder *recorder
}

// Row implements table.Rows. Rows of all of a kind, which Each reads, are no news: what decides among them is noted there.
func (r recordedRows) Row(name, key string) ([]byte, error) {
	value, err := r.Rows.Row(name, key)
	if value != nil && err == nil {
		r.recorder.note(name, key)
	}
	return value, err
}
