//go:build linux

package world

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"

	"xmlcurld/db/schema"
)

// Tables makes an empty database ready for a world.
type Tables struct {
	id      []byte // differs from that of other tables
	migrate func(ctx context.Context, url string) error
}

// OwnTables are the tables of this checkout.
func OwnTables() Tables {
	h := sha256.New()
	files, _ := fs.Glob(schema.Migrations, "migrations/*.sql") // the pattern is well formed: no error
	for _, name := range files {
		content, _ := fs.ReadFile(schema.Migrations, name)
		h.Write(content)
	}
	return Tables{h.Sum(nil), func(ctx context.Context, url string) error {
		return schema.Migrate(ctx, url, slog.New(slog.DiscardHandler))
	}}
}

// TablesOf are the tables that another build of xmlcurld makes.
func TablesOf(binary string) (Tables, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return Tables{}, err
	}
	id := sha256.Sum256(content)
	return Tables{id[:], func(ctx context.Context, url string) error {
		cmd := exec.CommandContext(ctx, binary, "migrate")
		cmd.Env = append(os.Environ(), "XMLCURLD_DATABASE_URL="+url)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s migrate: %w: %s", binary, err, out)
		}
		return nil
	}}, nil
}

// Fill makes the tables in the empty database at url, and then executes statements there.
func (t Tables) Fill(ctx context.Context, url string, statements ...string) error {
	err := t.migrate(ctx, url)
	if err == nil {
		err = execute(ctx, url, statements...)
	}
	if err != nil {
		return fmt.Errorf("make the world: %w", err)
	}
	return nil
}
