package table

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// WaitNotice is the kind of notice that somebody who waits for the switches gives.
const WaitNotice = "wait"

// Notice says that something was committed.
type Notice struct {
	Kind  string    // what is different; empty: it may be anything
	Asked time.Time // of kind WaitNotice: the database's time when it was given
	Lost  error     // nothing was committed: from now on nothing is heard, for this reason, until the next notice
}

// Listen calls told with each notice until ctx ends, as pg.DB.Listen does.
func (s *Store) Listen(ctx context.Context, told func(Notice)) {
	s.pg.Listen(ctx, func(payload string, lost error) {
		n := notice(payload)
		n.Lost = lost
		told(n)
	})
}

// notice reads a payload.
func notice(payload string) Notice {
	kind, at, _ := strings.Cut(payload, " ")
	micro, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return Notice{Kind: kind}
	}
	return Notice{Kind: kind, Asked: time.UnixMicro(micro)}
}
