package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"xmlcurld/internal/trace"
	"xmlcurld/xmlcurl"
)

func traceFlags(flags *pflag.FlagSet) {
	flags.String("number", "", "number that is called or calls, in any form of carriers")
	flags.String("user", "", "user who is looked up or calls, as id@domain")
	flags.String("node", "", "switchname of the FreeSWITCH that asks")
	flags.Duration("time", trace.MostTime, "how long; it is the most, too")
	flags.Bool("json", false, "print a JSON object a line")
}

// showTrace prints what a running server answers, until the time is over.
func showTrace(ctx context.Context, i *invocation) error {
	order, err := traceOrder(i.flags)
	if err != nil {
		return usageError{err}
	}
	path := i.config.traceSocket()
	if path == "" {
		return errors.New("neither trace_socket nor data_dir is set: nobody knows where the server listens")
	}
	show := func(line *trace.Line) error { return line.Print(i.stdout) }
	if asJSON, _ := i.flags.GetBool("json"); asJSON {
		lines := json.NewEncoder(i.stdout)
		lines.SetEscapeHTML(false)
		show = func(line *trace.Line) error { return lines.Encode(line) }
	}
	return trace.Follow(ctx, path, order, show)
}

func traceOrder(flags *pflag.FlagSet) (o trace.Order, err error) {
	o = trace.Order{Number: text(flags, "number"), User: text(flags, "user"), Node: text(flags, "node")}
	o.Time, _ = flags.GetDuration("time") // the flag exists: no error
	id, domain, _ := strings.Cut(o.User, "@")
	switch {
	case o.Number == "" && o.User == "" && o.Node == "":
		return o, errors.New("trace what? --number NUMBER, --user USER@DOMAIN or --node NODE")
	case o.User != "" && (id == "" || domain == ""):
		return o, fmt.Errorf("--user %q: not id@domain", o.User)
	case o.Time <= 0 || o.Time > trace.MostTime:
		return o, fmt.Errorf("--time %s: at most %s, after which a trace ends by itself", o.Time, trace.MostTime)
	}
	return o, nil
}

// openTraces lets the server's own user trace what is answered. Without it the server answers as well.
func (s *server) openTraces(answers *xmlcurl.Server) {
	path := s.config.traceSocket()
	if path == "" {
		s.log.Error("nobody can trace this server: neither trace_socket nor data_dir is set")
		return
	}
	traces, err := trace.Serve(trace.Options{Path: path, Watched: answers, Log: s.log})
	if err != nil {
		s.log.Error("nobody can trace this server", "err", err)
		return
	}
	s.traces = traces
}
