package db

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// Secrets knows what the references in rows stand for. It is asked at each use and has to answer at once.
type Secrets interface {
	// Resolve returns the secret of a reference. The error names the reference and tells nothing of the secret.
	Resolve(reference string) (string, error)
}

// noSecrets knows none.
type noSecrets struct{}

// Resolve implements Secrets.
func (noSecrets) Resolve(reference string) (string, error) {
	return "", errors.New("secret " + reference + ": nobody knows it here")
}

// resolve returns a secret with a mark that another secret would not have, and that tells nothing of it to those who do
// not know key.
func (b *Rulebook) resolve(reference, key string) (value, mark string, err error) {
	if value, err = b.secrets.Resolve(reference); err != nil {
		return "", "", err
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(value))
	return value, hex.EncodeToString(mac.Sum(nil)[:8]), nil
}

// Resolve returns the secret of a reference. The error names the reference.
func (b *Rulebook) Resolve(reference string) (string, error) { return b.secrets.Resolve(reference) }
