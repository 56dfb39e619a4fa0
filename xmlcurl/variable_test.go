package xmlcurl

import (
	"strings"
	"testing"
)

func TestSetVariable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, variable, value string
		expand                bool
		want                  string // the line; "" when it cannot be carried
	}{
		{"a port", "internal_sip_port", "21160", false, `<X-PRE-PROCESS cmd="set" data="internal_sip_port=21160"/>`},
		{"signs that mean nothing", "a", `local_stream://moh 'x' = é / ${b} \`, false, `<X-PRE-PROCESS cmd="set" data="a=local_stream://moh 'x' = é / ${b} \"/>`},
		{"another variable", "a", "sip.$${domain}", true, `<X-PRE-PROCESS cmd="set" data="a=sip.$${domain}"/>`},
		{"another variable that is none", "a", "sip.$${domain}", false, ""},
		{"a quote", "a", `b"`, false, ""},
		{"the end of a directive", "a", "b/>", false, ""},
		{"markup", "a", "<b", false, ""},
		{"an ampersand", "a", "b&c", false, ""},
		{"a line's end", "a", "b\nc", false, ""},
		{"a carriage return", "a", "b\rc", false, ""},
		{"nothing", "a", "", false, ""},
		{"a blank at its end", "a", "b ", false, ""},
		{"very much", "a", strings.Repeat("b", 2001), false, ""},
		{"a name with a sign", "a=b", "c", false, ""},
		{"no name", "", "c", false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var d Document
			written := d.SetVariable(test.variable, test.value, test.expand)
			if got := strings.TrimSuffix(string(d.out), "\n"); got != test.want || written != (test.want != "") || d.err != nil {
				t.Errorf("%t %q %v, want %q", written, got, d.err, test.want)
			}
		})
	}
}
