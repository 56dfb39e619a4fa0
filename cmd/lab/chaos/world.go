//go:build linux

package chaos

import (
	"context"
	"fmt"
	"sync"

	"xmlcurld/cmd/lab/world"
	"xmlcurld/db/dbtest/fault"
)

// size is that of the world.
var size = world.Sizes{Tenants: 20, Numbers: 6000, Users: 200, Gateways: 40, ACLEntries: 50, Nodes: 4}

// userID is the first user of each tenant.
const userID = "1000"

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
	return world.OwnTables().Fill(ctx, url, size.SQL(),
		// No switch is there to be kept in sync; nothing must be told to a stranger's.
		`UPDATE node SET event_socket_ip = NULL, event_socket_port = NULL, event_socket_password = NULL WHERE name = '*'`,
		// Where numbers are moved to and fro.
		`INSERT INTO extension (name) VALUES ('elsewhere');
		 INSERT INTO action (extension, position, application, data) VALUES ('elsewhere', 1, 'transfer', '%{forward_number}')`,
		`ANALYZE`)
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
