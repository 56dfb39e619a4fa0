package endpoint

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// This file is the fast path: the requests that FreeSWITCH makes are answered without net/http, whose work for a connection
// that may bring more than one request is a third of what such an answer costs. With the build tag nofast, net/http reads all.

const (
	// promptTime is how long a request may take to be read here. FreeSWITCH sends its request with the connection.
	promptTime = 100 * time.Millisecond
	// promptSize has room for a call's header and form, which FreeSWITCH's variables make long. In bytes.
	promptSize = 16 << 10
)

type promptBuffer [promptSize]byte

var promptBuffers = sync.Pool{New: func() any { return new(promptBuffer) }}

// takePlain has a goroutine serve c that has served before, since its stack has grown to what that takes, or a new one.
func (e *Endpoint) takePlain(c *conn) {
	select {
	case e.workers <- c:
	default:
		go e.servePlain(c)
	}
}

// servePlain serves first, and whatever comes next. It ends with a connection that brings no plain request, so that a crowd
// of those leaves no goroutines behind.
func (e *Endpoint) servePlain(first *conn) {
	plain := e.serveOne(first)
	for plain {
		c, open := <-e.workers
		plain = open && e.serveOne(c)
	}
}

// serveOne answers a plain request, and leaves any other to net/http, in no more memory than it takes: its caller may be
// slow.
func (e *Endpoint) serveOne(c *conn) (plain bool) {
	buffer := promptBuffers.Get().(*promptBuffer)
	defer promptBuffers.Put(buffer)
	request, read := readPlain(c, buffer)
	if request.path != e.plain.Path() {
		_ = c.SetReadDeadline(time.Time{})
		c.read = bytes.Clone(read)
		c.all.grew(c, len(read))
		e.forHTTP.give(c)
		return false
	}
	defer func() {
		if value := recover(); value != nil {
			e.log.LogAttrs(context.Background(), slog.LevelError, "an answer broke off",
				slog.Any("panic", value), slog.String("stack", string(debug.Stack())))
		}
		_ = c.Close()
	}()
	request.conn = c
	e.plain.ServePlain(&request)
	return true
}

// readPlain reads until there is a plain request, or it is clear that there will be none in time. It returns what it read.
func readPlain(c *conn, buffer *promptBuffer) (r PlainRequest, read []byte) {
	_ = c.SetReadDeadline(time.Now().Add(promptTime))
	for more := true; more; {
		n, err := c.Conn.Read(buffer[len(read):])
		if read = buffer[:len(read)+n]; err != nil {
			return PlainRequest{}, read
		}
		r, more = parsePlain(read)
		more = more && len(read) < len(buffer)
	}
	return r, read
}

// PlainRequest is a POST that HTTP has no two opinions about.
type PlainRequest struct {
	ContentType string
	Posted      []byte

	path          string // "": it is none
	authorization string
	conn          *conn
}

// BasicAuth returns the user and password of HTTP's Basic scheme, if they were sent.
func (r *PlainRequest) BasicAuth() (user, password string, sent bool) {
	if r.authorization == "" {
		return "", "", false
	}
	return (&http.Request{Header: http.Header{"Authorization": {r.authorization}}}).BasicAuth()
}

// Arrived is told that the request has arrived as a whole.
func (r *PlainRequest) Arrived() { r.conn.all.arrived(r.conn) }

// Reply sends the answer, and returns how much of its body was taken.
func (r *PlainRequest) Reply(a Answer) (sent int) {
	head := heads.Get().(*bytes.Buffer)
	defer heads.Put(head)
	head.Reset()
	a.writeHead(head)
	together := min(len(a.Body), togetherSize)
	head.Write(a.Body[:together])
	_ = r.conn.SetWriteDeadline(time.Now().Add(answerTime))
	n, err := r.conn.Write(head.Bytes())
	sent = max(0, n-(head.Len()-together))
	if err == nil && together < len(a.Body) {
		n, _ = r.conn.Write(a.Body[together:])
		sent += n
	}
	return sent
}

// togetherSize is how much of an answer is put behind its header to be sent in one piece, in bytes.
const togetherSize = 16 << 10

var heads = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// parsePlain reads a POST of HTTP/1.1 with the fields that libcurl sends, each of them once, in letters that mean nothing
// but themselves, and with all of its body. Whatever else there may be in HTTP is not for here to judge. It reports whether
// more may make a plain request of what is none yet.
func parsePlain(read []byte) (r PlainRequest, more bool) {
	head, posted, whole := bytes.Cut(read, []byte("\r\n\r\n"))
	if !whole {
		return PlainRequest{}, bytes.HasPrefix(read, []byte("POST /"))
	}
	line, fields, _ := strings.Cut(string(head), "\r\n")
	path, ok := plainPath(line)
	if !ok {
		return PlainRequest{}, false
	}
	var values [len(plainFields)]string
	for fields != "" {
		line, fields, _ = strings.Cut(fields, "\r\n")
		name, value, _ := strings.Cut(line, ": ")
		i := slices.Index(plainFields[:], name)
		if i < 0 || values[i] != "" || !plain(value) {
			return PlainRequest{}, false
		}
		values[i] = value
	}
	host, length := values[fieldHost], values[fieldLength]
	announced, err := strconv.Atoi(length)
	if err != nil || strconv.Itoa(announced) != length || announced < len(posted) || host == "" || strings.ContainsFunc(host, notInHost) {
		return PlainRequest{}, false
	}
	if announced > len(posted) {
		return PlainRequest{}, true
	}
	return PlainRequest{path: path, ContentType: values[fieldType], authorization: values[fieldAuthorization], Posted: posted}, false
}

const (
	fieldHost = iota
	fieldLength
	fieldType
	fieldAuthorization
)

// plainFields are those that a plain request may have.
var plainFields = [...]string{
	fieldHost: "Host", fieldLength: "Content-Length", fieldType: "Content-Type", fieldAuthorization: "Authorization",
	4: "User-Agent", 5: "Accept",
}

// plainPath is what the first line of a plain request posts to.
func plainPath(line string) (path string, ok bool) {
	path, ok = strings.CutPrefix(line, "POST ")
	if !ok {
		return "", false
	}
	path, ok = strings.CutSuffix(path, " HTTP/1.1")
	return path, ok && strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.ContainsFunc(path, notInPath)
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
