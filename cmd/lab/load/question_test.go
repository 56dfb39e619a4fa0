//go:build linux

package load

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"xmlcurld/cmd/lab/world"
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
	questions, err := Questions(world.Full)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			l := q.Load("", world.Full, 1)
			l.request.fill(pick(world.Full, 1))
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

// Every row is asked for: numbers and users come from all of a world before the first comes back.
func TestPickVisitsAll(t *testing.T) {
	t.Parallel()
	s := world.Sizes{Tenants: 3, Numbers: 100, Users: 30, Nodes: 2}
	numbers, users := map[int]bool{}, map[[2]int]bool{}
	for i := range s.Numbers {
		v := pick(s, i)
		numbers[v[number]] = true
		users[[2]int{v[tenant], v[user]}] = true
	}
	if len(numbers) != s.Numbers || len(users) != s.Users {
		t.Errorf("%d of %d numbers, %d of %d users", len(numbers), s.Numbers, len(users), s.Users)
	}
}
