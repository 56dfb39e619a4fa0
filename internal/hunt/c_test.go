package hunt

import "testing"

// FreeSWITCH takes words for true, and numbers whose whole part is not 0, with a sign too.
func TestIsTrue(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"true": true, "YES": true, "Allow": true, "1": true, "-1": true, "+2": true, "1.5": true,
		"": false, "false": false, "0": false, "0.5": false, "00": false, "1e3": false, "inf": false, "deny": false,
	} {
		if got := IsTrue(text); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}
