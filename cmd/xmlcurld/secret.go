package main

import (
	"fmt"
	"io"
)

const hidden = "***"

// Secret is text that shows itself only to those who ask by name: printed, logged or encoded in any way it is ***. The
// pointer keeps even a print of a struct's unexported field from following it.
type Secret struct{ text *string }

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Format writes ***, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText returns ***; encoding/json and slog use it too.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
