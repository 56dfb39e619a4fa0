package xmlcurl

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
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
			node, err := newCredentials(tc.wanted, nil, false).node(t.Context(), r)
			if node != "" || (err == nil) != tc.want || err != nil && !errors.Is(err, ErrUnauthorized) {
				t.Errorf("got %q, %v", node, err)
			}
		})
	}
}

// accounts are nodes by "user:password".
type accounts map[string]string

func (a accounts) Authenticate(_ context.Context, user, password string) (string, error) {
	if user == "away" {
		return "", fmt.Errorf("look: %w", ErrUnavailable)
	}
	if node := a[user+":"+password]; node != "" {
		return node, nil
	}
	for key := range a {
		if strings.HasPrefix(key, user+":") {
			return "", ErrUnauthorized
		}
	}
	return "", ErrNotFound
}

func TestCredentialsOfNodes(t *testing.T) {
	t.Parallel()
	nodes := accounts{"fs1:one": "sw1", "fs2:two": "sw2"}
	open, required := newCredentials("", nodes, false), newCredentials("", nodes, true)
	both := newCredentials("all:of us", nodes, false)
	for _, tc := range []struct {
		name           string
		of             *credentials
		user, password string
		node           string
		err            error
	}{
		{"a node", required, "fs1", "one", "sw1", nil},
		{"another", required, "fs2", "two", "sw2", nil},
		{"a node beside common ones", both, "fs1", "one", "sw1", nil},
		{"a node where nothing is asked for", open, "fs1", "one", "sw1", nil},
		{"the common ones", both, "all", "of us", "", nil},
		{"another's password", required, "fs1", "two", "", ErrUnauthorized},
		{"a wrong password where nothing is asked for", open, "fs1", "two", "", ErrUnauthorized},
		{"nobody's user", required, "fs3", "one", "", ErrUnauthorized},
		{"nobody's user beside common ones", both, "fs3", "one", "", ErrUnauthorized},
		{"nobody's user where nothing is asked for", open, "fs3", "one", "", nil},
		{"no telling", required, "away", "x", "", ErrUnavailable},
		{"no telling where nothing is asked for", open, "away", "x", "", nil},
		{"nothing", required, "", "", "", ErrUnauthorized},
		{"nothing beside common ones", both, "", "", "", ErrUnauthorized},
		{"nothing where nothing is asked for", open, "", "", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{Header: http.Header{}}
			if tc.user != "" {
				r.SetBasicAuth(tc.user, tc.password)
			}
			if node, err := tc.of.node(t.Context(), r); node != tc.node || !errors.Is(err, tc.err) {
				t.Errorf("got %q, %v; want %q, %v", node, err, tc.node, tc.err)
			}
		})
	}
}

// A node that showed who it is gets its own documents whatever it says, which is counted, and told once.
func TestNodeGetsItsOwn(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{Nodes: accounts{"fs1:one": "sw1"}, Closed: true, Handler: HandlerFunc(func(_ context.Context, r *Request, d *Document) error {
		d.Empty("node", A("name", r.Hostname), A("field", r.Field("hostname")))
		return nil
	})})
	for range 2 {
		r := post("hostname=sw2&section=dialplan&hostname=sw3")
		r.SetBasicAuth("fs1", "one")
		if w := f.do(r); w.Code != 200 || !strings.Contains(w.Body.String(), `<node name="sw1" field="sw1"/>`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	r := post("hostname=sw1&section=dialplan")
	r.SetBasicAuth("fs1", "one")
	f.do(r)
	if n := testutil.ToFloat64(f.metrics.misnamedRequests); n != 2 {
		t.Errorf("%v were counted", n)
	}
	if log := f.log.String(); strings.Count(log, "node=sw1 says=sw2") != 1 {
		t.Errorf("log: %s", log)
	}
	r = post("hostname=sw1&section=dialplan")
	r.SetBasicAuth("away", "one")
	if w := f.do(r); w.Code != 503 {
		t.Errorf("no telling: %d", w.Code)
	}
}
