package nodes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// startSlack is by how much, in seconds, the switch's and the database's idea of its start may differ.
	startSlack = 3
	// fetchLag is how long after a fetch its record may take.
	fetchLag = 2 * time.Second
)

// askedAnew are the documents that FreeSWITCH asks for whenever it uses them.
var askedAnew = []string{"ivr.conf", "conference.conf"}

// fromTables are the documents that are no rows of table document.
var fromTables = []string{"acl.conf", "sofia.conf", "event_socket.conf", "post_load_modules.conf", "post_load_switch.conf"}

// fetched compares what the switch was given since its start, and can take then only, with what the rows say now.
func (n *node) fetched(ctx context.Context) (findings, error) {
	var found findings
	want, err := n.rows.StartParts(ctx, n.name)
	if err != nil {
		return found, err
	}
	up, err := n.uptime(ctx)
	if err != nil {
		return found, err
	}
	took, err := n.tookSince(ctx, up)
	if err != nil {
		return found, err
	}
	var differs []string
	for _, part := range slices.Sorted(maps.Keys(want)) {
		if took[part] != want[part] {
			differs = append(differs, part)
		}
	}
	stale, err := n.staleDocuments(ctx, took)
	for _, name := range stale {
		differs = append(differs, name+": its module")
	}
	// The record of what the switch was just given may be on its way, and what there is of the start before.
	if up < fetchLag.Seconds() {
		found.pending = differs
	} else {
		found.restart = differs
	}
	return found, err
}

// staleDocuments returns which of the documents that are stored as XML the switch took in another revision than today's.
func (n *node) staleDocuments(ctx context.Context, took map[string]string) ([]string, error) {
	revisions, err := n.rows.DocumentRevisions(ctx, n.name)
	if err != nil {
		return nil, err
	}
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(took)) {
		if strings.HasSuffix(name, ".conf") && !slices.Contains(askedAnew, name) && !slices.Contains(fromTables, name) && took[name] != revisions[name] {
			stale = append(stale, name)
		}
	}
	return stale, nil
}

// uptime asks for how many seconds the switch has been up.
func (n *node) uptime(ctx context.Context) (float64, error) {
	reply, err := n.ask(ctx, "uptime", "s")
	if err != nil {
		return 0, err
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(reply), 64)
	if err != nil {
		return 0, fmt.Errorf("read the reply to uptime: %w", err)
	}
	return seconds, nil
}

// tookSince returns the parts of documents that the switch fetched in the last seconds, by document and part.
func (n *node) tookSince(ctx context.Context, seconds float64) (map[string]string, error) {
	all, err := n.rows.Fetches(ctx, n.name)
	if err != nil {
		return nil, err
	}
	took := make(map[string]string)
	for _, f := range all {
		if f.Age <= seconds+startSlack {
			took[strings.TrimSpace(f.Document+" "+f.Part)] = f.Revision
		}
	}
	return took, nil
}

// judge tells what can be told of a switch whose event socket this server does not have: whether what it fetched last is
// what it would be given now.
func (n *node) judge(ctx context.Context, todo aspects, looked time.Time) error {
	if todo == 0 {
		return n.save(ctx, looked)
	}
	want, err := n.rows.AllParts(ctx, n.name)
	if err != nil {
		return err
	}
	took, err := n.tookSince(ctx, time.Hour.Seconds()*24*365*100)
	if err != nil {
		return err
	}
	var found findings
	for _, part := range slices.Sorted(maps.Keys(want)) {
		if took[part] != want[part] {
			found.pending = append(found.pending, part)
		}
	}
	stale, err := n.staleDocuments(ctx, took)
	if err != nil {
		return err
	}
	found.pending = append(found.pending, stale...)
	n.findings = map[aspects]findings{fetched: found}
	return n.save(ctx, looked)
}
