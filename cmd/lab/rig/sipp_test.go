//go:build linux

package rig

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A trace of two calls: the first is answered twice, and the switch hangs it up; the second overtakes it.
const trace = messageLine + "2026-11-23 17:05:13.192889\n" +
	"UDP message sent (491 bytes):\n\nINVITE sip:27100000001@127.0.0.1:15999 SIP/2.0\r\nCall-ID: 1-7@127.0.0.1\r\nCSeq: 1 INVITE\r\n\r\n" +
	"v=0\r\ns=2026-11-23\t17:05:13.192764\t1795453513.192764\r\nt=0 0\r\n\n" +
	messageLine + "2026-11-23 17:05:13.193000\n" +
	"UDP message received [255] bytes :\n\nSIP/2.0 100 Trying\r\nCall-ID: 1-7@127.0.0.1\r\nCSeq: 1 INVITE\r\n\r\n" +
	messageLine + "2026-11-23 17:05:13.292800\n" +
	"UDP message sent (491 bytes):\n\nINVITE sip:27100000002@127.0.0.1:15999 SIP/2.0\r\nCall-ID: 2-7@127.0.0.1\r\nCSeq: 1 INVITE\r\n\r\n" +
	"v=0\r\ns=2026-11-23\t17:05:13.292700\t1795453513.292700\r\nt=0 0\r\n\n" +
	messageLine + "2026-11-23 17:05:13.294700\n" +
	"UDP message received [255] bytes :\n\nSIP/2.0 200 OK\r\nCall-ID: 2-7@127.0.0.1\r\nCSeq: 1 INVITE\r\n\r\n" +
	messageLine + "2026-11-23 17:05:13.392764\n" +
	"UDP message received [255] bytes :\n\nSIP/2.0 200 OK\r\nCall-ID: 1-7@127.0.0.1\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\ns=switch\r\n" +
	messageLine + "2026-11-23 17:05:13.892764\n" +
	"UDP message received [255] bytes :\n\nSIP/2.0 200 OK\r\nCall-ID: 1-7@127.0.0.1\r\nCSeq: 1 INVITE\r\n\r\n" +
	messageLine + "2026-11-23 17:05:13.900000\n" +
	"UDP message sent [255] bytes :\n\nSIP/2.0 200 OK\r\nCall-ID: 1-7@127.0.0.1\r\nCSeq: 9 BYE\r\n\r\n"

func TestPostDialDelays(t *testing.T) {
	t.Parallel()
	got, err := postDialDelays(trace)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Duration{2 * time.Millisecond, 200 * time.Millisecond}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := postDialDelays(strings.ReplaceAll(trace, "\ns=2026", "\ns=-")); err == nil {
		t.Error("an INVITE that does not tell its time was taken")
	}
}
