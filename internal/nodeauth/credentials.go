// Package nodeauth tells which node a switch is by the user and password that it sends.
//
// The rows hold a slow hash of each password, so that who reads them cannot use them. No call waits for that: the rows
// are kept in memory, and so is, once a password has turned out to be right, a fast keyed hash of it that is worth
// nothing outside of this process. From then on any other password is wrong at once, so that guessing costs the server
// next to nothing, too.
package nodeauth

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/xmlcurl"
)

const (
	// readEvery is how often the rows are read when no notice comes, because one may have been lost: what is revoked has
	// to be out of force within a second. readTime bounds one reading.
	readEvery = 500 * time.Millisecond
	readTime  = time.Second
	// mostPassword is the bytes of a password that bcrypt looks at.
	mostPassword = 72
)

// Rows is where credentials come from. Whoever answers without a database stands in between.
type Rows interface {
	// Credentials returns those of all nodes, in an order that is the same each time.
	Credentials(ctx context.Context) ([]db.Credential, error)
	// Listen calls told of each change until ctx ends; with no kind when it begins, and when it begins again.
	Listen(ctx context.Context, told func(table.Notice))
}

// Checker checks what switches send. It is an xmlcurl.Authenticator.
type Checker struct {
	rows    Rows
	log     *slog.Logger
	key     key // of the fast hash
	slots   chan struct{}
	readAt  prometheus.Gauge
	checks  *prometheus.CounterVec
	changed chan struct{} // full when the rows have to be read
	book    atomic.Pointer[book]

	// Below is the goroutine's own that reads.
	last  []db.Credential
	fault string // why the rows cannot be read now
}

// book is the rows as they were read last, by user.
type book map[string]account

type account struct {
	node    string
	enabled bool
	proof   *proof
}

// New makes a Checker that knows nobody yet.
func New(rows Rows, log *slog.Logger, reg prometheus.Registerer) *Checker {
	made := promauto.With(reg)
	return &Checker{
		rows: rows, log: log, key: newKey(), changed: make(chan struct{}, 1),
		readAt: made.NewGauge(prometheus.GaugeOpts{
			Name: "xmlcurld_credentials_read_timestamp_seconds",
			Help: "When the nodes' credentials were last read from the database.",
		}),
		checks: made.NewCounterVec(prometheus.CounterOpts{
			Name: "xmlcurld_password_checks_total",
			Help: "Passwords that were checked by the slow hash: one for each switch after a start.",
		}, []string{"result"}),
		// Half of the processors at most: the rest is for those who are known.
		slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
}

// Authenticate returns the node whose credentials these are. The errors are xmlcurl.ErrNotFound for a user whom nobody
// has, xmlcurl.ErrUnauthorized for a wrong password or one that is off, and xmlcurl.ErrUnavailable while the rows were
// never read or when there was no time for the slow hash. It asks no database. That a user exists can be told by the time
// it takes: the name is no secret, most often it is the node's, which stands in every request.
func (c *Checker) Authenticate(ctx context.Context, user, password string) (node string, err error) {
	known := c.book.Load()
	if known == nil {
		return "", fmt.Errorf("credentials were not read yet: %w", xmlcurl.ErrUnavailable)
	}
	account, ok := (*known)[user]
	switch {
	case !ok:
		return "", xmlcurl.ErrNotFound
	case !account.enabled || len(password) > mostPassword:
		return "", xmlcurl.ErrUnauthorized
	}
	return account.node, account.proof.check(ctx, c, password)
}

// Run keeps the rows in memory as they are until ctx ends. While the database is away they stay as they were last.
func (c *Checker) Run(ctx context.Context) {
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		c.rows.Listen(ctx, c.notice)
	}()
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-c.changed:
		case <-ctx.Done():
			<-listening
			return
		}
		c.Read(ctx)
	}
}

func (c *Checker) notice(n table.Notice) {
	if n.Lost != nil || n.Kind != db.CredentialNotice && n.Kind != "" {
		return
	}
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Read reads the rows once. It is for one goroutine at a time.
func (c *Checker) Read(ctx context.Context) {
	reading, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	rows, err := c.rows.Credentials(reading)
	if err != nil {
		if ctx.Err() == nil && c.fault == "" {
			c.fault = err.Error()
			c.log.Warn("cannot read the nodes' credentials, those that were read last stay in force", "error", c.fault)
		}
		return
	}
	c.fault = ""
	c.readAt.SetToCurrentTime()
	if known := c.book.Load(); known == nil || !slices.Equal(rows, c.last) {
		c.last = rows
		c.book.Store(newBook(rows, known))
	}
}

// newBook keeps what former knows of passwords whose hash is the same.
func newBook(rows []db.Credential, former *book) *book {
	if former == nil {
		former = &book{}
	}
	next := make(book, len(rows))
	for _, row := range rows {
		p := (*former)[row.Username].proof
		if p == nil || p.hash != row.PasswordHash {
			p = newProof(row.PasswordHash)
		}
		next[row.Username] = account{node: row.Node, enabled: row.Enabled, proof: p}
	}
	return &next
}

// noTime is what ctx's end means to who waits for a slow check.
func noTime(ctx context.Context) error {
	return fmt.Errorf("check a password: %w: %w", xmlcurl.ErrUnavailable, ctx.Err())
}
