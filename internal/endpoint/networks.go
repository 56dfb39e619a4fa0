package endpoint

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// maxStrangers is how many addresses are remembered as logged.
const maxStrangers = 1000

// networks are those whose connections are accepted. Loopback is not among them unless it is named.
type networks struct {
	allowed []netip.Prefix // empty: everybody's
	log     *slog.Logger
	refused prometheus.Counter
	logged  map[netip.Addr]bool
}

func newNetworks(allowed []netip.Prefix, log *slog.Logger, refused prometheus.Counter) *networks {
	return &networks{allowed: allowed, log: log, refused: refused, logged: map[netip.Addr]bool{}}
}

// admit reports whether c may be served, and counts it and logs its address if it may not. It is for one goroutine.
func (n *networks) admit(c net.Conn) bool {
	if len(n.allowed) == 0 {
		return true
	}
	peer := peerOf(c)
	if slices.ContainsFunc(n.allowed, func(network netip.Prefix) bool { return network.Contains(peer) }) {
		return true
	}
	n.refused.Inc()
	if !n.logged[peer] && len(n.logged) < maxStrangers {
		n.logged[peer] = true
		n.log.Warn("connections from outside allow_networks are refused", "address", peer)
	}
	return false
}

// peerOf is the address that a connection comes from: that of the TCP connection, whatever a header might say.
func peerOf(c net.Conn) netip.Addr {
	if peer, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return peer.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
