package check

import (
	"errors"
	"fmt"
	"math"

	"xmlcurld/db/table"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// rtpRange finds ranges of RTP ports that end before the sessions do. FreeSWITCH gives each session with media an even port
// (switch_core_port_allocator.c), from a pool of its own for each address.
func rtpRange(w *world) (found []Finding, err error) {
	for i := range w.nodes {
		n := &w.nodes[i]
		low, high := n.RTPLow+n.RTPLow%2, n.RTPHigh-n.RTPHigh%2
		even := max(0, (high-low)/2+1)
		if pools := w.rtpAddresses(n); even*pools < n.MaxSessions {
			found = append(found, n.place(n.OwnLimits).finding(
				fmt.Sprintf("Node %s allows %d sessions and has RTP ports for %d: from %d to %d, and FreeSWITCH takes the even ones only.", n.Name, n.MaxSessions, even*pools, n.RTPLow, n.RTPHigh),
				"Widen rtp_port, two ports for each session, or lower max_sessions."))
		}
	}
	return found, nil
}

// rtpAddresses is how many addresses the profiles of a node have media on, as far as rows say.
func (w *world) rtpAddresses(n *node) int {
	all := make(map[string]bool)
	for i := range w.profiles {
		if address := w.profiles[i].address(n, "rtp-ip"); n.is(w.profiles[i].Node) && address != "" {
			all[address] = true
		}
	}
	return max(1, len(all))
}

// answer is a document that may be long.
type answer struct {
	place
	node string // who gets it; *: all
	name string
	form string // the request that it answers; empty: its size is known
	size int64  // bytes
}

// longAnswers are documents that grow with the rows: the tables of each kind, and a query for them with a guess of their size. An
// element and its parameters are some 40 bytes each, besides the values.
var longAnswers = []struct{ reads, query string }{
	{"document", `
	SELECT 'document', format('section=%s name=%s node=%s', section, name, node), '', '*', name, '', octet_length(body::text)::bigint
	FROM document`},
	{profileTables, `
	SELECT 'sip_profile', 'name=' || p.name, '', p.node, 'sofia.conf of profile ' || p.name,
		format('&section=configuration&tag_name=configuration&key_name=name&key_value=sofia.conf&profile=%s', p.name), count(*) * 300
	FROM gateway g
	JOIN sip_profile p ON p.name = g.profile
	WHERE g.enabled AND g.domain IS NULL AND p.enabled
	GROUP BY p.name, p.node`},
	{listTables, `
	SELECT 'acl_list', 'name=' || min(list), '', '*', 'acl.conf', '&section=configuration&tag_name=configuration&key_name=name&key_value=acl.conf', count(*) * 60
	FROM acl_entry
	WHERE enabled
	HAVING count(*) > 0`},
	{directoryTables, `
	SELECT 'domain', 'name=' || u.domain, d.tenant, '*', 'The list of users of ' || u.domain,
		format('&section=directory&tag_name=domain&key_name=name&key_value=%s', u.domain), count(*) * 100
	FROM domain_user u
	JOIN domain d ON d.name = u.domain
	WHERE u.enabled
	GROUP BY u.domain, d.tenant`},
}

// nearly is the share of the limit, in percent, from which on an answer is nearly too long.
const nearly = 80

// answers returns the answers that are at least so many percent of the limit, and fewer than that many.
func (w *world) answers(from, below int64) (some []answer, err error) {
	all, err := w.long.get(w.readLong)
	for _, a := range all {
		if percent := 100 * a.size / w.options.AnswerLimit; from <= percent && percent < below {
			some = append(some, a)
		}
	}
	return some, err
}

// readLong reads the answers that may be long, and measures those.
func (w *world) readLong() (some []answer, err error) {
	for _, kind := range longAnswers {
		if !w.options.touch(kind.reads) {
			continue
		}
		all, err := rows[struct {
			Table, Key, Tenant, Node, Name, Form string
			Size                                 int64
		}](w, kind.query)
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			if r.Size < w.options.AnswerLimit/4 { // the guess may be wrong, but not by so much
				continue
			}
			a := answer{place{r.Table, r.Key, r.Tenant}, r.Node, r.Name, r.Form, r.Size}
			if a.form != "" {
				if err := w.measure(&a); err != nil {
					return nil, err
				}
			}
			some = append(some, a)
		}
	}
	return some, nil
}

// measure sets the size of an answer by making it. What all nodes get, the first one does.
func (w *world) measure(a *answer) error {
	node := a.node
	if node == table.Common {
		node = w.nodes[0].Name
	}
	request, err := xmlcurl.ParseRequest([]byte("hostname=" + node + a.form))
	if err != nil {
		return err
	}
	document, err := xmlcurl.Render(w.ctx, sections.New(w.rules, nil), request)
	if errors.Is(err, xmlcurl.ErrNotFound) {
		err = nil
	}
	a.size = int64(len(document))
	return err
}

// tooLong finds answers that no switch gets.
func tooLong(w *world) (found []Finding, err error) {
	all, err := w.answers(100, math.MaxInt64)
	for _, a := range all {
		found = append(found, a.finding(fmt.Sprintf("%s has %s, and no answer is sent that has more than %s.", a.name, size(a.size), size(w.options.AnswerLimit)),
			"Raise answer_limit of every server and BOOTSTRAP_MAX_BYTES of every switch, or spread the rows over several documents."))
	}
	return found, err
}

// nearlyTooLong finds answers that will be too long when they grow by a quarter.
func nearlyTooLong(w *world) (found []Finding, err error) {
	all, err := w.answers(nearly, 100)
	for _, a := range all {
		found = append(found, a.finding(fmt.Sprintf("%s has %s, which is near the limit of %s.", a.name, size(a.size), size(w.options.AnswerLimit)),
			"Raise answer_limit of every server and BOOTSTRAP_MAX_BYTES of every switch in time, or spread the rows over several documents."))
	}
	return found, err
}

// size is a number of bytes, for people.
func size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
