package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// renderTime is for one document: a private server may have to be started for it first.
const renderTime = time.Minute

func renderFlags(flags *pflag.FlagSet) {
	flags.String("node", hostname(), "switchname of the FreeSWITCH that asks")
	flags.String("context", "public", "dialplan context that a number is called in")
	flags.StringArray("field", nil, "a further field of the request, as profile=external; may be repeated")
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

func render(ctx context.Context, i *invocation) (err error) {
	form, err := renderForm(i)
	if err != nil {
		return usageError{err}
	}
	request, err := xmlcurl.ParseRequest([]byte(form))
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, renderTime)
	defer cancel()
	var document []byte
	err = withStore(ctx, i, func(store *table.Store) (err error) {
		document, err = xmlcurl.Render(ctx, sections.New(db.NewRulebook(store, secretsOf(i, prometheus.NewRegistry())), nil), request)
		return err
	})
	if err != nil {
		return fmt.Errorf("render %s: %w", strings.Join(i.operands, " "), err)
	}
	_, err = i.stdout.Write(document)
	return err
}

// renderForm is the request that FreeSWITCH would send, as far as an answer can depend on it.
func renderForm(i *invocation) (string, error) {
	base := []string{text(i.flags, "node")}
	var fields []field
	switch o := i.operands; {
	case len(o) == 1 && strings.HasSuffix(o[0], ".conf"):
		base = append(base, "configuration", "configuration", "name", o[0])
	case len(o) == 2 && o[0] == "number":
		base = append(base, "dialplan", "", "", "")
		fields = callFields(text(i.flags, "context"), o[1])
	case len(o) == 2 && o[0] == "user" && strings.Contains(o[1], "@"):
		user, domain, _ := strings.Cut(o[1], "@")
		base = append(base, "directory", "domain", "name", domain)
		fields = registerFields(user, domain)
	default:
		return "", errors.New("render what? FILE.conf, number NUMBER, or user USER@DOMAIN")
	}
	more, _ := i.flags.GetStringArray("field") // the flag exists: no error
	for _, pair := range more {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return "", fmt.Errorf("--field %q: not name=value", pair)
		}
		fields = append(fields, field{name, value})
	}
	return encodeForm(base, fields), nil
}

// field is what FreeSWITCH sends besides the base five.
type field struct{ name, value string }

// callFields are sent by mod_dialplan_xml, among 180 others.
func callFields(context, number string) []field {
	return []field{
		{"Event-Name", "REQUEST_PARAMS"}, {"Event-Calling-Function", "dialplan_xml_locate"},
		{"Caller-Destination-Number", number}, {"Caller-Context", context},
		{"Hunt-Destination-Number", number}, {"Hunt-Context", context},
	}
}

// registerFields are sent by mod_sofia when a phone answers its challenge.
func registerFields(user, domain string) []field {
	return []field{
		{"Event-Name", "REQUEST_PARAMS"}, {"Event-Calling-Function", "sofia_reg_parse_auth"},
		{"action", "sip_auth"}, {"sip_auth_username", user}, {"sip_auth_realm", domain}, {"sip_auth_method", "REGISTER"},
		{"key", "id"}, {"user", user}, {"domain", domain},
	}
}

// encodeForm writes a body as mod_xml_curl does: the base five as they are, the values of the others percent-encoded,
// a blank as %20.
func encodeForm(base []string, fields []field) string {
	var b strings.Builder
	for n, name := range []string{"hostname", "section", "tag_name", "key_name", "key_value"} {
		fmt.Fprintf(&b, "&%s=%s", name, base[n])
	}
	for _, f := range fields {
		fmt.Fprintf(&b, "&%s=%s", f.name, strings.ReplaceAll(url.QueryEscape(f.value), "+", "%20"))
	}
	return b.String()[1:]
}

// text is the value of a flag that is known to exist.
func text(flags *pflag.FlagSet, name string) string { return flags.Lookup(name).Value.String() }
