package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"xmlcurld/db/table"
	"xmlcurld/internal/export"
)

func exportFlags(flags *pflag.FlagSet) {
	flags.String("node", hostname(), "switchname of the FreeSWITCH whose tree it is")
	flags.Bool("secrets", false, "with passwords; without, they are left out and named")
	flags.String("tenant", "", "print this tenant's rows as SQL for another database, and write no tree")
	flags.Bool("replace", false, "write a tree anew that was exported into DIR before")
}

// exportRows writes a static tree, or a tenant's rows.
func exportRows(ctx context.Context, i *invocation) error {
	if tenant := text(i.flags, "tenant"); tenant != "" && len(i.operands) == 0 {
		return exportTenant(ctx, i, tenant)
	}
	if len(i.operands) != 1 || text(i.flags, "tenant") != "" {
		return usageError{errors.New("export what? DIR for a static tree, or --tenant NAME")}
	}
	withSecrets, _ := i.flags.GetBool("secrets") // the flags exist: no error
	replace, _ := i.flags.GetBool("replace")
	tree, err := staticTree(ctx, i, export.Options{Node: text(i.flags, "node"), WithSecrets: withSecrets})
	if err == nil {
		err = tree.Write(i.operands[0], replace)
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return toldOf(i, tree)
}

// staticTree is the tree of the rows of one moment.
func staticTree(ctx context.Context, i *invocation, o export.Options) (tree *export.Tree, err error) {
	err = withStore(ctx, i, func(store *table.Store) error {
		return atOneMoment(ctx, store, time.Time{}, func(tx pgx.Tx) error {
			rows, err := table.ReadWhole(ctx, tx)
			if err != nil {
				return err
			}
			tree, err = export.Static(ctx, rows, secretsOf(i, prometheus.NewRegistry()), o)
			return err
		})
	})
	return tree, err
}

// toldOf prints what was exported, and what was not.
func toldOf(i *invocation, tree *export.Tree) error {
	fmt.Fprintf(i.stdout, "%d files are in %s. FreeSWITCH runs on them with: freeswitch -conf %[2]s\n", len(tree.Files), i.operands[0])
	for _, l := range tree.Left {
		fmt.Fprintf(i.stderr, "left out of %s: %s\n", l.File, l.What)
	}
	if len(tree.Cut) == 0 {
		return nil
	}
	for _, c := range tree.Cut {
		fmt.Fprintf(i.stderr, "secret left out of %s: %s\n", c.File, c.What)
	}
	return partError(fmt.Sprintf("secrets left out: %d. A switch on this tree lets nobody in by password, and its gateways do not register: say --secrets",
		len(tree.Cut)))
}

// exportTenant prints a tenant's rows of one moment as SQL.
func exportTenant(ctx context.Context, i *invocation, name string) error {
	withSecrets, _ := i.flags.GetBool("secrets") // the flag exists: no error
	var rows *export.Rows
	err := withStore(ctx, i, func(store *table.Store) error {
		return atOneMoment(ctx, store, time.Time{}, func(tx pgx.Tx) (err error) {
			rows, err = export.Tenant(ctx, tx, name, withSecrets)
			return err
		})
	})
	if err == nil {
		err = rows.WriteSQL(i.stdout)
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if rows.Cut > 0 {
		return partError(fmt.Sprintf("secrets left out: %d. PostgreSQL refuses the rows without them: put them in, or say --secrets", rows.Cut))
	}
	return nil
}
