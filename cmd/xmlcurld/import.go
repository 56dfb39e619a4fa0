package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/pflag"

	"xmlcurld/db/pg"
	"xmlcurld/internal/conftree"
	"xmlcurld/internal/fusionpbx"
	"xmlcurld/internal/importer"
	"xmlcurld/internal/plan"
	"xmlcurld/internal/rowset"
)

func importFlags(flags *pflag.FlagSet) {
	placeFlags(flags)
	lookFlags(flags)
	applyingFlags(flags)
	applyJSONFlag(flags)
	flags.String("from", "", "read a database of another program instead of files: fusionpbx")
	flags.String("sql", "", "write the SQL into this new file, and do nothing else")
}

// placeFlags say what of the rows a tree is about.
func placeFlags(flags *pflag.FlagSet) {
	flags.String("tenant", "default", "whose the numbers, users and gateways are")
	flags.String("node", "*", "for which node the rows are; * is all of them")
	flags.StringArray("context", nil, "the name that a context of the tree gets in the rows, as public=acme-public; may be repeated")
	flags.StringArray("variable", nil, "a global variable that only the switch knows, as local_ip_v4=192.0.2.1; may be repeated")
	flags.Bool("exec", false, "run the commands that the tree names in exec and exec-set")
}

// imported is what became of an import.
type imported struct {
	Rows int              `json:"rows"` // that the files ask for
	Left []*importer.Left `json:"left"` // what is not carried
	applied
}

// importTree brings a tree of FreeSWITCH's files, or another program's database, into the database.
func importTree(ctx context.Context, i *invocation) error {
	if len(i.operands) != 1 {
		return usageError{errors.New("one folder is wanted, in which freeswitch.xml stands, or with --from the URL of a database")}
	}
	if err := jsonAsksNobody(i); err != nil {
		return err
	}
	found, err := readImport(ctx, i)
	if err != nil {
		return err
	}
	return withDatabase(ctx, i, func(url string) error { return bringIn(ctx, i, url, found) })
}

// readImport reads what is named, and makes rows of it.
func readImport(ctx context.Context, i *invocation) (*importer.Result, error) {
	contexts, err := pairs(i.flags, "context")
	if err != nil {
		return nil, usageError{err}
	}
	variables, err := pairs(i.flags, "variable")
	if err != nil {
		return nil, usageError{err}
	}
	options := importer.Options{Tenant: text(i.flags, "tenant"), Node: text(i.flags, "node"), Contexts: contexts}
	switch from := text(i.flags, "from"); from {
	case "":
		return readTree(i, options, variables)
	case "fusionpbx":
		if !i.flags.Changed("tenant") {
			options.Tenant = "" // each domain is a tenant
		}
		theirs := fusionpbx.Options{Options: options, Globals: variables}
		if options.Node != "*" {
			theirs.Host = options.Node
		}
		return readFusionPBX(ctx, i.operands[0], theirs)
	default:
		return nil, usageError{fmt.Errorf("--from %s: databases of fusionpbx can be read", from)}
	}
}

func readTree(i *invocation, options importer.Options, variables map[string]string) (*importer.Result, error) {
	run, _ := i.flags.GetBool("exec") // the flag exists: no error
	progress := newProgress(i.stderr)
	defer progress.end()
	tree, err := conftree.Read(i.operands[0], conftree.Options{Exec: run, Globals: variables, Progress: progress.files})
	if err != nil {
		return nil, err
	}
	return importer.Import(tree, options), nil
}

func readFusionPBX(ctx context.Context, url string, options fusionpbx.Options) (*importer.Result, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	found, err := fusionpbx.Read(ctx, conn, options)
	return found, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
}

// bringIn shows what the rows would change, asks, and brings them in.
func bringIn(ctx context.Context, i *invocation, url string, found *importer.Result) error {
	sql, err := missing(ctx, url, found.Set)
	if err != nil {
		return err
	}
	result := imported{Rows: len(found.Set.Rows), Left: found.Left}
	asJSON, _ := i.flags.GetBool("json") // the flag exists: no error
	out := i.stdout
	if asJSON {
		out = io.Discard
	}
	if err := printLeft(out, result.Left); err != nil {
		return err
	}
	switch file := text(i.flags, "sql"); {
	case sql == "":
		fmt.Fprintf(out, "All %d rows are there already.\n", result.Rows)
	case file != "":
		if err := writeNew(file, sql); err != nil {
			return err
		}
		fmt.Fprintf(out, "Wrote %s: look through it, and make it with xmlcurld apply %[1]s.\n", file)
	default:
		edit, err := plan.Read(strings.NewReader(sql))
		if err != nil {
			return err
		}
		edit.Reason = text(i.flags, "reason")
		quiet := *i
		quiet.stdout = out
		if result.applied, err = applyEdit(ctx, &quiet, url, edit, nil, "xmlcurld import"); err != nil {
			return err
		}
	}
	if asJSON {
		return printJSON(i.stdout, result)
	}
	return nil
}

// missing is the SQL that makes rows of a set that are not there, or otherwise.
func missing(ctx context.Context, url string, set *rowset.Set) (string, error) {
	conn, err := pg.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var sql strings.Builder
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		changes, err := set.Changes(ctx, tx)
		if err != nil {
			return err
		}
		return rowset.WriteSQL(&sql, changes)
	})
	return sql.String(), err
}

// writeNew writes a file that only its owner may read: SQL may hold secrets.
func writeNew(name, content string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}

func printLeft(w io.Writer, left []*importer.Left) error {
	if len(left) == 0 {
		return nil
	}
	fmt.Fprintln(w, "Not carried")
	for _, l := range left {
		fmt.Fprintf(w, "  %s\n", l)
	}
	_, err := fmt.Fprintln(w)
	return err
}
