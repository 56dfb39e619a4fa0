package accept

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Request is the request that was read ahead, and what it posts, which is good until Answer returns; nil if it is not there
// as a whole, or is not of the plain kind that FreeSWITCH makes. Whoever answers it needs no http.Server, whose work for a
// connection that may bring more than one request is a third of what such an answer costs. Any other request is left for
// an http.Server to read, in no more memory than it takes, since its caller may be slow.
func (c *Conn) Request(ctx context.Context) (r *http.Request, posted []byte) {
	if r, posted = plainRequest(c.ahead); r == nil {
		c.shrink()
		return nil, nil
	}
	return r.WithContext(ctx), posted
}

// plainRequest reads a POST of HTTP/1.1 with the fields that libcurl sends, each of them once, in letters that mean nothing
// but themselves, and with all of its body. It is nil for whatever else there may be in HTTP: to judge that is not for here.
func plainRequest(ahead []byte) (*http.Request, []byte) {
	head, posted, whole := bytes.Cut(ahead, []byte("\r\n\r\n"))
	if !whole {
		return nil, nil
	}
	line, fields, _ := strings.Cut(string(head), "\r\n")
	target, ok := plainTarget(line)
	if !ok {
		return nil, nil
	}
	header := make(http.Header, len(plainFields))
	values := make([]string, len(plainFields))
	for fields != "" {
		line, fields, _ = strings.Cut(fields, "\r\n")
		name, value, _ := strings.Cut(line, ": ")
		i, ok := plainFields[name]
		if !ok || values[i] != "" || !plain(value) {
			return nil, nil
		}
		values[i] = value
		header[name] = values[i : i+1 : i+1]
	}
	host := values[plainFields["Host"]]
	if host == "" || strings.ContainsFunc(host, notInHost) || values[plainFields["Content-Length"]] != strconv.Itoa(len(posted)) {
		return nil, nil
	}
	delete(header, "Host") // as http.Server has it
	return &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: target}, RequestURI: target, Host: host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(posted)), Body: newBody(posted),
	}, posted
}

// plainFields are numbered.
var plainFields = map[string]int{
	"Host": 0, "User-Agent": 1, "Accept": 2, "Content-Length": 3, "Content-Type": 4, "Authorization": 5,
}

// plainTarget is what the first line of a plain request posts to.
func plainTarget(line string) (target string, ok bool) {
	target, ok = strings.CutPrefix(line, "POST ")
	if !ok {
		return "", false
	}
	target, ok = strings.CutSuffix(target, " HTTP/1.1")
	return target, ok && strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "//") &&
		!strings.ContainsFunc(target, notInPath)
}

func notInPath(c rune) bool { return !alphanumeric(c) && c != '/' && c != '-' && c != '_' }

func notInHost(c rune) bool { return !alphanumeric(c) && !strings.ContainsRune(".:[]-_", c) }

func alphanumeric(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// plain reports whether value is printable ASCII, and not empty, without space around it.
func plain(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return value != "" && value[0] != ' ' && value[len(value)-1] != ' '
}

// body is what was posted, for whoever reads it as a stream.
type body struct{ bytes.Reader }

func newBody(posted []byte) *body {
	b := new(body)
	b.Reset(posted)
	return b
}

// Close implements io.Closer.
func (*body) Close() error { return nil }

// Answer has handler answer r, which came from Request. The end of the answer may be held back by the kernel until the
// connection is closed, which is up to the caller: the two travel together, which saves a packet.
func (c *Conn) Answer(handler http.Handler, r *http.Request) {
	growStack()
	w := answers.Get().(*answer)
	c.last, w.conn = true, c
	handler.ServeHTTP(w, r)
	w.finish()
	answers.Put(w)
	c.release()
}

// answerStack is what an answer comes to need of its goroutine's stack, in bytes; the stack is the next power of two.
const answerStack = 9 << 10

// growStack makes room while next to nothing stands on the stack. Left to grow by itself, it is moved three times, each
// time with more on it, and that is a twentieth of what an answer costs.
//
//go:noinline
func growStack() {
	var room [answerStack]byte
	use(&room)
}

//go:noinline
func use(room *[answerStack]byte) { room[0] = 1 }

// answer is the http.ResponseWriter of a connection that ends with it.
type answer struct {
	conn   *Conn
	header http.Header
	begun  bool
	head   bytes.Buffer // all that is written and not sent
}

// together is how much of an answer is put behind its header to be sent in one piece, in bytes.
const together = 16 << 10

var answers = sync.Pool{New: func() any { return &answer{header: make(http.Header)} }}

// Header implements http.ResponseWriter.
func (w *answer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *answer) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	w.head.WriteString("HTTP/1.1 ")
	w.head.WriteString(strconv.Itoa(status))
	w.head.WriteString(" ")
	w.head.WriteString(http.StatusText(status))
	w.head.WriteString("\r\nConnection: close\r\n")
	_ = w.header.Write(&w.head) // memory takes everything
	w.head.WriteString("\r\n")
}

// Write implements http.ResponseWriter.
func (w *answer) Write(b []byte) (n int, err error) {
	w.WriteHeader(http.StatusOK)
	if w.head.Len() > 0 {
		n = max(0, min(len(b), together-w.head.Len()))
		w.head.Write(b[:n])
		if err := w.flush(); err != nil || n == len(b) {
			return n, err
		}
	}
	more, err := w.conn.Write(b[n:])
	return n + more, err
}

func (w *answer) flush() error {
	_, err := w.conn.Write(w.head.Bytes())
	w.head.Reset()
	return err
}

// finish sends what is left, and is ready for the next.
func (w *answer) finish() {
	w.WriteHeader(http.StatusOK)
	if w.head.Len() > 0 {
		_ = w.flush() // nobody is there to be told
	}
	clear(w.header)
	w.conn, w.begun = nil, false
}
