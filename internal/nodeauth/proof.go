package nodeauth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/crypto/bcrypt"

	"xmlcurld/xmlcurl"
)

// mostWrong is how many wrong passwords are remembered of each user. They are not guesses but a switch that is set up
// wrong, and sends one and the same again and again.
const mostWrong = 16

// cost is that of a hash made here: some 60 ms.
const cost = 10

// fast is a password's fast hash, keyed by what only this process knows.
type fast [sha256.Size]byte

type key [sha256.Size]byte

func newKey() (k key) {
	_, _ = rand.Read(k[:]) // it never fails
	return k
}

// fast hashes the key and password, which has at most mostPassword bytes, without allocating. It need be no HMAC: nobody
// outside of this process sees a hash that could be extended.
func (k *key) fast(password string) fast {
	var keyed [len(key{}) + mostPassword]byte
	n := copy(keyed[:], k[:])
	n += copy(keyed[n:], password)
	return sha256.Sum256(keyed[:n])
}

// proof is what is known of the password behind one slow hash.
type proof struct {
	hash string
	turn chan struct{} // one slow check at a time, so that who guesses one password delays nobody else

	mu    sync.Mutex
	known bool
	right fast
	wrong []fast // the oldest first
}

func newProof(hash string) *proof { return &proof{hash: hash, turn: make(chan struct{}, 1)} }

// check tells whether password is right: from memory, or, before the right one was seen, by the slow hash.
func (p *proof) check(ctx context.Context, c *Checker, password string) error {
	sum := c.key.fast(password)
	if verdict, settled := p.recall(sum); settled {
		return verdict
	}
	for _, queue := range []chan struct{}{p.turn, c.slots} {
		select {
		case queue <- struct{}{}:
			defer func() { <-queue }()
		case <-ctx.Done():
			return noTime(ctx)
		}
	}
	if verdict, settled := p.recall(sum); settled { // by the one who had the turn before
		return verdict
	}
	if ctx.Err() != nil {
		return noTime(ctx)
	}
	right := bcrypt.CompareHashAndPassword([]byte(p.hash), []byte(password)) == nil
	p.learn(sum, right)
	if !right {
		c.checks.WithLabelValues("wrong").Inc()
		return xmlcurl.ErrUnauthorized
	}
	c.checks.WithLabelValues("right").Inc()
	return nil
}

// recall compares in constant time, and with the right password only once that is known.
func (p *proof) recall(sum fast) (verdict error, settled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.known && hmac.Equal(sum[:], p.right[:]):
		return nil, true
	case p.known || slices.Contains(p.wrong, sum):
		return xmlcurl.ErrUnauthorized, true
	}
	return nil, false
}

func (p *proof) learn(sum fast, right bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if right {
		p.known, p.right, p.wrong = true, sum, nil
		return
	}
	if len(p.wrong) == mostWrong {
		p.wrong = slices.Delete(p.wrong, 0, 1)
	}
	p.wrong = append(p.wrong, sum)
}

// Hash is password as table node_credential holds it. The error says what is wrong with the password.
func Hash(password string) (string, error) {
	switch {
	case password == "":
		return "", errors.New("an empty password is none")
	case len(password) > mostPassword:
		return "", fmt.Errorf("a password may have %d bytes, this has %d", mostPassword, len(password))
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	return string(hash), err
}
