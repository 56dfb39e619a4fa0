package accept

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asked is a request as libcurl writes it for FreeSWITCH.
const asked = "POST /xml HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Basic Zm9vOmJhcg==\r\nUser-Agent: freeswitch-xml/1.0\r\n" +
	"Accept: */*\r\nContent-Length: 5\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na=b&c"

// What could mean anything but what it says is left to http.Server.
var notPlain = map[string]string{
	"nothing":                   "",
	"half a header":             asked[:40],
	"half a body":               asked[:len(asked)-1],
	"a second request":          asked + asked,
	"a GET":                     strings.Replace(asked, "POST", "GET", 1),
	"HTTP/1.0":                  strings.Replace(asked, "HTTP/1.1", "HTTP/1.0", 1),
	"a query":                   strings.Replace(asked, "/xml", "/xml?a=b", 1),
	"an escape":                 strings.Replace(asked, "/xml", "/x%6dl", 1),
	"a dot":                     strings.Replace(asked, "/xml", "/a/../xml", 1),
	"a whole URL":               strings.Replace(asked, "/xml", "http://a/xml", 1),
	"two slashes":               strings.Replace(asked, "/xml", "//a/xml", 1),
	"a cookie":                  strings.Replace(asked, "Accept", "Cookie", 1),
	"another case":              strings.Replace(asked, "Accept", "accept", 1),
	"a field twice":             strings.Replace(asked, "Accept: ", "Host: ", 1),
	"no host":                   strings.Replace(asked, "Host: 127.0.0.1:8080\r\n", "", 1),
	"a strange host":            strings.Replace(asked, "127.0.0.1", "a/b@c", 1),
	"chunks":                    strings.Replace(asked, "Accept: */*", "Transfer-Encoding: chunked", 1),
	"waiting for leave":         strings.Replace(asked, "Accept: */*", "Expect: 100-continue", 1),
	"no length":                 strings.Replace(asked, "Content-Length: 5\r\n", "", 1),
	"a length with a zero":      strings.Replace(asked, "Length: 5", "Length: 05", 1),
	"a length with a sign":      strings.Replace(asked, "Length: 5", "Length: +5", 1),
	"no space":                  strings.Replace(asked, "Accept: ", "Accept:", 1),
	"space before the colon":    strings.Replace(asked, "Accept: ", "Accept : ", 1),
	"two spaces":                strings.Replace(asked, "Accept: ", "Accept:  ", 1),
	"a folded line":             strings.Replace(asked, "Accept: */*", "Accept: */*\r\n and more", 1),
	"a line that ends too soon": strings.Replace(asked, "*/*\r\n", "*/*\n", 1),
	"a NUL":                     strings.Replace(asked, "*/*", "*\x00*", 1),
	"TLS":                       "\x16\x03\x01\x02\x00",
	"HTTP/2":                    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}

func TestPlainRequest(t *testing.T) {
	t.Parallel()
	for name, sent := range notPlain {
		if r, _ := plainRequest([]byte(sent)); r != nil {
			t.Errorf("%s is taken for a plain request", name)
		}
	}
	if r, posted := plainRequest([]byte(asked)); r == nil || string(posted) != "a=b&c" {
		t.Errorf("FreeSWITCH's own is not: %v, %q", r, posted)
	}
}

// FuzzPlainRequest: what is read here is what http.Server would read, with nothing left of it.
func FuzzPlainRequest(f *testing.F) {
	f.Add([]byte(asked))
	for _, sent := range notPlain {
		f.Add([]byte(sent))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		r, posted := plainRequest(sent)
		if r == nil {
			return
		}
		rest := bufio.NewReader(bytes.NewReader(sent))
		want, err := http.ReadRequest(rest)
		if err != nil {
			t.Fatalf("http.ReadRequest: %v", err)
		}
		body, err := io.ReadAll(want.Body)
		if err != nil || !bytes.Equal(body, posted) {
			t.Errorf("posted %q, want %q, %v", posted, body, err)
		}
		if more, _ := io.ReadAll(rest); len(more) > 0 {
			t.Errorf("left: %q", more)
		}
		type known struct {
			Method, Path, RequestURI, Query, Host, Proto string
			Header                                       http.Header
			ContentLength                                int64
		}
		of := func(r *http.Request) known {
			return known{r.Method, r.URL.Path, r.RequestURI, r.URL.RawQuery, r.Host, r.Proto, r.Header, r.ContentLength}
		}
		if diff := cmp.Diff(of(want), of(r)); diff != "" {
			t.Errorf("http.ReadRequest (-) and this (+):\n%s", diff)
		}
	})
}

// What a handler answers arrives as it would from http.Server, whatever its size, in one piece or many.
func TestAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		pieces []string
	}{
		"nothing":     {http.StatusNoContent, nil},
		"a word":      {http.StatusOK, []string{"word"}},
		"a fault":     {http.StatusServiceUnavailable, []string{"no ", "room"}},
		"a document":  {http.StatusOK, []string{strings.Repeat("0123456789", 5000)}},
		"a long one":  {http.StatusOK, []string{strings.Repeat("0123456789", 1<<20), "end"}},
		"many pieces": {http.StatusOK, strings.SplitAfter(strings.Repeat("piece ", 5000), " ")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caller, c := pair(t, listen(t), asked)
			r, _ := c.Request(context.Background())
			if r == nil {
				t.Fatal("not taken for a request")
			}
			go func() {
				defer func() { _ = c.Close() }()
				c.Answer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Path", r.URL.Path)
					w.WriteHeader(tc.status)
					for _, piece := range tc.pieces {
						if n, err := io.WriteString(w, piece); n != len(piece) || err != nil {
							t.Errorf("%d of %d written, %v", n, len(piece), err)
						}
					}
				}), r)
			}()
			got, err := http.ReadResponse(bufio.NewReader(caller), r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(got.Body)
			if want := strings.Join(tc.pieces, ""); err != nil || string(body) != want {
				t.Errorf("%d bytes arrived, want %d, %v", len(body), len(want), err)
			}
			if got.StatusCode != tc.status || got.Header.Get("X-Path") != "/xml" || !got.Close {
				t.Errorf("%s, %v, closed: %v", got.Status, got.Header, got.Close)
			}
		})
	}
}
