//go:build linux

package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"xmlcurld/testdata"
)

// question is what FreeSWITCH asks, each time about another number, user or node.
type question struct {
	name     string
	file     string   // of testdata/requests
	holds    []string // tell the captured request from the others in the file
	vary     []string // old, new, old, new, … in its body; the new ones hold places for values
	proof    string   // stands in every right answer, likewise with places
	elements element  // and so do these, counted
	alone    bool     // FreeSWITCH asks one at a time

	body   string // the captured one, with places for values
	length int    // of every answer, in bytes
}

const (
	dialplan      = "dialplan"
	unknownNumber = "dialplan, unknown number"
	sipAuth       = "sip_auth"
	unknownUser   = "sip_auth, unknown user"
	aclConf       = "acl.conf"
	sofiaConf     = "sofia.conf, one profile"
)

// questions are asked about a world of that size.
func (s sizes) questions() ([]question, error) {
	asker := []string{"hostname=vm&", "hostname=node{node}&"}
	all := []question{
		{name: dialplan, file: "call-to-known-number.jsonl", holds: []string{"section=dialplan"},
			vary: append(asker, "27123456789", "271{number}"), proof: "271{number}"},
		{name: unknownNumber, file: "call-to-known-number.jsonl", holds: []string{"section=dialplan"},
			vary: append(asker, "27123456789", "279{number}"), proof: `application="respond"`},
		{name: sipAuth, file: "register.jsonl", holds: []string{"action=sip_auth"},
			vary: append(asker, "acme.example", "t{tenant}.example", "=1000&", "={user}&"), proof: `"secret-{tenant}-{user}"`},
		{name: unknownUser, file: "register.jsonl", holds: []string{"action=sip_auth"},
			vary: append(asker, "acme.example", "t{tenant}.example", "=1000&", "=x{user}&"), proof: `status="not found"`},
		{name: aclConf, file: "reloadacl.jsonl", holds: []string{"key_value=acl.conf"},
			vary: asker, proof: "</document>", elements: element{".0/24", s.aclEntries}, alone: true},
		{name: sofiaConf, file: "boot.jsonl", holds: []string{"key_value=sofia.conf", "&profile=external"},
			vary: asker, proof: "</document>", elements: element{"<gateway ", (s.gateways + 3) / 4}, alone: true},
	}
	for i := range all {
		if err := all[i].readBody(); err != nil {
			return nil, fmt.Errorf("%s: %w", all[i].name, err)
		}
	}
	return all, nil
}

func (q *question) readBody() error {
	body, err := testdata.Captured(q.file, q.holds...)
	if err != nil {
		return err
	}
	for i := 0; i < len(q.vary); i += 2 {
		if !strings.Contains(body, q.vary[i]) {
			return fmt.Errorf("%s: the request does not hold %q", q.file, q.vary[i])
		}
	}
	q.body = strings.NewReplacer(q.vary...).Replace(body)
	return nil
}

// path is where nginx has the constant for q.
func (q question) path() string {
	return "/" + strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' {
			return c
		}
		return '-'
	}, q.name)
}

// load is the load of q on an xmlcurld with a world of that size.
func (q question) load(s sizes, inFlight int) *load {
	return &load{
		sizes: s, request: post("/xml", q.body), proof: newTemplate(q.proof), elements: q.elements, length: q.length,
		inFlight: inFlight,
	}
}

// constantLoad is the same load on a server that always gives the first answer.
func (q question) constantLoad(s sizes, inFlight int) *load {
	l := q.load(s, inFlight)
	l.request = post(q.path(), q.body)
	l.proof.fill(s.pick(0))
	l.proof.slots = nil
	return l
}

// first asks the server at address the first of these questions.
func (q question) first(ctx context.Context, address string, s sizes) ([]byte, error) {
	t := newTemplate(q.body)
	t.fill(s.pick(0))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/xml", bytes.NewReader(t.text))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, content)
	}
	return content, err
}
