package reconcile_test

import (
	"testing"
	"time"

	"xmlcurld/db/switchstate"
	"xmlcurld/internal/reconcile"
)

func TestReason(t *testing.T) {
	t.Parallel()
	start := time.Now()
	before, after := start.Add(-time.Second), start.Add(time.Second)
	for name, tc := range map[string]struct {
		state switchstate.NodeState
		want  string
	}{
		"nobody has looked":           {switchstate.NodeState{}, "no server has looked after it yet"},
		"nobody looks":                {switchstate.NodeState{CheckedAt: &before, LookedAt: &after, Unattended: true}, "no server looks after it"},
		"looked before the commit":    {switchstate.NodeState{CheckedAt: &after, LookedAt: &before}, "not looked at yet"},
		"never looked at whole":       {switchstate.NodeState{CheckedAt: &after}, "not looked at yet"},
		"pending":                     {switchstate.NodeState{CheckedAt: &after, LookedAt: &after, Pending: []string{"a", "b"}}, "a, b"},
		"looked after the commit":     {switchstate.NodeState{CheckedAt: &after, LookedAt: &after}, ""},
		"a restart is no fault of it": {switchstate.NodeState{CheckedAt: &after, LookedAt: &after, RestartRequired: []string{"a"}}, ""},
	} {
		if got := reconcile.Reason(tc.state, start); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
