package db

import (
	"context"
	"fmt"
	"strings"

	"xmlcurld/db/table"
)

// CredentialNotice is the kind of notice that tells of a change in table node_credential.
const CredentialNotice = "credential"

// Credential is what a node proves itself with.
type Credential struct {
	Username     string
	Node         string
	PasswordHash string // as bcrypt writes it
	Enabled      bool
}

// Credentials returns those of all nodes, by username.
func (b *Rulebook) Credentials(ctx context.Context) (all []Credential, err error) {
	_, err = b.rows.Read(ctx, table.ForCredentials.About(), func(rows table.Rows) error {
		all = nil
		return rows.Each(table.Credential, "", func(username string, row []byte) error {
			fields := strings.Split(string(row), table.Separator)
			if len(fields) != 3 {
				return fmt.Errorf("credential %s: %d fields", username, len(fields))
			}
			all = append(all, Credential{username, fields[0], fields[1], fields[2] == "t"})
			return nil
		})
	})
	return all, err
}
