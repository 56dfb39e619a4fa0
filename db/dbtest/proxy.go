package dbtest

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Proxy stands between a client and Postgres and counts what goes by.
type Proxy struct {
	URL string // of the database, through the proxy

	mu        sync.Mutex
	questions int // round trips that asked something
	prepared  int // round trips that only prepared a statement, once per connection
	conns     []net.Conn
	deaf      bool // answers are withheld
}

// NewProxy listens on a socket of its own before the database at address. With others, it leads each connection to the
// next one, as a balancer does.
func NewProxy(t testing.TB, address string, others ...string) *Proxy {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(int(config.Port))
	dir := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL."+port))
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{}
	through, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := through.Query()
	query.Set("host", dir)
	through.RawQuery = query.Encode()
	p.URL = through.String()
	t.Cleanup(func() {
		_ = listener.Close()
		p.HangUp()
	})
	sockets := []string{filepath.Join(config.Host, ".s.PGSQL."+port)}
	for _, other := range others {
		config, err := pgx.ParseConfig(other)
		if err != nil {
			t.Fatal(err)
		}
		sockets = append(sockets, filepath.Join(config.Host, ".s.PGSQL."+strconv.Itoa(int(config.Port))))
	}
	go p.serve(listener, sockets)
	return p
}

func (p *Proxy) serve(listener net.Listener, sockets []string) {
	for n := 0; ; n++ {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", sockets[n%len(sockets)])
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		go p.forward(server, client)
		go p.back(client, server)
	}
}

// forward passes on what the client says. The first message has no type: it is the startup.
func (p *Proxy) forward(server, client net.Conn) {
	defer func() { _ = server.Close() }()
	preparing := false
	for startup := true; ; startup = false {
		header := make([]byte, 5)
		if startup {
			header = header[:4]
		}
		if _, err := io.ReadFull(client, header); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(header[len(header)-4:])-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		if !startup {
			preparing = p.count(header[0], body, preparing)
		}
		if _, err := server.Write(append(header, body...)); err != nil {
			return
		}
	}
}

// count counts a message of kind, and tells whether the messages up to the next Sync do no more than prepare a statement.
func (p *Proxy) count(kind byte, body []byte, preparing bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case kind == 'P': // Parse
		p.prepared++
		return true
	case kind == 'E': // Execute
		return false
	case kind == 'S' && preparing: // Sync: nothing was asked
	case kind == 'Q' && bytes.Contains(body, []byte("pg_is_in_recovery() AS standby")): // a look, which no question waits for
	case kind == 'S', kind == 'Q': // Sync, or a query in the simple protocol
		p.questions++
	default:
		return preparing
	}
	return false
}

func (p *Proxy) back(client, server net.Conn) {
	defer func() { _ = client.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := server.Read(buffer)
		p.mu.Lock()
		deaf := p.deaf
		p.mu.Unlock()
		if !deaf && n > 0 {
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Counted returns how many round trips asked something, and how often a statement was prepared, since the last call.
func (p *Proxy) Counted() (questions, prepared int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	questions, prepared = p.questions, p.prepared
	p.questions, p.prepared = 0, 0
	return questions, prepared
}

// HangUp cuts all connections.
func (p *Proxy) HangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		_ = conn.Close()
	}
	p.conns = nil
}

// SetDeaf has the answers withheld, or no longer.
func (p *Proxy) SetDeaf(deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = deaf
}
