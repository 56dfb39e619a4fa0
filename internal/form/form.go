// Package form writes the requests that FreeSWITCH would send, as far as an answer can depend on them.
package form

import (
	"fmt"
	"net/url"
	"strings"
)

// Form is a request of mod_xml_curl.
type Form struct {
	base   [5]string // hostname, section, tag_name, key_name, key_value
	fields []field
}

// field is what FreeSWITCH sends besides the base five.
type field struct{ name, value string }

// Configuration asks for a configuration document, such as acl.conf.
func Configuration(node, name string) *Form {
	return &Form{base: [5]string{node, "configuration", "configuration", "name", name}}
}

// Section asks for what a section has, to be narrowed down with fields.
func Section(node, section string) *Form { return &Form{base: [5]string{node, section}} }

// Call asks what to do with a call, as mod_dialplan_xml does among 180 other fields.
func Call(node, context, number string) *Form {
	return Section(node, "dialplan").
		With("Event-Name", "REQUEST_PARAMS").With("Event-Calling-Function", "dialplan_xml_locate").
		With("Caller-Destination-Number", number).With("Caller-Context", context).
		With("Hunt-Destination-Number", number).With("Hunt-Context", context)
}

// Domain asks for a domain of the directory, to be narrowed down with fields.
func Domain(node, domain string) *Form {
	return &Form{base: [5]string{node, "directory", "domain", "name", domain}}
}

// Register asks who a user is, as mod_sofia does when a phone answers its challenge.
func Register(node, user, domain string) *Form {
	return Domain(node, domain).
		With("Event-Name", "REQUEST_PARAMS").With("Event-Calling-Function", "sofia_reg_parse_auth").
		With("action", "sip_auth").With("sip_auth_username", user).With("sip_auth_realm", domain).With("sip_auth_method", "REGISTER").
		With("key", "id").With("user", user).With("domain", domain)
}

// With adds a field, and returns f.
func (f *Form) With(name, value string) *Form {
	f.fields = append(f.fields, field{name, value})
	return f
}

// String is the body as mod_xml_curl writes it: the base five as they are, the values of the others percent-encoded, a blank as %20.
func (f *Form) String() string {
	var b strings.Builder
	for n, name := range []string{"hostname", "section", "tag_name", "key_name", "key_value"} {
		fmt.Fprintf(&b, "&%s=%s", name, f.base[n])
	}
	for _, more := range f.fields {
		fmt.Fprintf(&b, "&%s=%s", more.name, strings.ReplaceAll(url.QueryEscape(more.value), "+", "%20"))
	}
	return b.String()[1:]
}
