//go:build linux

package testbed

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"xmlcurld/cmd/lab/report"
)

// Options are what every measurement's command line says.
type Options struct {
	FreeSWITCH string // program
	Server     string // xmlcurld to measure
	Write      string // file
	Quick      bool   // no bar fails it

	verb        string
	needsSwitch bool
}

// Flags begins the command line that comes after verb.
func (o *Options) Flags(verb string) *flag.FlagSet {
	o.verb = verb
	flags := flag.NewFlagSet("lab "+verb, flag.ExitOnError)
	flags.StringVar(&o.Server, "server", "", "xmlcurld to measure (none: it is built from here)")
	flags.StringVar(&o.Write, "write", "", "file, as docs/benchmarks.md, whose results of "+verb+" are replaced by these")
	return flags
}

// SwitchFlags is Flags for what takes a real switch.
func (o *Options) SwitchFlags(verb string) *flag.FlagSet {
	o.needsSwitch = true
	flags := o.Flags(verb)
	flags.StringVar(&o.FreeSWITCH, "freeswitch", "", "the switch's program")
	return flags
}

// Bench is everything that runs while something is measured, and what was.
type Bench interface {
	Measure(ctx context.Context) error
	Report() report.Report
	Close() error
}

// Run opens a bench, which comes with an error too, measures, ends all of it, and shows the report as the results of its kind.
func Run(ctx context.Context, o Options, kind string, open func() (Bench, error)) error {
	if o.needsSwitch && o.FreeSWITCH == "" {
		return fmt.Errorf("no switch is named: make bench-%s FREESWITCH=/path/to/freeswitch", o.verb)
	}
	b, err := open()
	if err == nil {
		err = b.Measure(ctx)
	}
	if err := errors.Join(err, b.Close()); err != nil {
		return err
	}
	return b.Report().Show(o.Write, kind, o.Quick)
}
