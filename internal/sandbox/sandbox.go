// Package sandbox runs a FreeSWITCH in a network of its own, from which no call, no registration and no packet gets out, and
// asks it what it made of its configuration.
package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"xmlcurld/internal/child"
)

// Door is where the switch in the sandbox finds what listens at Order.Door.
const Door = "127.0.0.1:8080"

// Order says what is started, and what it is asked.
type Order struct {
	Program  string            // FreeSWITCH
	Conf     string            // the folder with its freeswitch.xml
	Work     string            // an empty folder for all that it writes
	Environ  []string          // as NAME=value
	Socket   string            // its event socket, as 127.0.0.1:8021
	Password string            // of the event socket
	Door     string            // a Unix socket where a server of HTTP listens, which the switch reaches as Door; empty: none
	Await    map[string]string // commands, and what their replies hold once it is up; what never comes is waited for half a minute
	Commands []string
}

// Reply is what the switch says to a command.
type Reply struct {
	Command string `json:"command"`
	Body    string `json:"body"`
}

// Verb is the program's own verb that Run starts inside the sandbox.
const Verb = "sandbox"

// Run starts this program again, in a network with nothing but a loopback interface, where it does what Inside does. It wants
// Linux, and either root or a kernel that lets others make namespaces of users.
func Run(ctx context.Context, o Order) ([]Reply, error) {
	attributes, err := ownNetwork()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	in, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var out, failure bytes.Buffer
	cmd := exec.CommandContext(ctx, self, Verb)
	cmd.SysProcAttr = attributes
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &failure
	cmd.Cancel = func() error { return cmd.Process.Signal(orderToEnd) }
	cmd.WaitDelay = killDelay
	p, err := child.Start(cmd, orderToEnd)
	if err != nil {
		return nil, fmt.Errorf("make a network for the switch: %w; run it as root, or allow namespaces of users", err)
	}
	<-p.Done()
	if err := p.Err(); err != nil {
		return nil, errors.Join(ctx.Err(), fmt.Errorf("%w: %s", err, strings.TrimSpace(failure.String())))
	}
	var replies []Reply
	if err := json.Unmarshal(out.Bytes(), &replies); err != nil {
		return nil, fmt.Errorf("read what the switch said: %w", err)
	}
	return replies, nil
}
