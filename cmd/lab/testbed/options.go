//go:build linux

package testbed

import (
	"flag"
	"fmt"
)

// Options are what every measurement's command line says.
type Options struct {
	Server string // xmlcurld to measure
	Write  string // file
	Quick  bool   // no bar fails it
}

// Flags begins the command line that comes after verb.
func (o *Options) Flags(verb string) *flag.FlagSet {
	flags := flag.NewFlagSet("lab "+verb, flag.ExitOnError)
	flags.StringVar(&o.Server, "server", "", "xmlcurld to measure (none: it is built from here)")
	flags.StringVar(&o.Write, "write", "", "file, as docs/benchmarks.md, whose results of "+verb+" are replaced by these")
	return flags
}

// SwitchOptions are those of a measurement that takes a real switch.
type SwitchOptions struct {
	Options
	FreeSWITCH string // program
}

// Flags begins the command line that comes after verb.
func (o *SwitchOptions) Flags(verb string) *flag.FlagSet {
	flags := o.Options.Flags(verb)
	flags.StringVar(&o.FreeSWITCH, "freeswitch", "", "the switch's program")
	return flags
}

// Check reports that no switch is named.
func (o *SwitchOptions) Check(verb string) error {
	if o.FreeSWITCH == "" {
		return fmt.Errorf("no switch is named: make bench-%s FREESWITCH=/path/to/freeswitch", verb)
	}
	return nil
}
