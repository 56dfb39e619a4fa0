//go:build linux

package rig

import (
	"context"
	_ "embed" // the scenario
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

//go:embed calls.xml
var scenario string

// Call calls numbers at the SIP address to with SIPp, so many a second, and returns the post-dial delays: the times from
// INVITE to answer, sorted. The switch has to answer and to hang up. A call that is not answered is an error. What SIPp
// writes goes into dir for a while.
func Call(ctx context.Context, dir, to string, numbers []string, perSecond int) ([]time.Duration, error) {
	dir, err := os.MkdirTemp(dir, "sipp-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := func(name string) string { return filepath.Join(dir, name) }
	for name, content := range map[string]string{
		"calls.xml":   scenario,
		"numbers.csv": "SEQUENTIAL\n" + strings.Join(numbers, "\n") + "\n",
	} {
		if err := os.WriteFile(file(name), []byte(content), 0o644); err != nil {
			return nil, err
		}
	}
	count, patience := len(numbers), len(numbers)/perSecond+5 // seconds
	cmd := exec.CommandContext(ctx, "sipp", "-sf", file("calls.xml"), "-inf", file("numbers.csv"),
		"-m", fmt.Sprint(count), "-r", fmt.Sprint(perSecond), "-nostdin", "-skip_rlimit",
		"-timeout", fmt.Sprint(patience), "-timeout_error",
		"-i", "127.0.0.1", "-bind_local", "-mi", "127.0.0.1",
		"-trace_msg", "-message_file", file("messages"), "-trace_err", "-error_file", file("errors"), to)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		errors, _ := os.ReadFile(file("errors"))
		return nil, fmt.Errorf("sipp: %w: %q", err, errors[:min(1000, len(errors))])
	}
	messages, err := os.ReadFile(file("messages"))
	if err != nil {
		return nil, err
	}
	took, err := postDialDelays(string(messages))
	if err == nil && len(took) != count {
		err = fmt.Errorf("%d of %d calls were answered", len(took), count)
	}
	return took, err
}

// messageLine begins each message in SIPp's trace, before the time.
const messageLine = "----------------------------------------------- "

// postDialDelays reads SIPp's trace of messages: the time from each INVITE to its 200. An INVITE tells its own
// time, since SIPp writes that of a message after it has sent it: by then the switch may have had its turn.
func postDialDelays(messages string) ([]time.Duration, error) {
	invited := map[string]time.Time{} // by Call-ID
	var took []time.Duration
	for _, message := range strings.Split(messages, messageLine)[1:] {
		written, message, _ := strings.Cut(message, "\n")
		id := lineAfter(message, "Call-ID: ")
		var err error
		switch {
		case strings.Contains(message, "\nINVITE "):
			invited[id], err = messageTime(lineAfter(message, "s="))
		case strings.Contains(message, "\nSIP/2.0 200 ") && lineAfter(message, "CSeq: ") == "1 INVITE" && !invited[id].IsZero():
			var answered time.Time
			answered, err = messageTime(written)
			took = append(took, answered.Sub(invited[id]))
			delete(invited, id) // the answer may come again
		}
		if err != nil {
			return nil, fmt.Errorf("read SIPp's trace: %w", err)
		}
	}
	slices.Sort(took)
	return took, nil
}

// lineAfter is what stands after name at the beginning of a line, or "".
func lineAfter(message, name string) string {
	_, after, _ := strings.Cut(message, "\n"+name)
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(line)
}

// messageTime reads a date and a time, in µs. What may follow says the same in another way.
func messageTime(text string) (time.Time, error) {
	fields := strings.Fields(text)
	return time.Parse("2006-01-02 15:04:05.000000", strings.Join(fields[:min(2, len(fields))], " "))
}
