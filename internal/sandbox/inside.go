package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"xmlcurld/internal/child"
	"xmlcurld/internal/eventsocket"
)

const (
	orderToEnd = syscall.SIGTERM
	// killDelay is for a switch that was ordered to end.
	killDelay = 20 * time.Second
	// upTime is for a switch to come up, awaitTime for what it makes after that.
	upTime, awaitTime = 2 * time.Minute, 30 * time.Second
	// lookPause is between two looks.
	lookPause = 250 * time.Millisecond
	// commandTime is for all replies.
	commandTime = 5 * time.Minute
)

// Inside does an order that it reads, in the network that Run made, and writes the replies.
func Inside(ctx context.Context, in io.Reader, out io.Writer) error {
	var o Order
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	if err := alone(); err != nil {
		return err
	}
	if err := raiseLoopback(); err != nil {
		return fmt.Errorf("raise the loopback interface: %w", err)
	}
	if o.Door != "" {
		door, err := net.Listen("tcp", Door)
		if err != nil {
			return err
		}
		defer func() { _ = door.Close() }()
		go relay(door, o.Door)
	}
	p, err := o.start()
	if err != nil {
		return err
	}
	defer func() { _ = p.Stop(child.Order{Signal: orderToEnd, Within: killDelay}) }()
	if err := o.awaitUp(ctx, p); err != nil {
		return err
	}
	replies, err := o.ask(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(replies)
}

// alone fails where there is any network but loopback: the switch would register with carriers, and take their calls.
func alone() error {
	all, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.Flags&net.FlagLoopback == 0 && one.Flags&net.FlagUp != 0 {
			return fmt.Errorf("there is a network here, %s: only xmlcurld itself starts this verb, where there is none", one.Name)
		}
	}
	return nil
}

// relay connects whoever comes to the Unix socket.
func relay(door net.Listener, socket string) {
	for {
		from, err := door.Accept()
		if err != nil {
			return // it was closed
		}
		to, err := net.Dial("unix", socket)
		if err != nil {
			_ = from.Close() // the switch tells that nobody answers
			continue
		}
		for a, b := range map[net.Conn]net.Conn{from: to, to: from} {
			go func() {
				_, _ = io.Copy(a, b) // either end may close
				_ = a.Close()
			}()
		}
	}
}

// start starts the switch. All that it writes goes into folders of its own.
func (o *Order) start() (*child.Process, error) {
	command := []string{o.Program, "-nonat", "-np", "-nf", "-nc", "-conf", o.Conf}
	for _, kind := range []string{"log", "run", "db", "temp", "certs", "storage", "cache", "recordings"} {
		dir := filepath.Join(o.Work, kind)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
		command = append(command, "-"+kind, dir)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + o.Work}, o.Environ...)
	return child.Start(cmd, syscall.SIGKILL)
}

// awaitUp returns when the switch is up and has made what is awaited, or will not.
func (o *Order) awaitUp(ctx context.Context, p *child.Process) error {
	up := false
	for deadline := time.Now().Add(upTime); time.Now().Before(deadline); {
		select {
		case <-p.Done():
			return fmt.Errorf("%s ended by itself: %s", o.Program, p.State())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookPause):
		}
		// The event socket may answer, and say that the switch is ready, while modules are still loaded. New calls are refused
		// until all of them are there.
		if !up && o.says(ctx, "fsctl pause_check", "false") {
			up, deadline = true, time.Now().Add(awaitTime)
		}
		if up && o.hasAll(ctx) {
			return nil
		}
	}
	if !up {
		return fmt.Errorf("%s is not ready after %s, or no event socket answers at %s with the password of its configuration", o.Program, upTime, o.Socket)
	}
	return nil
}

func (o *Order) hasAll(ctx context.Context) bool {
	for command, want := range o.Await {
		if !o.says(ctx, command, want) {
			return false
		}
	}
	return true
}

func (o *Order) says(ctx context.Context, command, want string) bool {
	replies, err := o.pipeline(ctx, []string{command}, awaitTime)
	return err == nil && strings.Contains(replies[0].Body, want)
}

func (o *Order) ask(ctx context.Context) ([]Reply, error) {
	replies := []Reply{}
	bodies, err := o.pipeline(ctx, o.Commands, commandTime)
	for n, reply := range bodies {
		replies = append(replies, Reply{o.Commands[n], reply.Body})
	}
	return replies, err
}

func (o *Order) pipeline(ctx context.Context, lines []string, within time.Duration) ([]eventsocket.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	conn, err := eventsocket.Dial(ctx, o.Socket, o.Password)
	if err != nil {
		return nil, err
	}
	commands := make([]eventsocket.Command, len(lines))
	for n, line := range lines {
		commands[n] = strings.Split(line, " ")
	}
	replies, err := conn.Pipeline(ctx, commands...)
	return replies, errors.Join(err, conn.Close())
}
