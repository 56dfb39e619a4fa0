package db

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// question is one whose answer is kept as it is: an operation and its arguments.
type question string

// questionOf returns false for one that cannot be kept: no name holds the separator, but what a phone sends may.
func questionOf(operation string, args ...string) (question, bool) {
	for _, arg := range args {
		if strings.Contains(arg, separator) {
			return "", false
		}
	}
	return question(operation + separator + strings.Join(args, separator)), true
}

// keptOperation is a kind of question whose answers are kept: the tables that they are made of, and how it is asked.
type keptOperation struct {
	relations []string
	ask       func(ctx context.Context, s *Store, args []string) (any, error)
}

// keptDomains is an answer about domains.
type keptDomains struct {
	Domains   []Domain
	NodeKnown bool
}

func keepDomains(d []Domain, nodeKnown bool, err error) (any, error) {
	return keptDomains{d, nodeKnown}, err
}

const (
	ofDirectory = "node tenant context domain domain_param domain_variable domain_user domain_user_param domain_user_variable "
	ofSofia     = "node tenant domain sofia_param sip_profile sip_profile_param sip_profile_domain sip_profile_alias " + ofTrunks
	ofTrunks    = "gateway gateway_param gateway_variable "
)

var keptOperations = map[string]keptOperation{
	"acl": {strings.Fields("node tenant acl_list acl_entry domain domain_user"),
		func(ctx context.Context, s *Store, args []string) (any, error) { return s.ACL(ctx, args[0]) }},
	"credentials": {strings.Fields("node_credential"),
		func(ctx context.Context, s *Store, _ []string) (any, error) { return s.Credentials(ctx) }},
	"document": {strings.Fields("node document"),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return s.Document(ctx, args[0], args[1], args[2])
		}},
	"event_socket": {strings.Fields("node event_socket_param"),
		func(ctx context.Context, s *Store, args []string) (any, error) { return s.EventSocket(ctx, args[0]) }},
	"modules": {strings.Fields("node module"),
		func(ctx context.Context, s *Store, args []string) (any, error) { return s.Modules(ctx, args[0]) }},
	"sofia": {strings.Fields(ofSofia),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return s.Sofia(ctx, args[0], args[1], args[2])
		}},
	"switch": {strings.Fields("node switch_param switch_variable"),
		func(ctx context.Context, s *Store, args []string) (any, error) { return s.Switch(ctx, args[0]) }},
	"domain": {strings.Fields(ofDirectory),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return keepDomains(s.Domain(ctx, args[0], args[1]))
		}},
	"users": {strings.Fields(ofDirectory),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return keepDomains(s.Users(ctx, args[0], args[1]))
		}},
	"networks": {strings.Fields(ofDirectory),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return keepDomains(s.Networks(ctx, args[0], args[1]))
		}},
	"group": {strings.Fields(ofDirectory + "domain_group domain_group_user"),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return keepDomains(s.Group(ctx, args[0], args[1], args[2]))
		}},
	"user_gateways": {strings.Fields(ofDirectory + ofTrunks),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return keepDomains(s.UserGateways(ctx, args[0], args[1], args[2]))
		}},
}

// operation takes q apart.
func (q question) operation() (operation keptOperation, args []string) {
	parts := strings.Split(string(q), separator)
	return keptOperations[parts[0]], parts[1:]
}

// concerns reports whether the answer to q is made of one of relations.
func (q question) concerns(relations map[string]bool) bool {
	operation, _ := q.operation()
	for _, r := range operation.relations {
		if relations[r] {
			return true
		}
	}
	return false
}

// questionsKept bounds the questions whose answers are kept. A switch asks a few dozen.
const questionsKept = 5000

// asked tells the copy, if there is one, that there is such a question.
func (s *Store) asked(operation string, args ...string) {
	c := s.copied.Load()
	if c == nil {
		return
	}
	q, ok := questionOf(operation, args...)
	if !ok {
		return
	}
	c.mu.RLock()
	known, full := c.asked[q], len(c.asked) >= questionsKept
	c.mu.RUnlock()
	if known || full {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[q], c.waiting[q] = true, time.Now()
	c.awake()
}

// readAnswer asks q. The answer is kept compressed: gateways are much alike.
func (r *copyReader) readAnswer(ctx context.Context, q question) error {
	operation, args := q.operation()
	if operation.ask == nil {
		r.edits[place{ofAnswers, string(q)}] = nil // of another version of this program
		return nil
	}
	answer, err := operation.ask(ctx, r.rows, args)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	packer, err := gzip.NewWriterLevel(&text, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(packer).Encode(answer); err != nil {
		return err
	}
	if err := packer.Close(); err != nil {
		return err
	}
	r.edits[place{ofAnswers, string(q)}] = text.Bytes()
	return nil
}

// kept returns the answer to a question that was asked before.
func kept[T any](c *Copy, operation string, args ...string) (answer T, err error) {
	q, ok := questionOf(operation, args...)
	if !ok {
		return answer, errNotCopied
	}
	return answer, c.look(func(v copyView) error {
		text := v.get(ofAnswers, string(q))
		if text == nil || c.tooOld(c.waiting[q]) {
			return errNotCopied
		}
		packed, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			return fmt.Errorf("copy of an answer to %s: %w", operation, err)
		}
		if err := json.NewDecoder(packed).Decode(&answer); err != nil {
			return fmt.Errorf("copy of an answer to %s: %w", operation, err)
		}
		return nil
	})
}

// ACL is Store.ACL, from the copy.
func (c *Copy) ACL(_ context.Context, node string) ([]ACLEntry, error) {
	return kept[[]ACLEntry](c, "acl", node)
}

// Credentials is Store.Credentials, from the copy.
func (c *Copy) Credentials(context.Context) ([]Credential, error) {
	return kept[[]Credential](c, "credentials")
}

// Document is Store.Document, from the copy.
func (c *Copy) Document(_ context.Context, node, section, name string) (Document, error) {
	return kept[Document](c, "document", node, section, name)
}

// EventSocket is Store.EventSocket, from the copy.
func (c *Copy) EventSocket(_ context.Context, node string) ([]NodeSetting, error) {
	return kept[[]NodeSetting](c, "event_socket", node)
}

// Modules is Store.Modules, from the copy.
func (c *Copy) Modules(_ context.Context, node string) ([]Module, error) {
	return kept[[]Module](c, "modules", node)
}

// Sofia is Store.Sofia, from the copy.
func (c *Copy) Sofia(_ context.Context, node, profile, gateway string) (Sofia, error) {
	return kept[Sofia](c, "sofia", node, profile, gateway)
}

// Switch is Store.Switch, from the copy.
func (c *Copy) Switch(_ context.Context, node string) ([]NodeSetting, error) {
	return kept[[]NodeSetting](c, "switch", node)
}

// Domain is Store.Domain, from the copy.
func (c *Copy) Domain(_ context.Context, node, domain string) (d []Domain, nodeKnown bool, err error) {
	return c.keptDomains("domain", node, domain)
}

// Users is Store.Users, from the copy.
func (c *Copy) Users(_ context.Context, node, domain string) (d []Domain, nodeKnown bool, err error) {
	return c.keptDomains("users", node, domain)
}

// Networks is Store.Networks, from the copy.
func (c *Copy) Networks(_ context.Context, node, domain string) (d []Domain, nodeKnown bool, err error) {
	return c.keptDomains("networks", node, domain)
}

// Group is Store.Group, from the copy.
func (c *Copy) Group(_ context.Context, node, domain, name string) (d []Domain, nodeKnown bool, err error) {
	return c.keptDomains("group", node, domain, name)
}

// UserGateways is Store.UserGateways, from the copy.
func (c *Copy) UserGateways(_ context.Context, node, domain, profile string) (d []Domain, nodeKnown bool, err error) {
	return c.keptDomains("user_gateways", node, domain, profile)
}

func (c *Copy) keptDomains(operation string, args ...string) ([]Domain, bool, error) {
	answer, err := kept[keptDomains](c, operation, args...)
	return answer.Domains, answer.NodeKnown, err
}

// copyCollector tells Prometheus of a copy.
type copyCollector struct{ copy *Copy }

var (
	copyAge = prometheus.NewDesc("xmlcurld_copy_age_seconds",
		"How long ago the copy was last known to hold what the database held; absent if it may not be used.", nil, nil)
	copyQuestions = prometheus.NewDesc("xmlcurld_copy_questions",
		"Questions, besides those for numbers and users, whose answers the copy holds.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c copyCollector) Describe(ch chan<- *prometheus.Desc) { ch <- copyAge; ch <- copyQuestions }

// Collect implements prometheus.Collector.
func (c copyCollector) Collect(ch chan<- prometheus.Metric) {
	if age, usable := c.copy.Age(); usable {
		ch <- prometheus.MustNewConstMetric(copyAge, prometheus.GaugeValue, age.Seconds())
	}
	c.copy.mu.RLock()
	defer c.copy.mu.RUnlock()
	ch <- prometheus.MustNewConstMetric(copyQuestions, prometheus.GaugeValue, float64(len(c.copy.asked)-len(c.copy.waiting)))
}
