package liveswitch

import (
	"context"
	"strings"
)

// Lists has the switch read its access lists anew. acl.conf holds, besides the rows' lists, one whose name is the
// revision of them all and which allows everyone; FreeSWITCH denies everyone on a list that it does not have. So one
// question tells whether the switch has exactly these lists.
func (sw *Switch) Lists(ctx context.Context, found *Findings) error {
	for range 2 { // the rows may have changed again before the switch read them
		current, err := sw.hasLists(ctx)
		if current || err != nil {
			return err
		}
		if err := sw.command(ctx, "reloadacl"); err != nil {
			return err
		}
	}
	current, err := sw.hasLists(ctx)
	if !current && err == nil {
		found.Pending = append(found.Pending, "access lists")
	}
	return err
}

func (sw *Switch) hasLists(ctx context.Context) (bool, error) {
	revision, err := sw.rows.ACLRevision(ctx, sw.name)
	if err != nil {
		return false, err
	}
	reply, err := sw.ask(ctx, "acl", "127.0.0.1", revision)
	return strings.TrimSpace(reply) == "true", err
}
