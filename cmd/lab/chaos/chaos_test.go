//go:build linux && slow

package chaos

import "testing"

// The short form, on the real program: some seconds, and every bar.
func TestChaosInShort(t *testing.T) {
	t.Parallel()
	o := options{seed: 1}
	o.beShort()
	if err := run(t.Context(), o); err != nil {
		t.Error(err)
	}
}
