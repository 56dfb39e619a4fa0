package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"xmlcurld/xmlcurl"
)

// maxStrangers is how many addresses are remembered as told of.
const maxStrangers = 1000

// networks are those whose connections are taken; empty: everybody's. Loopback is not among them unless it is named.
type networks []netip.Prefix

// parseNetworks reads networks and addresses, separated by commas.
func parseNetworks(to *networks, text string) error {
	for word := range strings.SplitSeq(text, ",") {
		network, err := parseNetwork(strings.TrimSpace(word))
		if err != nil {
			return err
		}
		*to = append(*to, network)
	}
	return nil
}

func parseNetwork(word string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(word); err == nil && address.Zone() == "" {
		return netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()), nil
	}
	network, err := netip.ParsePrefix(word)
	switch {
	case err != nil || network.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%q is not a network such as 192.0.2.0/24 or 2001:db8::/32", word)
	case network != network.Masked():
		return netip.Prefix{}, fmt.Errorf("%q has bits beyond its mask: the network is %s", word, network.Masked())
	}
	return network, nil
}

func (n networks) hold(address netip.Addr) bool {
	return slices.ContainsFunc(n, func(network netip.Prefix) bool { return network.Contains(address) })
}

// doorman closes connections from outside the allowed networks, before anything is read of them.
type doorman struct {
	net.Listener
	allowed networks
	log     *slog.Logger
	refused prometheus.Counter
	told    map[netip.Addr]bool
}

// newRefused registers the count of connections that a doorman closed.
func newRefused(reg prometheus.Registerer) prometheus.Counter {
	refused := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "xmlcurld_refused_connections_total",
		Help: "Connections from outside allow_networks, closed unread.",
	})
	reg.MustRegister(refused)
	return refused
}

// guard has a doorman stand before l, unless everybody is welcome.
func (n networks) guard(l net.Listener, log *slog.Logger, refused prometheus.Counter) net.Listener {
	if len(n) == 0 {
		return l
	}
	return &doorman{Listener: l, allowed: n, log: log, refused: refused, told: map[netip.Addr]bool{}}
}

// Accept returns the next connection that is welcome. It is for one goroutine, as http.Server has it.
func (d *doorman) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
		if d.welcomes(peer.Addr()) {
			return conn, nil
		}
		_ = conn.Close()
	}
}

// AcceptUnless is as xmlcurl.Refuser has it, for those who are welcome.
func (d *doorman) AcceptUnless(refuse func(socket int) bool) (net.Conn, error) {
	inner, ok := d.Listener.(xmlcurl.Refuser)
	if !ok {
		return nil, nil
	}
	return inner.AcceptUnless(func(socket int) bool {
		if d.welcomes(peerOf(socket)) {
			return refuse(socket)
		}
		_ = unix.Close(socket)
		return true
	})
}

// welcomes reports whether a connection from peer is taken, and counts it if not.
func (d *doorman) welcomes(peer netip.Addr) bool {
	peer = peer.Unmap().WithZone("")
	if d.allowed.hold(peer) {
		return true
	}
	d.refused.Inc()
	if !d.told[peer] && len(d.told) < maxStrangers {
		d.told[peer] = true
		d.log.Warn("connections from outside allow_networks are refused", "address", peer)
	}
	return false
}

// peerOf is the address that the connection on a socket comes from: that of the TCP connection, whatever a header might say.
func peerOf(socket int) netip.Addr {
	switch peer, _ := unix.Getpeername(socket); peer := peer.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(peer.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(peer.Addr)
	}
	return netip.Addr{}
}
