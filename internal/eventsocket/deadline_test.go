package eventsocket

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The tests here run in bubbles of fake time, over pipes without any buffer: a write waits until all of it is read.

const limit = 10 * time.Second

// limited is a context with limit as its deadline.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// pipe opens a connection to a peer that plays steps.
func pipe(t *testing.T, ctx context.Context, steps ...step) (*Conn, error) {
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		play(t, server, steps)
	}()
	t.Cleanup(func() {
		client.Close()
		<-done
	})
	return open(ctx, client, password)
}

func TestDialDeadline(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		steps []step
	}{
		{"silence", []step{hold}},
		{"half a banner", []step{say("Content-Type: auth/request\n"), hold}},
		{"a banner byte by byte", []step{drip(request)}},
		{"a deaf peer", []step{say(request), deaf}},
		{"silence after the password", []step{say(request), hear(auth), hold}},
		{"half a reply", []step{say(request), hear(auth), say("Content-Type: command"), hold}},
		{"a reply byte by byte", []step{say(request), hear(auth), drip(accepted)}},
		{"noise byte by byte", []step{
			say(request), hear(auth), drip(strings.Repeat(withBody("Content-Type: log/data\n", "x"), 9)),
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := pipe(t, limited(t), tc.steps...)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != limit {
					t.Errorf("got %v after %v", err, time.Since(start))
				}
				without(t, err)
			})
		})
	}
}

func TestAPIDeadline(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		steps []step
	}{
		{"a deaf peer", []step{deaf}},
		{"half heard", []step{hear("api "), deaf}},
		{"silence", []step{hear("api status\n\n"), hold}},
		{"half a header", []step{hear("api status\n\n"), say("Content-"), hold}},
		{"half a body", []step{hear("api status\n\n"), say("Content-Type: api/response\nContent-Length: 2\n\n1"), hold}},
		{"byte by byte", []step{hear("api status\n\n"), drip(response("+OK"))}},
		{"late", []step{hear("api status\n\n"), late}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, err := pipe(t, limited(t), greeted(tc.steps...)...)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				_, err = ask(limited(t), c, "status")
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != limit {
					t.Errorf("got %v after %v", err, time.Since(start))
				}
				time.Sleep(limit) // of the bubble: what is late has come
				start = time.Now()
				body, err := ask(limited(t), c, "version")
				if !errors.Is(err, ErrBroken) || errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 0 {
					t.Errorf("then got %q %v after %v", body, err, time.Since(start))
				}
			})
		})
	}
}

// deaf neither hears nor says anything for a long time.
func deaf(net.Conn) error {
	time.Sleep(2 * limit)
	return nil
}

// late says its reply when nobody waits for it any more.
func late(c net.Conn) error {
	time.Sleep(limit + time.Second)
	if say(response("+OK"))(c) == nil {
		return errors.New("the late reply was taken")
	}
	return nil
}

func TestCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := pipe(t, limited(t), greeted(hear("api status\n\n"), hold)...)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if _, err := ask(ctx, c, "status"); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

// A call that never began leaves the connection as it is.
func TestDeadlineBeforeTheCall(t *testing.T) {
	t.Parallel()
	c := dial(t, answers(1))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ask(over, c, "status"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got, err := ask(soon(t), c, "echo", "next"); err != nil || got != "next" {
		t.Errorf("got %q %v", got, err)
	}
}

func TestPipelineWithoutBuffers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		commands := slices.Repeat([]Command{{"echo", "word"}}, 100)
		c, err := pipe(t, limited(t), greeted(answers(len(commands)))...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Pipeline(limited(t), commands...); err != nil || len(got) != len(commands) {
			t.Errorf("got %d replies, %v", len(got), err)
		}
	})
}
