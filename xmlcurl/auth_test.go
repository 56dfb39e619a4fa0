package xmlcurl

import (
	"net/http"
	"testing"
)

func TestCredentials(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, wanted   string
		user, password string
		header         string
		want           bool
	}{
		{name: "open", want: true},
		{name: "right", wanted: "fs:se:cret", user: "fs", password: "se:cret", want: true},
		{name: "wrong password", wanted: "fs:secret", user: "fs", password: "Secret"},
		{name: "wrong user", wanted: "fs:secret", user: "FS", password: "secret"},
		{name: "none", wanted: "fs:secret"},
		{name: "none, where empty ones are wanted", wanted: ":"},
		{name: "empty ones", wanted: ":", header: "Basic Og==", want: true},
		{name: "another scheme", wanted: "fs:secret", header: "Bearer fs:secret"},
		{name: "not base64", wanted: "fs:secret", header: "Basic fs:secret"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{Header: http.Header{}}
			if tc.user != "" {
				r.SetBasicAuth(tc.user, tc.password)
			}
			if tc.header != "" {
				r.Header.Set("Authorization", tc.header)
			}
			if got := newCredentials(tc.wanted).allow(r); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
