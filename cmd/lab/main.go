//go:build linux

// Command lab measures xmlcurld and breaks it. It is for those who change xmlcurld, and no part of what is installed.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"xmlcurld/cmd/lab/bench"
	"xmlcurld/cmd/lab/calls"
	"xmlcurld/cmd/lab/changes"
	"xmlcurld/cmd/lab/chaos"
	"xmlcurld/cmd/lab/edits"
	"xmlcurld/cmd/lab/overload"
)

// verb is one thing that lab does.
type verb struct {
	name, summary string
	run           func(ctx context.Context, args []string) error
}

var verbs = []verb{
	{"bench", "measure answers a second, latency and processor time, against nginx or another build", bench.Run},
	{"calls", "measure what a caller waits for, with a real FreeSWITCH and SIPp", calls.Run},
	{"edits", "measure how long an edit takes until a real FreeSWITCH runs it", edits.Run},
	{"overload", "ask for more than the server can answer, and see what becomes of it", overload.Run},
	{"changes", "measure what remembering changes costs, and how long plan, history and explain take", changes.Run},
	{"chaos", "break everything around a running server, and judge what callers notice", chaos.Run},
}

// The kernel ends a child when the thread that started it ends: the main thread lasts as long as the program.
func init() { runtime.LockOSThread() }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stderr))
}

func run(ctx context.Context, args []string, stdin io.Reader, stderr io.Writer) int {
	if len(args) == 2 && args[0] == bench.ConstantVerb {
		return finish(stderr, args[0], bench.ServeConstant(args[1], stdin))
	}
	for _, v := range verbs {
		if len(args) > 0 && args[0] == v.name {
			return finish(stderr, v.name, v.run(ctx, args[1:]))
		}
	}
	fmt.Fprint(stderr, "lab measures xmlcurld and breaks it. Its verbs, each with -h for its flags:\n\n")
	for _, v := range verbs {
		fmt.Fprintf(stderr, "  lab %-10s %s\n", v.name, v.summary)
	}
	return 2
}

func finish(stderr io.Writer, verb string, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "lab %s: %v\n", verb, err)
	return 1
}
