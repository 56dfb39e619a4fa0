//go:build linux

// Package world makes databases with rows of a given size in a private PostgreSQL, and knows what the rows are called.
package world

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/cmd/lab/rig"
	"xmlcurld/db/localpg"
	"xmlcurld/testdata"
)

// Sizes says how much of everything a world holds.
type Sizes struct{ Tenants, Numbers, Users, Gateways, ACLEntries, Nodes int }

// Full is the size that the figures in docs/benchmarks.md are about, and Small has the least of everything.
var (
	Full  = Sizes{Tenants: 1000, Numbers: 1_000_000, Users: 100_000, Gateways: 10_000, ACLEntries: 10_000, Nodes: 50}
	Small = Sizes{Tenants: 10, Numbers: 1000, Users: 1000, Gateways: 40, ACLEntries: 10, Nodes: 50}
)

func (s Sizes) check() error {
	if s.Tenants < 1 || s.Tenants > 9999 || s.Users < s.Tenants || s.Users > 9000*s.Tenants || s.Nodes < 1 || s.Nodes > 99 || s.Numbers < 1 {
		return fmt.Errorf("no world can be made of %+v", s)
	}
	return nil
}

// SQL is the statements that make the rows.
func (s Sizes) SQL() string {
	return fmt.Sprintf(`SET world.tenants = %d; SET world.numbers = %d; SET world.users = %d;
		SET world.gateways = %d; SET world.acl_entries = %d; SET world.nodes = %d;`,
		s.Tenants, s.Numbers, s.Users, s.Gateways, s.ACLEntries, s.Nodes) + testdata.World
}

// database is a name that no other world has, nor the same world in other tables.
func (s Sizes) database(in Tables) string {
	h := sha256.New()
	h.Write([]byte(s.SQL()))
	h.Write(in.id)
	return fmt.Sprintf("world_%d_%x", s.Numbers, h.Sum(nil)[:4])
}

// unfinished is the database of a world that is being made.
const unfinished = "unfinished"

// URL returns the URL of a database with a world of that size, and makes it if it is not there.
func URL(ctx context.Context, c *localpg.Cluster, s Sizes, in Tables) (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	name := s.database(in)
	if made, err := exists(ctx, c, name); err != nil || made {
		return c.URL(name), err
	}
	rig.Progress("making a world of %d numbers and %d users", s.Numbers, s.Users)
	super := c.URL(localpg.Superuser)
	if err := execute(ctx, super, `DROP DATABASE IF EXISTS `+unfinished, `CREATE DATABASE `+unfinished); err != nil {
		return "", err
	}
	// The rows are known to fit each other, which a test sees to with a small world. Here triggers and foreign keys are left
	// out, since they take twice the time of the rows. PostgreSQL is left with nothing to do later: no row to be frozen or
	// marked, no page to be written.
	if err := in.Fill(ctx, c.URL(unfinished), `SET session_replication_role = replica;`+s.SQL(), `VACUUM (FREEZE, ANALYZE)`, `CHECKPOINT`); err != nil {
		return "", err
	}
	return c.URL(name), execute(ctx, super, `ALTER DATABASE `+unfinished+` RENAME TO `+name)
}

func exists(ctx context.Context, c *localpg.Cluster, name string) (made bool, err error) {
	conn, err := pgx.Connect(ctx, c.URL(localpg.Superuser))
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(ctx) }()
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&made)
	return made, err
}

// Copy makes a world of that size and a copy of it, to be edited. It returns the copy's URL.
func Copy(ctx context.Context, c *localpg.Cluster, s Sizes, in Tables, name string) (string, error) {
	if _, err := URL(ctx, c, s, in); err != nil {
		return "", err
	}
	rig.Progress("copying it, to edit it")
	return c.URL(name), execute(ctx, c.URL(localpg.Superuser), `DROP DATABASE IF EXISTS `+name,
		`CREATE DATABASE `+name+` TEMPLATE `+s.database(in)+` STRATEGY file_copy`)
}

// With is URL of a world in which statements were executed besides.
func With(ctx context.Context, c *localpg.Cluster, s Sizes, in Tables, statements ...string) (string, error) {
	id := sha256.Sum256([]byte(strings.Join(statements, ";")))
	name := fmt.Sprintf("%s_%x", s.database(in), id[:4])
	if made, err := exists(ctx, c, name); err != nil || made {
		return c.URL(name), err
	}
	url, err := Copy(ctx, c, s, in, unfinished)
	if err != nil {
		return "", err
	}
	if err := execute(ctx, url, statements...); err != nil {
		return "", fmt.Errorf("add to the world: %w", err)
	}
	return c.URL(name), execute(ctx, c.URL(localpg.Superuser), `ALTER DATABASE `+unfinished+` RENAME TO `+name)
}

// execute executes statements in the database at url.
func execute(ctx context.Context, url string, statements ...string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil { // no arguments: the simple protocol, which takes many statements at once
			return err
		}
	}
	return nil
}
