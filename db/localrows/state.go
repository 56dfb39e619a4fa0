package localrows

import (
	"encoding/json"
	"time"

	"xmlcurld/db/localrows/disk"
	"xmlcurld/db/table"
)

// state is the moment that the file shows.
type state struct {
	Position position
	InStepAt time.Time // by this machine's clock: when it was known to be the database's latest
}

// layout has a bucket for each table and for each index.
var layout = func() disk.Layout {
	l := disk.Layout{Format: "10"}
	for _, t := range table.All {
		l.Buckets = append(l.Buckets, t.Names()...)
	}
	return l
}()

// stateOf reads the state of a file. One that was not written is the zero state.
func stateOf(file *disk.File) (s state, err error) {
	text := file.State()
	if text == nil {
		return s, nil
	}
	return s, json.Unmarshal(text, &s)
}

func (s state) text() ([]byte, error) { return json.Marshal(s) }
