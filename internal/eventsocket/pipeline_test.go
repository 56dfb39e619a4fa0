package eventsocket

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPipeline(t *testing.T) {
	t.Parallel()
	c := dial(t,
		hear("api one\n\napi two a b\n\napi three\n\n"), // all, before the first reply
		say(response("1\n")+response("-ERR 2\n")),
		say(withBody("Content-Type: log/data\n", "line\n")),
		say(response("3\n")),
	)
	got, err := c.Pipeline(soon(t), Command{"one"}, Command{"two", "a", "b"}, Command{"three"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Reply{
		{Body: "1\n"},
		{Body: "-ERR 2\n", Err: &CommandError{Command: "two a b", Reply: "-ERR 2"}},
		{Body: "3\n"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPipelineOfNothing(t *testing.T) {
	t.Parallel()
	c := dial(t, hold)
	if got, err := c.Pipeline(soon(t)); err != nil || len(got) != 0 {
		t.Errorf("got %v %v", got, err)
	}
}

func TestPipelineCutOff(t *testing.T) {
	t.Parallel()
	c := dial(t, hear("api one\n\napi two\n\n"), say(response("1")+"Content-Type: api/res"))
	got, err := c.Pipeline(soon(t), Command{"one"}, Command{"two"})
	if !errors.Is(err, ErrDisconnected) {
		t.Errorf("got error %v", err)
	}
	if diff := cmp.Diff([]Reply{{Body: "1"}}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := ask(soon(t), c, "two"); !errors.Is(err, ErrBroken) {
		t.Errorf("then got %v", err)
	}
}

// All replies of a call share one limit.
func TestPipelineOverLimit(t *testing.T) {
	t.Parallel()
	rest := "Content-Type: api/response\nContent-Length: 67108864\n\n"
	c := dial(t, hear("api one\n\napi two\n\n"), say(response("1")+rest), hold)
	if _, err := c.Pipeline(soon(t), Command{"one"}, Command{"two"}); !errors.Is(err, ErrProtocol) {
		t.Errorf("got %v", err)
	}
}

func TestPipelineRefusesAllForOne(t *testing.T) {
	t.Parallel()
	c := dial(t, hear("api status\n\n"), say(response("ok")))
	got, err := c.Pipeline(soon(t), Command{"killgw", "a"}, Command{"startgw", "a\n\napi shutdown"})
	if !errors.Is(err, ErrArgument) || got != nil {
		t.Errorf("got %v %v", got, err)
	}
	if got, err := ask(soon(t), c, "status"); err != nil || got != "ok" {
		t.Errorf("then got %q %v", got, err)
	}
}

// Neither end can hold in its buffers what is under way here, in both directions.
func TestPipelineOfMegabytes(t *testing.T) {
	t.Parallel()
	const n = 3000
	word := strings.Repeat("x", 4000)
	commands := make([]Command, n)
	for i := range commands {
		commands[i] = Command{"echo", fmt.Sprint(word, i)}
	}
	c := dial(t, answers(n))
	got, err := c.Pipeline(soon(t), commands...)
	if err != nil || len(got) != n {
		t.Fatalf("got %d replies, %v", len(got), err)
	}
	for i, reply := range got {
		if reply.Body != commands[i][1] {
			t.Fatalf("reply %d: got %.20q…", i, reply.Body)
		}
	}
}
