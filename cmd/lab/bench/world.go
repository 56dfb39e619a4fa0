//go:build linux

package bench

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/localpg"
	"xmlcurld/db/schema"
	"xmlcurld/testdata"
)

// sizes says how much of everything a world holds.
type sizes struct{ tenants, numbers, users, gateways, aclEntries, nodes int }

var (
	fullSize  = sizes{tenants: 1000, numbers: 1_000_000, users: 100_000, gateways: 10_000, aclEntries: 10_000, nodes: 50}
	smallSize = sizes{tenants: 10, numbers: 1000, users: 1000, gateways: 40, aclEntries: 10, nodes: 50}
)

// few is s with a thousand numbers, and as much of everything else.
func (s sizes) few() sizes {
	s.numbers = 1000
	return s
}

func (s sizes) check() error {
	if s.tenants < 1 || s.tenants > 9999 || s.users < s.tenants || s.users > 9000*s.tenants || s.nodes < 1 || s.nodes > 99 || s.numbers < 1 {
		return fmt.Errorf("no world can be made of %+v", s)
	}
	return nil
}

// settings are what testdata.World reads.
func (s sizes) settings() string {
	return fmt.Sprintf(`SET world.tenants = %d; SET world.numbers = %d; SET world.users = %d;
		SET world.gateways = %d; SET world.acl_entries = %d; SET world.nodes = %d;`,
		s.tenants, s.numbers, s.users, s.gateways, s.aclEntries, s.nodes)
}

// tables makes an empty database ready for a world.
type tables struct {
	id      []byte // differs from that of another tables
	migrate func(ctx context.Context, url string) error
}

// ownSchema is the tables of this checkout.
func ownSchema() tables {
	h := sha256.New()
	files, _ := fs.Glob(schema.Migrations, "migrations/*.sql") // the pattern is well formed: no error
	for _, name := range files {
		content, _ := fs.ReadFile(schema.Migrations, name)
		h.Write(content)
	}
	return tables{h.Sum(nil), func(ctx context.Context, url string) error {
		return schema.Migrate(ctx, url, slog.New(slog.DiscardHandler))
	}}
}

// schemaOf is the tables that another build of xmlcurld makes.
func schemaOf(binary string) (tables, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return tables{}, err
	}
	id := sha256.Sum256(content)
	return tables{id[:], func(ctx context.Context, url string) error {
		cmd := exec.CommandContext(ctx, binary, "migrate")
		cmd.Env = append(os.Environ(), "XMLCURLD_DATABASE_URL="+url)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s migrate: %w: %s", binary, err, out)
		}
		return nil
	}}, nil
}

// database is a name that no other world has, nor the same world of another tables.
func (s sizes) database(in tables) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s", testdata.World, s.settings())
	h.Write(in.id)
	return fmt.Sprintf("world_%d_%x", s.numbers, h.Sum(nil)[:4])
}

// worldURL returns the URL of a database with a world of that size, and makes it if it is not there.
func worldURL(ctx context.Context, c *localpg.Cluster, s sizes, in tables) (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	conn, err := pgx.Connect(ctx, c.URL(localpg.Superuser))
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	name := s.database(in)
	var made bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&made); err != nil || made {
		return c.URL(name), err
	}
	progress("making a world of %d numbers and %d users", s.numbers, s.users)
	for _, statement := range []string{`DROP DATABASE IF EXISTS unfinished`, `CREATE DATABASE unfinished`} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return "", err
		}
	}
	if err := makeWorld(ctx, c.URL("unfinished"), s, in); err != nil {
		return "", fmt.Errorf("make the world: %w", err)
	}
	_, err = conn.Exec(ctx, `ALTER DATABASE unfinished RENAME TO `+name)
	return c.URL(name), err
}

// copyWorld makes a world of that size and a copy of it, to be edited: a database of that name.
func copyWorld(ctx context.Context, c *localpg.Cluster, s sizes, name string) error {
	own := ownSchema()
	if _, err := worldURL(ctx, c, s, own); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, c.URL(localpg.Superuser))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	progress("copying it, to edit it")
	for _, statement := range []string{
		`DROP DATABASE IF EXISTS ` + name,
		`CREATE DATABASE ` + name + ` TEMPLATE ` + s.database(own) + ` STRATEGY file_copy`,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// makeWorld fills the empty database at url. The rows are known to fit each other, which a test sees to with a small
// world: here triggers and foreign keys are left out, since they take twice the time of the rows. Postgres is left with
// nothing to do later: no row to be frozen or marked, no page to be written.
func makeWorld(ctx context.Context, url string, s sizes, in tables) error {
	if err := in.migrate(ctx, url); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statements := range []string{
		s.settings() + `SET session_replication_role = replica;` + testdata.World,
		`VACUUM (FREEZE, ANALYZE)`,
		`CHECKPOINT`,
	} {
		if _, err := conn.Exec(ctx, statements); err != nil { // no arguments: the simple protocol, which takes many statements
			return err
		}
	}
	return nil
}

// scratch is the folder that everything stands in. PostgreSQL and nginx run as users of their own when we are root, so
// others may enter it.
func scratch(dir string) (path string, remove func() error, err error) {
	if dir != "" {
		return dir, func() error { return nil }, os.MkdirAll(dir, 0o755)
	}
	if dir, err = os.MkdirTemp("", "xmlcurld-bench-"); err != nil {
		return "", nil, err
	}
	return dir, func() error { return os.RemoveAll(dir) }, os.Chmod(dir, 0o755)
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
