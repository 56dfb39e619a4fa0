package trace

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Follow orders a trace from the server that listens at path, and shows its lines until its time is over or ctx is done. The
// errors say that no server of this user's listens there, that it refused, that it ended before its time, or are show's.
func Follow(ctx context.Context, path string, order Order, show func(*Line) error) error {
	c, err := dial(ctx, path)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if err := json.NewEncoder(c).Encode(order); err != nil {
		return fmt.Errorf("order a trace at %s: %w", path, err)
	}
	lines := json.NewDecoder(bufio.NewReader(c))
	for {
		line := &Line{}
		err := lines.Decode(line)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("the server at %s broke the trace off: %w", path, err)
		}
		if err := show(line); err != nil {
			return err
		}
		switch line.End {
		case "":
		case EndOfTime:
			return nil
		default:
			return fmt.Errorf("the trace ends: %s", line.End)
		}
	}
}

// dial connects to a server that this user runs.
func dial(ctx context.Context, path string) (*net.UnixConn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("no server runs that has its socket for traces at %s: "+
			"give the data_dir, or trace_socket, that it was started with", path)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%s is another user's: only the server's own user may trace it", path)
	case err != nil:
		return nil, err
	}
	server := c.(*net.UnixConn)
	if uid, err := peer(server); err != nil || uid != os.Geteuid() {
		return nil, errors.Join(fmt.Errorf("the server at %s runs as uid %d: only that user may trace it", path, uid), err, c.Close())
	}
	return server, nil
}
