package xmlcurl

import (
	"context"
	"errors"
	"testing"
)

func TestMux(t *testing.T) {
	t.Parallel()
	says := func(what string) Handler {
		return HandlerFunc(func(context.Context, *Request, *Document) error { return errors.New(what) })
	}
	full := &Mux{
		Configuration:      map[string]Handler{"acl.conf": says("acl")},
		OtherConfiguration: says("other configuration"),
		Sections:           map[string]Handler{"dialplan": says("dialplan")},
	}
	for _, tc := range []struct {
		name     string
		mux      *Mux
		section  string
		keyValue string
		want     string
		kind     string
	}{
		{"a document of the table", full, "configuration", "acl.conf", "acl", "acl.conf"},
		{"any other document", full, "configuration", "x.conf", "other configuration", "other"},
		{"no other documents", &Mux{}, "configuration", "x.conf", "not found", "other"},
		{"another section", full, "dialplan", "acl.conf", "dialplan", "dialplan"},
		{"a section nobody answers", full, "phrases", "", "not found", "phrases"},
		{"no section of FreeSWITCH's", full, "Dialplan", "", "unknown section", "other"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := Document{kind: other}
			err := tc.mux.ServeXML(t.Context(), &Request{Section: tc.section, KeyValue: tc.keyValue}, &d)
			if err == nil || err.Error() != tc.want || d.kind != tc.kind {
				t.Errorf("got %v, kind %s", err, d.kind)
			}
		})
	}
}
