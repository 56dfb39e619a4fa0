package nodeauth

import (
	"strings"
	"testing"
)

func TestFastHash(t *testing.T) {
	t.Parallel()
	k, other := newKey(), newKey()
	seen := make(map[fast]string)
	for _, password := range []string{"", "one", "two", strings.Repeat("x", mostPassword-1), strings.Repeat("x", mostPassword)} {
		hash := k.fast(password)
		if former, ok := seen[hash]; ok {
			t.Errorf("%q and %q have one hash", former, password)
		}
		seen[hash] = password
		if k.fast(password) != hash {
			t.Errorf("%q has two hashes", password)
		}
		if other.fast(password) == hash {
			t.Errorf("%q has one hash with two keys", password)
		}
	}
}
