package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"xmlcurld/db/table"
	"xmlcurld/internal/booted"
	"xmlcurld/internal/compare"
	"xmlcurld/internal/conftree"
	"xmlcurld/internal/mask"
)

// compareTime is for a whole tree: one with many thousands of files takes a minute.
const compareTime = 30 * time.Minute

func compareFlags(flags *pflag.FlagSet) {
	flags.String("node", hostname(), "switchname of the FreeSWITCH that is told")
	flags.String("tenant", "", "tenant that the tree became; rows of others are not missed in the tree")
	flags.StringArray("context", nil, "the name that a context of the tree has in the rows, as public=acme-public; may be repeated")
	flags.StringArray("variable", nil, "a global variable that only the switch knows, as local_ip_v4=192.0.2.1; may be repeated")
	flags.String("zone", "", "time zone of the switch, as Africa/Johannesburg; empty: this machine's")
	flags.Bool("exec", false, "run the commands that the tree names in exec and exec-set")
	flags.String("freeswitch", "", "also boot this FreeSWITCH twice, in a network of its own, and compare what both report")
	flags.Bool("json", false, "print JSON instead of text")
}

// errDiffers says that a switch is not told what a tree says.
var errDiffers = errors.New("the server and the tree differ")

// compared is what was compared, and what differs.
type compared struct {
	*compare.Result
	Switches *booted.Result `json:"switches,omitempty"` // what two switches report
}

// compareTree prints what the server tells a switch otherwise than a tree of files. It fails if that is not explained.
func compareTree(ctx context.Context, i *invocation) error {
	options, err := compareOptions(i)
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	exec, _ := i.flags.GetBool("exec") // the flags exist: no error
	tree, err := conftree.Read(i.operands[0], conftree.Options{Exec: exec, Globals: options.Variables})
	if err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	var result compared
	err = withStore(ctx, i, func(store *table.Store) error {
		asOne := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
		err := pgx.BeginTxFunc(ctx, store.DB().Primary(), asOne, func(tx pgx.Tx) (err error) {
			result.Result, err = compare.Run(ctx, tree, tx, secretsOf(i, prometheus.NewRegistry()), options)
			return err
		})
		if program := text(i.flags, "freeswitch"); err == nil && program != "" {
			var reports booted.Result
			reports, err = compareSwitches(ctx, i, program, tree, store)
			result.Switches = &reports
		}
		return err
	})
	if err != nil {
		return err
	}
	if asJSON, _ := i.flags.GetBool("json"); asJSON {
		err = printJSON(i.stdout, result)
	} else {
		err = result.Show(i.stdout)
		if result.Switches != nil {
			printSwitches(i.stdout, *result.Switches)
		}
	}
	if err == nil && (!result.Equal() || result.Switches != nil && len(result.Switches.Differences) > 0) {
		err = errDiffers
	}
	return err
}

func compareOptions(i *invocation) (o compare.Options, err error) {
	if len(i.operands) != 1 {
		return o, errors.New("compare takes the folder of one tree")
	}
	o = compare.Options{Node: text(i.flags, "node"), Tenant: text(i.flags, "tenant")}
	if o.Contexts, err = pairs(i.flags, "context"); err != nil {
		return o, err
	}
	if o.Variables, err = pairs(i.flags, "variable"); err != nil {
		return o, err
	}
	zone := time.Local
	if name := text(i.flags, "zone"); name != "" {
		if zone, err = time.LoadLocation(name); err != nil {
			return o, fmt.Errorf("--zone: %w", err)
		}
	}
	o.Time = time.Now().In(zone)
	o.Progress = func(what string) { i.log.Debug("compare", "what", what) }
	o.Masker, err = mask.New(rand.Reader)
	return o, err
}

// pairs are the values of a flag that is given as name=value, by name.
func pairs(flags *pflag.FlagSet, name string) (map[string]string, error) {
	given, _ := flags.GetStringArray(name) // the flag exists: no error
	all := make(map[string]string, len(given))
	for _, pair := range given {
		key, value, found := strings.Cut(pair, "=")
		if !found || key == "" {
			return nil, fmt.Errorf("--%s %q: not name=value", name, pair)
		}
		all[key] = value
	}
	return all, nil
}
