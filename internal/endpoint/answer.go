package endpoint

import (
	"bytes"
	"maps"
	"net/http"
	"strconv"
)

// Answer is what is sent back, the same bytes by either way.
type Answer struct {
	Status int
	Header http.Header // but for the body's length; it is not changed
	Body   []byte
}

// Write sends a by net/http, and returns how much of its body was taken.
func (a *Answer) Write(w http.ResponseWriter) (sent int) {
	header := w.Header()
	maps.Copy(header, a.Header)
	header["Date"] = nil // nobody reads it
	header["Content-Length"] = []string{strconv.Itoa(len(a.Body))}
	w.WriteHeader(a.Status)
	sent, _ = w.Write(a.Body)
	return sent
}

// writeHead writes what net/http would.
func (a *Answer) writeHead(b *bytes.Buffer) {
	for _, part := range [...]string{
		"HTTP/1.1 ", strconv.Itoa(a.Status), " ", http.StatusText(a.Status),
		"\r\nContent-Length: ", strconv.Itoa(len(a.Body)), "\r\n",
	} {
		b.WriteString(part)
	}
	_ = a.Header.Write(b) // a buffer takes all
	b.WriteString("Connection: close\r\n\r\n")
}
