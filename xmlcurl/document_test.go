package xmlcurl

import (
	"context"
	"errors"
	"testing"
)

func TestRender(t *testing.T) {
	t.Parallel()
	out, err := Render(t.Context(), writes(func(d *Document) {
		d.Open("configuration", A("name", "acl.conf"))
		d.Open("network-lists")
		d.Open("list", A("name", "domains"), A("default", "deny"))
		d.Empty("node", A("type", "allow"), A("cidr", "54.172.60.0/30"))
		d.Close()
		d.Close()
		d.Close()
	}), &Request{Section: "configuration"})
	if err != nil {
		t.Fatal(err)
	}
	want := `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<document type="freeswitch/xml">
<section name="configuration">
<configuration name="acl.conf">
<network-lists>
<list name="domains" default="deny">
<node type="allow" cidr="54.172.60.0/30"/>
</list>
</network-lists>
</configuration>
</section>
</document>
`
	if string(out) != want {
		t.Errorf("got:\n%s", out)
	}
}

func TestRenderPassesErrorsThrough(t *testing.T) {
	t.Parallel()
	h := HandlerFunc(func(_ context.Context, _ *Request, d *Document) error {
		d.Open("half")
		return ErrNotFound
	})
	if out, err := Render(t.Context(), h, &Request{Section: "dialplan"}); !errors.Is(err, ErrNotFound) || out != nil {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestNotFoundDocument(t *testing.T) {
	t.Parallel()
	want := `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<document type="freeswitch/xml">
<section name="result">
<result status="not found"/>
</section>
</document>
`
	if notFound != want {
		t.Errorf("got:\n%s", notFound)
	}
}

func TestDocumentFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		write func(d *Document)
		want  string
	}{
		{"open element", func(d *Document) { d.Open("a"); d.Open("b"); d.Close() }, `encode: element "a" was never closed`},
		{"closed too often", func(d *Document) { d.Open("a"); d.Close(); d.Close() }, `encode: close: no element is open`},
		{"no name", func(d *Document) { d.Empty("") }, `encode: "" is not a name`},
		{"markup as a name", func(d *Document) { d.Empty("a", A(`b="c" d`, "")) }, `encode: "b=\"c\" d" is not a name`},
		{"digit first", func(d *Document) { d.Empty("1a") }, `encode: "1a" is not a name`},
		{"include", func(d *Document) { d.Open("include"); d.Close() }, `encode: the name "include" is FreeSWITCH's pre-processor's`},
		{"directive", func(d *Document) { d.Empty("X-PRE-PROCESS") }, `encode: the name "X-PRE-PROCESS" is FreeSWITCH's pre-processor's`},
		{"the first fault sticks", func(d *Document) { d.Fail(errors.New("one")); d.Fail(errors.New("two")) }, `encode: one`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			out, err := Render(t.Context(), writes(tc.write), &Request{Section: "dialplan"})
			if err == nil || err.Error() != tc.want || out != nil {
				t.Errorf("got %v\nwant %s", err, tc.want)
			}
		})
	}
}
