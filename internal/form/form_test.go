package form_test

import (
	"testing"

	"xmlcurld/internal/form"
)

func TestForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		form *form.Form
		want string
	}{
		{form.Call("vm", "public", "+27 12"),
			"hostname=vm&section=dialplan&tag_name=&key_name=&key_value=&Event-Name=REQUEST_PARAMS" +
				"&Event-Calling-Function=dialplan_xml_locate&Caller-Destination-Number=%2B27%2012&Caller-Context=public" +
				"&Hunt-Destination-Number=%2B27%2012&Hunt-Context=public"},
		{form.Configuration("vm", "sofia.conf").With("profile", "a+b"),
			"hostname=vm&section=configuration&tag_name=configuration&key_name=name&key_value=sofia.conf&profile=a%2Bb"},
	} {
		if got := test.form.String(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}
