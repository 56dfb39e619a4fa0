package nodeauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"testing"
)

func TestFastHashIsHMAC(t *testing.T) {
	t.Parallel()
	k := newKey()
	for _, password := range []string{"", "one", strings.Repeat("x", mostPassword)} {
		mac := hmac.New(sha256.New, k[:])
		mac.Write([]byte(password))
		if got := k.fast(password); !hmac.Equal(got[:], mac.Sum(nil)) {
			t.Errorf("%q: %x", password, got)
		}
	}
	if other := newKey(); k.fast("one") == other.fast("one") {
		t.Error("two keys, one hash")
	}
}
