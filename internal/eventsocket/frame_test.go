package eventsocket

import (
	"bufio"
	"errors"
	"strings"
	"testing"
)

// FuzzReadReply looks for a peer that does more harm than an error.
func FuzzReadReply(f *testing.F) {
	f.Add(response("+OK\n"))
	f.Add(accepted)
	f.Add(withBody("Content-Type: log/data\n", "line\n") + withBody("Content-Type: text/disconnect-notice\n", goodbye))
	f.Add("Content-Type: api/response\nContent-Length: 4294967295\n\n")
	f.Fuzz(func(t *testing.T, stream string) {
		const limit = 64
		c := Conn{reader: bufio.NewReaderSize(strings.NewReader(stream), headerLimit), heard: func(Notice) {}}
		got, err := c.readReply(limit)
		switch {
		case err != nil && !errors.Is(err, ErrProtocol) && !errors.Is(err, ErrDisconnected):
			t.Errorf("got error %v", err)
		case err == nil && (len(got.body) > limit || !strings.Contains(stream, got.body)):
			t.Errorf("got %+v", got)
		}
	})
}
