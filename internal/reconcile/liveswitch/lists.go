package liveswitch

import (
	"context"
	"strings"
)

// Lists has the switch read its access lists anew. acl.conf holds, besides the rows' lists, one whose name is the
// revision of them all and which allows everyone; FreeSWITCH denies everyone on a list that it does not have. So one
// question tells whether the switch has exactly these lists.
func (sw *Switch) Lists(ctx context.Context) (Findings, error) {
	var found Findings
	for range 2 { // the rows may have changed again before the switch read them
		revision, err := sw.rows.ACLRevision(ctx, sw.name)
		if err != nil {
			return found, err
		}
		if current, err := sw.hasLists(ctx, revision); current || err != nil {
			return found, err
		}
		if err := sw.command(ctx, "reloadacl"); err != nil {
			return found, err
		}
		if current, err := sw.hasLists(ctx, revision); current || err != nil {
			return found, err
		}
	}
	found.Pending = append(found.Pending, "access lists")
	return found, nil
}

func (sw *Switch) hasLists(ctx context.Context, revision string) (bool, error) {
	reply, err := sw.ask(ctx, "acl", "127.0.0.1", revision)
	return strings.TrimSpace(reply) == "true", err
}
