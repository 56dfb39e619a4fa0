package xmlcurl

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestWatch(t *testing.T) {
	t.Parallel()
	cause := errors.New("no host answers")
	s := NewServer(Options{Handler: HandlerFunc(func(_ context.Context, r *Request, d *Document) error {
		if r.KeyValue == "gone" {
			return ErrNotFound
		}
		d.SetKind("acl.conf")
		d.Stale(time.Minute, cause)
		d.NodeUnknown()
		d.Empty("list")
		return nil
	})})
	ask := func(value string) *httptest.ResponseRecorder {
		request := httptest.NewRequest(http.MethodPost, "/xml", strings.NewReader("hostname=fs1&section=configuration&key_value="+value))
		request.Header.Set("Content-Type", urlencoded)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, request)
		return w
	}
	unwatched := ask("acl.conf").Body.Bytes()
	var all []Exchange
	s.Watch(func(x *Exchange) {
		seen := *x
		seen.Answer = bytes.Clone(x.Answer)
		seen.Request = &Request{Hostname: x.Request.Hostname, KeyValue: x.Request.Field("key_value")}
		seen.Form = bytes.Clone(x.Form)
		all = append(all, seen)
	})
	watched := ask("acl.conf").Body.Bytes()
	if !bytes.Equal(watched, unwatched) {
		t.Errorf("watched %q, else %q", watched, unwatched)
	}
	ask("gone")
	s.Watch(nil)
	ask("acl.conf")
	if len(all) != 2 {
		t.Fatalf("%d exchanges were told", len(all))
	}
	x := all[0]
	if x.Request.Hostname != "fs1" || x.Kind != "acl.conf" || x.Result != "found" || x.Status != 200 || !bytes.Equal(x.Answer, watched) ||
		string(x.Form) != "hostname=fs1&section=configuration&key_value=acl.conf" || !x.Stale || x.Age != time.Minute || !errors.Is(x.Cause, cause) || !x.NodeUnknown || x.Took <= 0 || x.Began.IsZero() {
		t.Errorf("told %+v", x)
	}
	if x = all[1]; x.Result != "not_found" || !errors.Is(x.Err, ErrNotFound) || string(x.Answer) != notFound {
		t.Errorf("told %+v", x)
	}
}

// What a request pays for the possibility that somebody watches, while nobody does.
func BenchmarkTellNobody(b *testing.B) {
	s := NewServer(Options{Handler: &Mux{}})
	x := &exchange{document: new(Document)}
	b.ReportAllocs()
	for b.Loop() {
		s.tellWatcher(x, time.Millisecond)
	}
}
