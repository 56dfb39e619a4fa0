// Package mask takes secrets out of what people are shown: XML documents as FreeSWITCH gets them, and single values.
//
// A secret is known by its name: of a param or variable, an attribute, an element, or what stands before = or : in a text.
// So are the credentials in a URL and the PIN in the data of application conference. What an operator hides under an
// innocent name is not recognised. The view history in SQL masks rows by the same rules:
// a test of internal/plan compares the two.
package mask

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Masker puts marks such as secret:3f9a01bc in the place of secrets. A secret that stays has the same mark at the same place, so
// that a change shows. At two places equal secrets have different marks: who may write one of them cannot try out the other.
// The marks of two Maskers have nothing in common, and nothing of a secret can be found from its mark. It is safe for concurrent
// use.
type Masker struct {
	key [sha256.Size]byte

	mu    sync.RWMutex
	names map[string]bool // that were looked at: whether each is a secret's
}

// New makes a Masker whose key is read from random. The error is that of reading.
func New(random io.Reader) (*Masker, error) {
	m := &Masker{names: map[string]bool{}}
	if _, err := io.ReadFull(random, m.key[:]); err != nil {
		return nil, fmt.Errorf("key of masks: %w", err)
	}
	return m, nil
}

// Value is value, which stands at place, without secrets: a mark where name is a secret's, else value with marks for the secrets
// in it, such as the password in a dial string. An empty value is no secret.
func (m *Masker) Value(place, name, value string) string {
	if value != "" && IsSecret(name) {
		return m.mark(place, value)
	}
	return m.cut(place, value, secretsIn(value))
}

// Data is the data of an application of the dialplan, which stands at place, without secrets.
func (m *Masker) Data(place, application, data string) string {
	spans := secretsIn(data)
	if takesPIN(application) {
		spans = joined(append(spans, pinOf(data)...))
	}
	return m.cut(place, data, spans)
}

// cut puts marks in the place of spans, which are in order and apart.
func (m *Masker) cut(place, value string, spans []span) string {
	var out strings.Builder
	done := 0
	for _, s := range spans {
		out.WriteString(value[done:s.from])
		out.WriteString(m.mark(place, value[s.from:s.to]))
		done = s.to
	}
	out.WriteString(value[done:])
	return out.String()
}

// whole is a mark for all of value but the blanks around it.
func (m *Masker) whole(place, value string) string {
	secret := strings.TrimSpace(value)
	if secret == "" {
		return value
	}
	before, after, _ := strings.Cut(value, secret)
	return before + m.mark(place, secret) + after
}

func (m *Masker) mark(place, secret string) string {
	hash := hmac.New(sha256.New, m.key[:])
	hash.Write([]byte(place))
	hash.Write([]byte{0})
	hash.Write([]byte(secret))
	return fmt.Sprintf("secret:%x", hash.Sum(nil)[:4])
}

// isSecret is [IsSecret], which takes a while, for names that come again and again.
func (m *Masker) isSecret(name string) bool {
	const most = 1000 // names
	m.mu.RLock()
	is, known := m.names[name]
	full := len(m.names) >= most
	m.mu.RUnlock()
	if known {
		return is
	}
	is = IsSecret(name)
	if !full {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.names[name] = is
	}
	return is
}
