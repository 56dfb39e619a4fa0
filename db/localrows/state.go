package localrows

import (
	"encoding/json"
	"time"

	"xmlcurld/db"
	"xmlcurld/db/localrows/disk"
)

// state is the moment that the file shows.
type state struct {
	Position position
	InStepAt time.Time // by this machine's clock: when it was known to be the database's latest
}

// The buckets besides those for the rows that calls need, which have the names of their tables.
const (
	ofUsers    = "domain_user"
	ofAliases  = "number_alias"
	ofGateways = "gateway"
	ofAnswers  = "answer"
	ofWaiting  = "waiting" // questions whose answers were overtaken, and since when
)

var layout = disk.Layout{
	Buckets: []string{db.NodeTable, db.TenantTable, db.ContextTable, db.ExtensionTable, db.NumberTable, ofUsers, ofAliases, ofGateways, ofAnswers, ofWaiting},
	Format:  "8",
}

// stateOf reads the state of a file. One that was not written is the zero state.
func stateOf(file *disk.File) (s state, err error) {
	text := file.State()
	if text == nil {
		return s, nil
	}
	return s, json.Unmarshal(text, &s)
}

func (s state) text() ([]byte, error) { return json.Marshal(s) }
