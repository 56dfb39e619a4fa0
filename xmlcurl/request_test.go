package xmlcurl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// captured returns the body of a request that a real FreeSWITCH sent.
func captured(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile("testdata/requests.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(file))
	for lines.Scan() {
		var request struct{ Name, Body string }
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			t.Fatal(err)
		}
		if request.Name == name {
			return []byte(request.Body)
		}
	}
	t.Fatalf("no captured request %q", name)
	return nil
}

func TestParseCaptured(t *testing.T) {
	t.Parallel()
	acl := Request{Hostname: "vm", Section: "configuration", TagName: "configuration", KeyName: "name", KeyValue: "acl.conf"}
	sofia, modules := acl, acl
	sofia.KeyValue, modules.KeyValue = "sofia.conf", "post_load_modules.conf"
	domain := Request{Hostname: "vm", Section: "directory", TagName: "domain", KeyName: "name", KeyValue: "acme.example"}
	for _, tc := range []struct {
		name   string
		want   Request
		fields map[string]string
	}{
		{name: "acl", want: acl, fields: map[string]string{"key_value": "acl.conf", "profile": ""}},
		{name: "post_load_modules", want: modules},
		{name: "startgw", want: sofia, fields: map[string]string{"profile": "external", "reconfig": "true", "gateway": "twilio"}},
		{name: "sip_auth", want: domain, fields: map[string]string{
			"action": "sip_auth", "user": "1000", "domain": "acme.example", "ip": "127.0.0.1", "sip_auth_uri": "sip:127.0.0.1:5060",
		}},
		{name: "network-list", want: domain, fields: map[string]string{"purpose": "network-list"}},
		{name: "group_call", want: domain, fields: map[string]string{"action": "group_call", "group_name": "sales"}},
		{name: "dialplan", want: Request{Hostname: "vm", Section: "dialplan"}, fields: map[string]string{
			"Hunt-Destination-Number": "+27123456789", "Hunt-Context": "public", "hunt-context": "", "Hunt": "",
			"Event-Date-Local": "2026-11-23 14:43:13", "Hunt-Privacy-Hide-Number": "false",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r, err := ParseRequest(captured(t, tc.name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, *r, cmpopts.IgnoreUnexported(Request{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for name, want := range tc.fields {
				if got := r.Field(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestParseOddForms(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, form string
		err        error
		want       Request
		fields     map[string]string
	}{
		{name: "empty", err: ErrNotForm},
		{name: "text", form: "hello", err: ErrNotForm},
		{name: "no section", form: "hostname=a&key_value=b", err: ErrNoSection},
		{name: "empty section", form: "section=&section=dialplan", err: ErrNoSection},
		{name: "a phone's realm", form: "section=directory&key_value=a&user=x&section=dialplan&key_value=b&domain=c",
			want: Request{Section: "directory", KeyValue: "a"}, fields: map[string]string{"user": "x", "section": "directory", "domain": "c"}},
		{name: "base fields are raw", form: "section=directory&key_value=a%41+b;c",
			want: Request{Section: "directory", KeyValue: "a%41+b;c"}},
		{name: "last wins", form: "section=a&key=id&user=1&key=number-alias&user=2",
			want: Request{Section: "a"}, fields: map[string]string{"key": "number-alias", "user": "2"}},
		{name: "lenient decoding", form: "section=a&b=%41%4a%4A%zz%+%2&c=%25&d=e=f&g&h=",
			want: Request{Section: "a"}, fields: map[string]string{"b": "AJJ%zz%+%2", "c": "%", "d": "e=f", "g": "", "h": ""}},
		{name: "names are raw", form: "section=a&b%41=c", want: Request{Section: "a"}, fields: map[string]string{"bA": "", "b%41": "c"}},
		{name: "not UTF-8", form: "hostname=a\x00b\xff&section=a&b=%ff%00%C3%A9%ED%A0%80",
			want: Request{Hostname: "a\uFFFDb\uFFFD", Section: "a"}, fields: map[string]string{"b": "\uFFFD\uFFFDé\uFFFD"}},
		{name: "longer than the stack's room", form: "section=a&b=%41" + strings.Repeat("c", 1000),
			want: Request{Section: "a"}, fields: map[string]string{"b": "A" + strings.Repeat("c", 1000)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r, err := ParseRequest([]byte(tc.form))
			if !errors.Is(err, tc.err) {
				t.Fatalf("got %v, want %v", err, tc.err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tc.want, *r, cmpopts.IgnoreUnexported(Request{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for name, want := range tc.fields {
				if got := r.Field(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

func FuzzParseRequest(f *testing.F) {
	for _, form := range []string{
		"", "=", "&&", "section", "section=a", "section=a&", "section=a&&&", "hostname=a&section=b&tag_name=c&key_name=d&key_value=e",
		"section=a&section=b&x=%4&x=%41%", "hostname=%41&section=\xff&x=%00%ff", "x=1&x", "&=y&", "section=a&x=%%41",
	} {
		f.Add([]byte(form), "x")
	}
	f.Add(captured(f, "sip_auth"), "user")
	f.Add(captured(f, "dialplan"), "Hunt-Destination-Number")
	f.Fuzz(func(t *testing.T, form []byte, name string) {
		r, err := ParseRequest(form)
		want := slowParse(string(form))
		if !errors.Is(err, want.err) {
			t.Fatalf("got %v, want %v", err, want.err)
		}
		if err != nil {
			return
		}
		got := map[string]string{
			"hostname": r.Hostname, "section": r.Section, "tag_name": r.TagName, "key_name": r.KeyName, "key_value": r.KeyValue,
		}
		if diff := cmp.Diff(want.base, got); diff != "" {
			t.Errorf("base fields (-want +got):\n%s", diff)
		}
		if got := r.Field(name); got != want.field(name) && !strings.ContainsAny(name, "&=") { // no field has such a name
			t.Errorf("field %q: got %q, want %q", name, got, want.field(name))
		}
	})
}

// slow is a form read the obvious way.
type slow struct {
	base, others map[string]string
	err          error
}

func slowParse(form string) slow {
	s := slow{base: map[string]string{}, others: map[string]string{}}
	if !strings.Contains(form, "=") {
		s.err = ErrNotForm
		return s
	}
	for pair := range strings.SplitSeq(form, "&") {
		name, value, _ := strings.Cut(pair, "=")
		_, again := s.base[name]
		switch isBase := strings.Contains(" hostname section tag_name key_name key_value ", " "+name+" "); {
		case isBase && name != "" && !again:
			s.base[name] = forPostgres(value)
		default:
			s.others[name] = value
		}
	}
	for _, name := range []string{"hostname", "section", "tag_name", "key_name", "key_value"} {
		s.base[name] += ""
	}
	if s.base["section"] == "" {
		s.err = ErrNoSection
	}
	return s
}

var escapePattern = regexp.MustCompile("(?i)%[0-9a-f]{2}")

func (s slow) field(name string) string {
	if value, ok := s.base[name]; ok || name == "" {
		return value
	}
	return forPostgres(escapePattern.ReplaceAllStringFunc(s.others[name], func(escape string) string {
		c, _ := strconv.ParseUint(escape[1:], 16, 8)
		return string([]byte{byte(c)})
	}))
}

func forPostgres(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
