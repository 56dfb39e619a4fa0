//go:build linux

package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
)

// switchOptions are what the command line says of a measurement that takes a real switch.
type switchOptions struct {
	freeSWITCH string // program
	server     string
	write      string
	quick      bool
}

// flags begins the command line that comes after verb.
func (o *switchOptions) flags(verb string) *flag.FlagSet {
	flags := flag.NewFlagSet("lab "+verb, flag.ExitOnError)
	flags.StringVar(&o.freeSWITCH, "freeswitch", "", "the switch's program")
	flags.StringVar(&o.server, "server", "", "xmlcurld to measure (none: it is built from here)")
	flags.StringVar(&o.write, "write", "", "file, as docs/benchmarks.md, whose results of "+verb+" are replaced by these")
	return flags
}

// check reports that no switch is named.
func (o *switchOptions) check(verb string) error {
	if o.freeSWITCH == "" {
		return fmt.Errorf("no switch is named: make bench-%s FREESWITCH=/path/to/freeswitch", verb)
	}
	return nil
}

// complete measures with what was opened, unless that failed, and closes it.
func complete(ctx context.Context, b interface {
	measure(ctx context.Context) error
	close() error
}, opened error) error {
	err := opened
	if err == nil {
		err = b.measure(ctx)
	}
	return errors.Join(err, b.close())
}
