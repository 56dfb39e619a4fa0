package endpoint

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// libcurls is a request as libcurl writes it for FreeSWITCH.
const libcurls = "POST /xml HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Basic Zm9vOmJhcg==\r\nUser-Agent: freeswitch-xml/1.0\r\n" +
	"Accept: */*\r\nContent-Length: 5\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na=b&c"

// What could mean anything but what it says is left to net/http.
var notPlain = map[string]string{
	"nothing":                   "",
	"half a header":             libcurls[:40],
	"half a body":               libcurls[:len(libcurls)-1],
	"a second request":          libcurls + libcurls,
	"a GET":                     strings.Replace(libcurls, "POST", "GET", 1),
	"HTTP/1.0":                  strings.Replace(libcurls, "HTTP/1.1", "HTTP/1.0", 1),
	"a query":                   strings.Replace(libcurls, "/xml", "/xml?a=b", 1),
	"an escape":                 strings.Replace(libcurls, "/xml", "/x%6dl", 1),
	"a dot":                     strings.Replace(libcurls, "/xml", "/a/../xml", 1),
	"a whole URL":               strings.Replace(libcurls, "/xml", "http://a/xml", 1),
	"two slashes":               strings.Replace(libcurls, "/xml", "//a/xml", 1),
	"a cookie":                  strings.Replace(libcurls, "Accept", "Cookie", 1),
	"another case":              strings.Replace(libcurls, "Accept", "accept", 1),
	"a field twice":             strings.Replace(libcurls, "Accept: ", "Host: ", 1),
	"no host":                   strings.Replace(libcurls, "Host: 127.0.0.1:8080\r\n", "", 1),
	"a strange host":            strings.Replace(libcurls, "127.0.0.1", "a/b@c", 1),
	"chunks":                    strings.Replace(libcurls, "Accept: */*", "Transfer-Encoding: chunked", 1),
	"waiting for leave":         strings.Replace(libcurls, "Accept: */*", "Expect: 100-continue", 1),
	"no length":                 strings.Replace(libcurls, "Content-Length: 5\r\n", "", 1),
	"a length with a zero":      strings.Replace(libcurls, "Length: 5", "Length: 05", 1),
	"a length with a sign":      strings.Replace(libcurls, "Length: 5", "Length: +5", 1),
	"no space":                  strings.Replace(libcurls, "Accept: ", "Accept:", 1),
	"space before the colon":    strings.Replace(libcurls, "Accept: ", "Accept : ", 1),
	"two spaces":                strings.Replace(libcurls, "Accept: ", "Accept:  ", 1),
	"a folded line":             strings.Replace(libcurls, "Accept: */*", "Accept: */*\r\n and more", 1),
	"a line that ends too soon": strings.Replace(libcurls, "*/*\r\n", "*/*\n", 1),
	"a NUL":                     strings.Replace(libcurls, "*/*", "*\x00*", 1),
	"TLS":                       "\x16\x03\x01\x02\x00",
	"HTTP/2":                    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}

func TestPlainRequest(t *testing.T) {
	t.Parallel()
	for name, sent := range notPlain {
		if r, _ := parsePlain([]byte(sent)); r.path != "" {
			t.Errorf("%s is taken for a plain request", name)
		}
	}
	r, more := parsePlain([]byte(libcurls))
	if more || r.path != "/xml" || r.authorization != "Basic Zm9vOmJhcg==" || r.ContentType != "application/x-www-form-urlencoded" || string(r.Posted) != "a=b&c" {
		t.Errorf("FreeSWITCH's own is read as %+v", r)
	}
}

// Whatever FreeSWITCH has sent of a request, the rest is waited for; with one that can be none, no time is lost.
func TestMoreOfAPlainRequest(t *testing.T) {
	t.Parallel()
	for n := len("POST /"); n < len(libcurls); n++ {
		if r, more := parsePlain([]byte(libcurls[:n])); r.path != "" || !more {
			t.Errorf("%q: %+v, more: %t", libcurls[:n], r, more)
		}
	}
	for name, sent := range notPlain {
		if _, more := parsePlain([]byte(sent)); more != strings.HasPrefix(name, "half") {
			t.Errorf("%s: more: %t", name, more)
		}
	}
}

// Whoever reads nothing of an answer is given up.
func TestReplyToNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := net.Pipe()
		began := time.Now()
		sent := (&PlainRequest{conn: &conn{Conn: c}}).Reply(Answer{Status: http.StatusOK, Body: []byte("a")})
		if took := time.Since(began); sent != 0 || took != answerTime {
			t.Errorf("%d bytes sent, after %v", sent, took)
		}
	})
}

// FuzzPlainRequest: what is read here is what net/http would read, with nothing left of it.
func FuzzPlainRequest(f *testing.F) {
	f.Add([]byte(libcurls))
	for _, sent := range notPlain {
		f.Add([]byte(sent))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		r, more := parsePlain(sent)
		if r.path == "" {
			return
		}
		rest := bufio.NewReader(bytes.NewReader(sent))
		want, err := http.ReadRequest(rest)
		if err != nil {
			t.Fatalf("http.ReadRequest: %v", err)
		}
		body, err := io.ReadAll(want.Body)
		if err != nil || !bytes.Equal(body, r.Posted) || more {
			t.Errorf("posted %q, want %q, %v, more: %t", r.Posted, body, err, more)
		}
		if left, _ := io.ReadAll(rest); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
		if want.Method != http.MethodPost || want.URL.Path != r.path || want.RequestURI != r.path || want.Proto != "HTTP/1.1" ||
			want.Header.Get("Content-Type") != r.ContentType || want.Header.Get("Authorization") != r.authorization {
			t.Errorf("%+v, want %+v", r, want)
		}
		user, password, ok := r.BasicAuth()
		if u, p, k := want.BasicAuth(); u != user || p != password || k != ok {
			t.Errorf("%q %q %t, want %q %q %t", user, password, ok, u, p, k)
		}
	})
}
