package explain

import (
	"net/netip"
	"testing"

	"xmlcurld/db"
)

func TestPositionOf(t *testing.T) {
	t.Parallel()
	x := &db.Extension{Conditions: []db.Condition{{Position: 0}, {Position: 10}, {Position: 15, Parent: 20}, {Position: 20}, {Position: 30, Parent: 20}}}
	for place, want := range map[string]int{"1": 0, "2": 10, "3": 20, "3.1": 15, "3.2": 30, "3.3": 0, "4": 0, "2.1": 0} {
		if got := positionOf(x, place, 1); got != want {
			t.Errorf("%s: %d, want %d", place, got, want)
		}
	}
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	got := candidates(&db.ACLEntry{List: "phones", Allow: true, Domain: "a.example", Networks: "1000 {192.0.2.0/24,2001:db8::/32} 1001 {10.0.0.1/32}"})
	want := []string{"192.0.2.0/24", "2001:db8::/32", "10.0.0.1/32"}
	if len(got) != len(want) {
		t.Fatalf("%d networks, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].network != netip.MustParsePrefix(want[i]) {
			t.Errorf("network %d is %s, want %s", i, got[i].network, want[i])
		}
	}
	if last := got[2].key; last != "phones domain a.example, user 1001, 10.0.0.1/32" {
		t.Errorf("key %q", last)
	}
}
