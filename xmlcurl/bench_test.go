package xmlcurl

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// dialplan answers a call the way a real handler does, without the lookup.
func dialplan(_ context.Context, r *Request, d *Document) error {
	number, where := r.Field("Hunt-Destination-Number"), r.Field("Hunt-Context")
	if number == "" {
		number = r.Field("Caller-Destination-Number")
	}
	d.SetKind("dialplan")
	d.Open("context", A("name", where))
	d.Open("extension", A("name", "twilio.inbound"))
	d.Open("condition", A("field", "destination_number"), A("expression", `^(\`+number+`)$`))
	d.Empty("action", A("application", "log"), A("data", "INFO call for "+number))
	d.Empty("action", A("application", "socket"), A("data", "127.0.0.1:8051 async full"))
	d.Close()
	d.Close()
	d.Close()
	return nil
}

func BenchmarkParseAndEncode(b *testing.B) {
	form := captured(b, "dialplan")
	var d Document
	b.ReportAllocs()
	for b.Loop() {
		r, err := ParseRequest(form)
		if err != nil {
			b.Fatal(err)
		}
		if err := d.fill(b.Context(), HandlerFunc(dialplan), r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkField(b *testing.B) {
	r, err := ParseRequest(captured(b, "dialplan"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if r.Field("Hunt-Destination-Number") == "" {
			b.Fatal("absent")
		}
	}
}

// nowhere is a response writer without a socket.
type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (w *nowhere) WriteHeader(int)             {}

func BenchmarkServer(b *testing.B) {
	s := NewServer(Options{Handler: &Mux{Sections: map[string]Handler{"dialplan": HandlerFunc(dialplan)}}, Credentials: "fs:secret"})
	form := captured(b, "dialplan")
	request := httptest.NewRequest(http.MethodPost, "/xml", nil)
	request.Header.Set("Content-Type", urlencoded)
	request.SetBasicAuth("fs", "secret")
	request.ContentLength = int64(len(form))
	w := &nowhere{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		request.Body = io.NopCloser(bytes.NewReader(form))
		s.ServeHTTP(w, request)
	}
}
