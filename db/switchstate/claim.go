package switchstate

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

const (
	// claimTime bounds one question about a claim.
	claimTime = 5 * time.Second
	// claimTrust is how long claims are taken to be still held after Postgres answered on their connection.
	claimTrust = 200 * time.Millisecond
)

// Claims are the nodes that this server takes care of. Each is an advisory lock of one connection: when the server dies,
// Postgres gives them up, and another server takes them.
type Claims struct {
	pg *pg.DB

	mu   sync.Mutex
	conn *pgx.Conn
	held map[string]bool
	seen time.Time // when conn answered last
}

// NewClaims returns a set of claims that holds none yet.
func NewClaims(database *pg.DB) *Claims { return &Claims{pg: database} }

// Claim makes node this server's, or sees that it was a moment ago, and reports true, unless another server has it. All
// claims are lost with their connection, of which this is where it shows.
func (c *Claims) Claim(node string) (bool, error) {
	// The context is no caller's: one that is canceled in the middle would cost the connection, and all claims with it.
	ctx, cancel := context.WithTimeout(context.Background(), claimTime)
	defer cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.connect(ctx); err != nil {
		return false, pg.Translate("claim a node", err)
	}
	if c.held[node] {
		return true, nil
	}
	var got bool
	err := c.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('xmlcurld node'), hashtext($1))`, node).Scan(&got)
	if err != nil {
		c.drop(ctx)
		return false, pg.Translate("claim a node", err)
	}
	if got {
		c.held[node] = true
	}
	return got, nil
}

// connect sees that the connection lives.
func (c *Claims) connect(ctx context.Context) error {
	if c.conn != nil {
		if time.Since(c.seen) < claimTrust && !c.conn.IsClosed() {
			return nil
		}
		if err := c.conn.Ping(ctx); err == nil {
			c.seen = time.Now()
			return nil
		}
		c.drop(ctx)
	}
	conn, err := pgx.ConnectConfig(ctx, c.pg.Primary().Config().ConnConfig)
	if err != nil {
		return err
	}
	c.conn, c.held, c.seen = conn, make(map[string]bool), time.Now()
	return nil
}

func (c *Claims) drop(ctx context.Context) {
	_ = c.conn.Close(ctx)
	c.conn, c.held = nil, nil
}

// Close gives all claims up.
func (c *Claims) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), claimTime)
	defer cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		c.drop(ctx)
	}
}
