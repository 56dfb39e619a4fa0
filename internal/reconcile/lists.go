package reconcile

import (
	"context"
	"strings"
)

// lists has the switch read its access lists anew. acl.conf holds, besides the rows' lists, one whose name is the
// revision of them all and which allows everyone; FreeSWITCH denies everyone on a list that it does not have. So one
// question tells whether the switch has exactly these lists.
func (n *node) lists(ctx context.Context) (findings, error) {
	var found findings
	for range 2 { // the rows may have changed again before the switch read them
		revision, err := n.rows.ACLRevision(ctx, n.name)
		if err != nil {
			return found, err
		}
		if current, err := n.hasLists(ctx, revision); current || err != nil {
			return found, err
		}
		if err := n.command(ctx, "reloadacl"); err != nil {
			return found, err
		}
		if current, err := n.hasLists(ctx, revision); current || err != nil {
			return found, err
		}
	}
	found.pending = append(found.pending, "access lists")
	return found, nil
}

func (n *node) hasLists(ctx context.Context, revision string) (bool, error) {
	reply, err := n.ask(ctx, "acl", "127.0.0.1", revision)
	return strings.TrimSpace(reply) == "true", err
}
