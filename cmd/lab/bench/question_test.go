//go:build linux

package bench

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestTemplate(t *testing.T) {
	t.Parallel()
	template := newTemplate("a{number}b{user}{tenant}{node}c{number}")
	template.fill([values]int{number: 42, user: 1001, tenant: 7, node: 3})
	if got, want := string(template.text), "a00000042b1001000703c00000042"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Every question is found among the captured requests, and is a request when it is filled in.
func TestQuestions(t *testing.T) {
	t.Parallel()
	questions, err := fullSize.questions()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			l := q.load(fullSize, 1)
			l.request.fill(fullSize.pick(1))
			request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(l.request.text)))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(request.Body)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(body), "hostname=node02&section=") || strings.ContainsAny(string(body), "{}") {
				t.Errorf("body: %s", body)
			}
		})
	}
}
