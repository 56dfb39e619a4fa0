package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"xmlcurld/db"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
	"xmlcurld/internal/form"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// renderTime is for one document: a private server may have to be started for it first.
const renderTime = time.Minute

func renderFlags(flags *pflag.FlagSet) {
	flags.String("node", hostname(), "switchname of the FreeSWITCH that asks")
	flags.String("context", "public", "dialplan context that a number is called in")
	flags.StringArray("field", nil, "a further field of the request, as profile=external; may be repeated")
	flags.String("at", "", "what it would have got then: a time as 2026-12-24T09:00:00Z, a date, or how long ago as 36h")
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

func render(ctx context.Context, i *invocation) (err error) {
	asked, err := renderForm(i)
	if err != nil {
		return usageError{err}
	}
	request, err := xmlcurl.ParseRequest([]byte(asked.String()))
	if err != nil {
		return usageError{err}
	}
	at, err := momentOf(i)
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, renderTime)
	defer cancel()
	var document []byte
	err = withStore(ctx, i, func(store *table.Store) error {
		return asOf(ctx, store, at, func(rows table.Source, _ pg.Querier) (err error) {
			document, err = xmlcurl.Render(ctx, sections.New(db.NewRulebook(rows, secretsOf(i, prometheus.NewRegistry())), nil), request)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("render %s: %w", strings.Join(i.operands, " "), err)
	}
	_, err = i.stdout.Write(document)
	return err
}

// renderForm is the request that FreeSWITCH would send, as far as an answer can depend on it.
func renderForm(i *invocation) (*form.Form, error) {
	var f *form.Form
	node := text(i.flags, "node")
	switch o := i.operands; {
	case len(o) == 1 && strings.HasSuffix(o[0], ".conf"):
		f = form.Configuration(node, o[0])
	case len(o) == 2 && o[0] == "number":
		f = form.Call(node, text(i.flags, "context"), o[1])
	case len(o) == 2 && o[0] == "user" && strings.Contains(o[1], "@"):
		user, domain, _ := strings.Cut(o[1], "@")
		f = form.Register(node, user, domain)
	default:
		return nil, errors.New("render what? FILE.conf, number NUMBER, or user USER@DOMAIN")
	}
	more, _ := i.flags.GetStringArray("field") // the flag exists: no error
	for _, pair := range more {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("--field %q: not name=value", pair)
		}
		f.With(name, value)
	}
	return f, nil
}

// text is the value of a flag that is known to exist.
func text(flags *pflag.FlagSet, name string) string { return flags.Lookup(name).Value.String() }
