package localpg

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"xmlcurld/internal/child"
)

// StartStandby starts a streaming standby of primary on o.Dir, which it fills with a copy of the primary's data if it is
// empty, and returns when the standby answers questions. It is at most a moment behind then. It finds the primary by
// its socket, so a primary that was started anew in its folder is found again.
func StartStandby(ctx context.Context, primary *Cluster, o Options) (*Cluster, error) {
	c, err := start(ctx, o, primary.copyTo)
	if err != nil {
		return nil, fmt.Errorf("start a standby PostgreSQL server in %s: %w", o.Dir, err)
	}
	return c, nil
}

// copyTo fills data with what makes a standby of c.
func (c *Cluster) copyTo(ctx context.Context, bin, data string, who *account, fast bool) error {
	args := []string{
		"--pgdata", data,
		"--host", c.socketDir,
		"--port", port,
		"--username", Superuser,
		"--write-recovery-conf",
		"--wal-method", "stream",
		"--checkpoint", "fast",
	}
	if fast {
		args = append(args, "--no-sync")
	}
	return runProgram(ctx, filepath.Join(bin, "pg_basebackup"), args, who)
}

// Promote makes a primary of a standby, and returns when it takes writes.
func (c *Cluster) Promote(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.URL(Superuser))
	if err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var promoted bool
	if err := conn.QueryRow(ctx, `SELECT pg_promote(wait => true)`).Scan(&promoted); err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	if !promoted {
		return fmt.Errorf("promote: the standby in %s took too long", c.socketDir)
	}
	return nil
}

// Processes are the ids of the server's processes, the postmaster's first. The others are its children, each in a
// process group of its own: a signal to the postmaster's reaches none of them. None for an attached server.
func (c *Cluster) Processes() []int {
	if c.server == nil {
		return nil
	}
	return child.Family(c.server.PID())
}
