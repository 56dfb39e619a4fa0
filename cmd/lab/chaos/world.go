//go:build linux

package chaos

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest/fault"
	"xmlcurld/db/schema"
	"xmlcurld/testdata"
)

// The world's names are those of testdata.World.
const (
	nodeCount    = 4
	tenantCount  = 20
	worldNumbers = 6000
	userID       = "1000" // the first user of each tenant
)

func nodeName(n int) string   { return fmt.Sprintf("node%02d", n+1) }
func numberName(n int) string { return fmt.Sprintf("+271%08d", n) }
func domainName(t int) string { return fmt.Sprintf("t%04d.example", t+1) }

// The server is a role without privileges: it gets no connection that Postgres keeps for superusers.
const (
	role     = "server"
	database = "world"
)

// makeWorld makes the database on the primary, as the server's role.
func makeWorld(ctx context.Context, primary *fault.Server) error {
	for _, statement := range []string{`CREATE ROLE ` + role + ` LOGIN`, `CREATE DATABASE ` + database + ` OWNER ` + role} {
		if err := primary.Execute(ctx, "postgres", statement); err != nil {
			return err
		}
	}
	return fillWorld(ctx, urlAs(primary, role))
}

// fillWorld fills an empty database.
func fillWorld(ctx context.Context, url string) error {
	if err := schema.Migrate(ctx, url, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statements := range []string{
		fmt.Sprintf(`SET world.tenants = %d; SET world.numbers = %d; SET world.users = %d;
			SET world.gateways = 40; SET world.acl_entries = 50; SET world.nodes = %d;`,
			tenantCount, worldNumbers, 10*tenantCount, nodeCount) + testdata.World,
		// No switch is there to be kept in step; nothing must be told to a stranger's.
		`UPDATE node SET event_socket_ip = NULL, event_socket_port = NULL, event_socket_password = NULL WHERE name = '*'`,
		// Where numbers are moved to and fro.
		`INSERT INTO extension (name) VALUES ('elsewhere');
		 INSERT INTO action (extension, position, application, data) VALUES ('elsewhere', 1, 'transfer', '%{forward_number}')`,
		`ANALYZE`,
	} {
		if _, err := conn.Exec(ctx, statements); err != nil {
			return fmt.Errorf("make the world: %w", err)
		}
	}
	return nil
}

// urlAs is the connection string of one server's world for a role.
func urlAs(s *fault.Server, role string) string {
	return fmt.Sprintf("postgres:///%s?host=%s&port=5432&sslmode=disable&user=%s", database, s.SocketDir(), role)
}

// address is where the primary is now, for those who edit while it changes.
type address struct {
	mu  sync.Mutex
	url string
}

func (a *address) set(url string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.url = url
}

func (a *address) get() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.url
}
