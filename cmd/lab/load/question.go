//go:build linux

package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"xmlcurld/cmd/lab/world"
	"xmlcurld/testdata"
)

// Question is what FreeSWITCH asks, each time about another number, user or node.
type Question struct {
	Name  string
	Alone bool // FreeSWITCH asks one at a time

	file     string   // of testdata/requests
	holds    []string // tell the captured request from the others in the file
	vary     []string // old, new, old, new, … in its body; the new ones hold places for values
	proof    string   // stands in every right answer, likewise with places
	elements element  // and so do these, counted

	body   string // the captured one, with places for values
	length int    // of every answer, in bytes, as of the first
}

// Names of questions. The first is a call.
const (
	Dialplan      = "dialplan"
	UnknownNumber = "dialplan, unknown number"
	SIPAuth       = "sip_auth"
	UnknownUser   = "sip_auth, unknown user"
	ACLConf       = "acl.conf"
	SofiaConf     = "sofia.conf, one profile"
)

// Questions are asked about a world of that size.
func Questions(s world.Sizes) ([]Question, error) {
	asker := []string{"hostname=vm&", "hostname=node{node}&"}
	all := []Question{
		{Name: Dialplan, file: "call-to-known-number.jsonl", holds: []string{"section=dialplan"},
			vary: append(asker, "27123456789", "271{number}"), proof: "271{number}"},
		{Name: UnknownNumber, file: "call-to-known-number.jsonl", holds: []string{"section=dialplan"},
			vary: append(asker, "27123456789", "279{number}"), proof: `application="respond"`},
		{Name: SIPAuth, file: "register.jsonl", holds: []string{"action=sip_auth"},
			vary: append(asker, "acme.example", "t{tenant}.example", "=1000&", "={user}&"), proof: `"secret-{tenant}-{user}"`},
		{Name: UnknownUser, file: "register.jsonl", holds: []string{"action=sip_auth"},
			vary: append(asker, "acme.example", "t{tenant}.example", "=1000&", "=x{user}&"), proof: `status="not found"`},
		{Name: ACLConf, file: "reloadacl.jsonl", holds: []string{"key_value=acl.conf"},
			vary: asker, proof: "</document>", elements: element{".0/24", s.ACLEntries}, Alone: true},
		{Name: SofiaConf, file: "boot.jsonl", holds: []string{"key_value=sofia.conf", "&profile=external"},
			vary: asker, proof: "</document>", elements: element{"<gateway ", (s.Gateways + 3) / 4}, Alone: true},
	}
	for i := range all {
		if err := all[i].readBody(); err != nil {
			return nil, fmt.Errorf("%s: %w", all[i].Name, err)
		}
	}
	return all, nil
}

func (q *Question) readBody() error {
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

// Call is the question about a known number.
func Call(s world.Sizes) (Question, error) {
	questions, err := Questions(s)
	if err != nil {
		return Question{}, err
	}
	return questions[0], nil
}

// WithoutPlus is q about numbers as SIPp writes them.
func (q Question) WithoutPlus() Question {
	q.body = strings.ReplaceAll(q.body, "%2B27", "27")
	return q
}

// Path is where a server has the constant for q.
func (q Question) Path() string {
	return "/" + strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' {
			return c
		}
		return '-'
	}, q.Name)
}

// Load is the load of q on the xmlcurld at address, with a world of that size. AskFirst comes before it.
func (q Question) Load(address string, s world.Sizes, inFlight int) *Load {
	return &Load{
		InFlight: inFlight, Length: q.length,
		address: address, sizes: s, request: post("/xml", q.body), proof: newTemplate(q.proof), elements: q.elements,
	}
}

// ConstantLoad is the same load on a server that always gives the first answer.
func (q Question) ConstantLoad(address string, s world.Sizes, inFlight int) *Load {
	l := q.Load(address, s, inFlight)
	l.request = post(q.Path(), q.body)
	l.proof.fill(pick(s, 0))
	l.proof.slots = nil
	return l
}

// AskFirst asks the server at address the first of these questions, and learns from the answer how long all of them are.
func (q *Question) AskFirst(ctx context.Context, address string, s world.Sizes) ([]byte, error) {
	content, err := q.Ask(ctx, address, s, 0)
	q.length = len(content)
	return content, err
}

// Ask asks the server at address the i-th of these questions.
func (q *Question) Ask(ctx context.Context, address string, s world.Sizes, i int) ([]byte, error) {
	t := newTemplate(q.body)
	t.fill(pick(s, i))
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
