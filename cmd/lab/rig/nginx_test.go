//go:build linux

package rig

import "testing"

func TestNginxQuoted(t *testing.T) {
	t.Parallel()
	answer := `<a b="\d$x;"/>`
	if got, want := nginxQuoted([]byte(answer)), `"<a b=\"\\d${dollar}x;\"/>"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
