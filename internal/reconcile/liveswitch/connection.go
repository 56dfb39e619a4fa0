package liveswitch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"xmlcurld/internal/eventsocket"
)

const (
	// dialTime bounds one attempt to open an event socket.
	dialTime = 3 * time.Second
	// bootstrapPassword and bootstrapPort are the event socket's of a switch that came up while no server answered it.
	bootstrapPassword = "ClueCon"
	bootstrapPort     = "8021"
)

// moduleLoad is the event of which FreeSWITCH tells some for each module that it loads, one for each thing in it.
const moduleLoad = "MODULE_LOAD"

// login opens an event socket.
type login struct{ address, password string }

// lostError is an error after which the connection is of no more use.
type lostError struct{ error }

func (e lostError) Unwrap() error { return e.error }

// Lost reports whether err says that the connection is of no more use.
func Lost(err error) bool {
	_, lost := errors.AsType[lostError](err)
	return lost
}

// logins are those that the switch may take. Until it has taken a change of its event socket, which needs a restart, it is
// where it was and wants the password that it took there; and one that came up while no server answered it wants the
// bootstrap's, which is no secret. Every other password is tried only where it belongs: whoever listens at an address now is
// told it.
func (sw *Switch) logins() []login {
	all := []login{
		{sw.Row.Address, sw.Row.Password}, sw.took, {sw.Row.TookAddress, sw.Row.TookPassword}, {sw.Row.Address, bootstrapPassword},
	}
	if host, _, err := net.SplitHostPort(sw.Row.Address); err == nil {
		all = append(all, login{net.JoinHostPort(host, bootstrapPort), bootstrapPassword})
	}
	var distinct []login
	for _, l := range all {
		if l.address != "" && l.password != "" && !slices.Contains(distinct, l) {
			distinct = append(distinct, l)
		}
	}
	return distinct
}

// Connect opens the switch's event socket. The error is about where the row says that it is.
func (sw *Switch) Connect(ctx context.Context) error {
	var first error
	dead := ""
	for _, l := range sw.logins() {
		if l.address == dead {
			continue
		}
		err := sw.open(ctx, l)
		if err == nil {
			sw.noteLogin()
			return nil
		}
		if first == nil {
			first = err
		}
		if !errors.Is(err, eventsocket.ErrPassword) {
			dead = l.address
		}
	}
	return first
}

// open connects and sees that it is this very switch, and that it is up: nodes may share an address by mistake, and a
// switch that starts does not say yet what it will run.
func (sw *Switch) open(ctx context.Context, l login) error {
	dialing, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := eventsocket.Dial(dialing, l.address, l.password)
	if err != nil {
		return err
	}
	sw.conn, sw.took, sw.loglevel = conn, l, ""
	if sw.options.Dry {
		sw.conn = &onlyAsking{conn: conn}
	}
	sw.runs, sw.stays = make(map[string]string), maps.Clone(restartModules)
	sw.refused, sw.loads, sw.zones = nil, make(map[string]time.Time), ""
	conn.Hear(sw.hear)
	if err := sw.identify(ctx); err != nil {
		sw.Disconnect()
		return err
	}
	return nil
}

func (sw *Switch) identify(ctx context.Context) error {
	name, err := sw.ask(ctx, "switchname")
	if err != nil {
		return err
	}
	if name = strings.TrimSpace(name); name != sw.name {
		return fmt.Errorf("the event socket %s is that of %.64q", sw.took.address, name)
	}
	status, err := sw.ask(ctx, "status")
	if err != nil {
		return err
	}
	if !strings.Contains(status, " is ready") {
		return errors.New("the switch is starting")
	}
	if err := sw.conn.Subscribe(ctx, moduleLoad); err != nil {
		return lostError{err}
	}
	_, err = sw.askAll(ctx, []eventsocket.Command{noRescan})
	return err
}

// hear notes what the switch says unasked.
func (sw *Switch) hear(said eventsocket.Notice) {
	switch {
	case said.Event == moduleLoad:
		if module := said.Header["key"]; module != "" {
			sw.loads[module] = time.Now()
			sw.options.Stirred()
		}
	case said.Header["log-func"] == "parse_gateways":
		if line := errorText(said.Line); !slices.Contains(sw.logged, line) {
			sw.logged = append(sw.logged, line)
		}
	}
}

// Disconnect closes the event socket.
func (sw *Switch) Disconnect() {
	if sw.conn != nil {
		_ = sw.conn.Close()
		sw.conn = nil
	}
}

// ask runs one command on the switch.
func (sw *Switch) ask(ctx context.Context, command string, arguments ...string) (string, error) {
	replies, err := sw.askAll(ctx, []eventsocket.Command{append(eventsocket.Command{command}, arguments...)})
	if err != nil {
		return "", err
	}
	return replies[0].Body, replies[0].Err
}

// askAll runs commands in one go and returns their replies.
func (sw *Switch) askAll(ctx context.Context, commands []eventsocket.Command) ([]eventsocket.Reply, error) {
	if len(commands) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, sw.options.AskTime)
	defer cancel()
	for _, c := range commands {
		sw.options.Sent(c[0])
	}
	replies, err := sw.conn.Pipeline(ctx, commands...)
	if err != nil && !errors.Is(err, eventsocket.ErrArgument) {
		err = lostError{err}
	}
	return replies, err
}

// command runs a command whose success is looked for on the switch afterwards, whatever its reply says.
func (sw *Switch) command(ctx context.Context, command string, arguments ...string) error {
	_, err := sw.ask(ctx, command, arguments...)
	return sw.noteRefusal(err)
}

// noteRefusal notes what the switch refused last, if err says that, and returns any other err.
func (sw *Switch) noteRefusal(err error) error {
	if refusedBy(err) == nil {
		return err
	}
	sw.Refusal = oneLine(err.Error())
	return nil
}

// refusedBy returns err as the switch's own refusal, or nil if it is none.
func refusedBy(err error) *eventsocket.CommandError {
	refusal, _ := errors.AsType[*eventsocket.CommandError](err)
	return refusal
}
