package db

import "context"

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

// Credentials returns those of all nodes.
func (s *Store) Credentials(ctx context.Context) ([]Credential, error) {
	s.asked(true, "credentials", Common)
	return collect[Credential](ctx, s, "credentials", credentialsQuery)
}
