package db

import (
	"context"

	"xmlcurld/db/pg"
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

const credentialsQuery = `
SELECT
	username,
	node,
	password_hash,
	enabled
FROM node_credential
ORDER BY username`

// Credentials implements Source.
func (s *Store) Credentials(ctx context.Context) ([]Credential, error) {
	credentials, _, err := pg.Collect[Credential](ctx, s.from, "credentials", credentialsQuery)
	return credentials, err
}
