package xmlcurl

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
)

// ErrUnauthorized is what an Authenticator says to a wrong password: HTTP 401.
var ErrUnauthorized = errors.New("unauthorized")

// Authenticator knows what each node sends as its own credentials.
type Authenticator interface {
	// Authenticate returns the node whose user and password these are. The error is ErrNotFound for a user whom nobody
	// has, ErrUnauthorized for a wrong password, and ErrUnavailable when it cannot tell now.
	Authenticate(ctx context.Context, user, password string) (node string, err error)
}

// credentials are what requests have to carry as HTTP's Basic scheme does it. mod_xml_curl sends what its
// gateway-credentials parameter holds with the first request, unasked.
type credentials struct {
	common   [sha256.Size]byte // of the "user:password" that any node may send
	shared   bool              // there is one
	required bool
	nodes    Authenticator // may be nil
}

// newCredentials takes the "user:password" of all nodes, which is required unless it is empty; the nodes' own may be
// required as well.
func newCredentials(userPassword string, nodes Authenticator, required bool) *credentials {
	return &credentials{
		common: sha256.Sum256([]byte(userPassword)), shared: userPassword != "",
		required: required || userPassword != "", nodes: nodes,
	}
}

// node returns which node sent a request, and "" when it may be any node's. Where nothing is required, who sends a node's user has
// to be that node all the same, unless there is no telling: he could as well have sent nothing.
func (c *credentials) node(ctx context.Context, r interface {
	BasicAuth() (user, password string, sent bool)
}) (string, error) {
	user, password, sent := r.BasicAuth()
	if !sent && !c.required {
		return "", nil
	}
	if c.shared && sent && c.isCommon(user, password) {
		return "", nil
	}
	if sent && c.nodes != nil {
		node, err := c.nodes.Authenticate(ctx, user, password)
		if !errors.Is(err, ErrNotFound) && (c.required || !errors.Is(err, ErrUnavailable)) {
			return node, err
		}
	}
	if c.required {
		return "", ErrUnauthorized
	}
	return "", nil
}

// isCommon compares hashes, so that the time it takes tells nothing about how much of a guess, or its length, was right.
func (c *credentials) isCommon(user, password string) bool {
	hash := sha256.Sum256([]byte(user + ":" + password))
	return subtle.ConstantTimeCompare(hash[:], c.common[:]) == 1
}
