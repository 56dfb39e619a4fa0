package xmlcurl

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
)

// credentials is the user and password that every request must carry, as HTTP's Basic scheme does it. mod_xml_curl
// sends what its gateway-credentials parameter holds with the first request, unasked.
type credentials struct {
	hash [sha256.Size]byte
	open bool // none are asked for
}

// newCredentials takes "user:password"; "" lets everybody in.
func newCredentials(userPassword string) credentials {
	return credentials{hash: sha256.Sum256([]byte(userPassword)), open: userPassword == ""}
}

// allow compares hashes, so that the time it takes tells nothing about how much of a guess, or its length, was right.
func (c credentials) allow(r *http.Request) bool {
	if c.open {
		return true
	}
	user, password, ok := r.BasicAuth()
	hash := sha256.Sum256([]byte(user + ":" + password))
	return subtle.ConstantTimeCompare(hash[:], c.hash[:]) == 1 && ok
}
