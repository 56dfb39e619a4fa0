package eventsocket

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNotices(t *testing.T) {
	t.Parallel()
	const taken = "Content-Type: command/reply\nReply-Text: +OK event listener enabled plain\n\n"
	event := withBody("Content-Type: text/event-plain\n", "Event-Name: MODULE_LOAD\nkey: mod_a\nname: a%20b\n\n")
	line := withBody("Content-Type: log/data\nLog-Func: parse_gateways\n", "2026-01-02 [ERR] sofia.c:1 no\n")
	c := dial(t, hear("event plain MODULE_LOAD\n\n"), say(taken), hear("log err\n\n"), say(taken),
		hear("api status\n\n"), say(event+line+response("+OK\n")+event), hear("nolog\n\n"), say(taken))
	var got []Notice
	c.Hear(func(n Notice) {
		delete(n.Header, "content-type")
		delete(n.Header, "content-length")
		got = append(got, n)
	})
	if err := c.Subscribe(soon(t), "MODULE_LOAD"); err != nil {
		t.Fatal(err)
	}
	if err := c.LogErrors(soon(t), true); err != nil {
		t.Fatal(err)
	}
	if reply, err := ask(soon(t), c, "status"); err != nil || reply != "+OK\n" {
		t.Errorf("got %q %v", reply, err)
	}
	if err := c.LogErrors(soon(t), false); err != nil {
		t.Fatal(err)
	}
	load := Notice{Event: "MODULE_LOAD", Header: map[string]string{"event-name": "MODULE_LOAD", "key": "mod_a", "name": "a b"}}
	want := []Notice{load, {Header: map[string]string{"log-func": "parse_gateways"}, Line: "2026-01-02 [ERR] sofia.c:1 no"}, load}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSubscriptionRefused(t *testing.T) {
	t.Parallel()
	c := dial(t, hear("event plain X\n\n"), say("Content-Type: command/reply\nReply-Text: -ERR no\n\n"), hold)
	if err := c.Subscribe(soon(t), "X"); !errors.Is(err, ErrProtocol) {
		t.Errorf("got %v", err)
	}
	if err := c.Subscribe(soon(t), "X\n\napi status"); !errors.Is(err, ErrArgument) {
		t.Errorf("got %v", err)
	}
}
