package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
)

// fileVersion is of the form of saved plans.
const fileVersion = 1

// file is a saved plan.
type file struct {
	Version    int               `json:"version"`
	Reason     string            `json:"reason"`
	Statements []Statement       `json:"statements"`
	Cluster    string            `json:"cluster"`
	Database   string            `json:"database"`
	Schema     int64             `json:"schema"`
	At         time.Time         `json:"at"`
	Salt       []byte            `json:"salt"`
	Digest     string            `json:"digest"`
	Rows       map[string]string `json:"rows"`
}

// Save saves an edit with what its plan came to, in a file that only its owner may read: statements may hold secrets.
func Save(name string, e Edit, b *Base) error {
	content, err := json.MarshalIndent(file{fileVersion, e.Reason, e.Statements, b.Cluster, b.Database, b.Schema, b.At, b.Salt, b.sum, b.rows}, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	_, err = f.Write(append(content, '\n'))
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// Load reads what Save saved.
func Load(r io.Reader) (e Edit, b *Base, err error) {
	var f file
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return e, nil, fmt.Errorf("this is no saved plan: %w", err)
	}
	if f.Version != fileVersion {
		return e, nil, fmt.Errorf("this plan was saved by another version: form %d, and not %d", f.Version, fileVersion)
	}
	return Edit{f.Statements, f.Reason}, &Base{
		Cluster: f.Cluster, Database: f.Database, Schema: f.Schema, At: f.At, Salt: f.Salt, digest: digest{f.Digest, f.Rows},
	}, nil
}
