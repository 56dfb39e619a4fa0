//go:build e2e

package e2e

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
)

// ear is the far end of a call's audio. It says nothing, and counts what it hears: PCMU in packets of 20 ms.
type ear struct {
	conn *net.UDPConn
	from atomic.Int64 // the port that the last packet came from
	loud atomic.Int64 // packets with sound in them
}

const (
	oneSecond = 50 // packets
	rtpHeader = 12 // bytes
)

func newEar(t testing.TB, ip string) *ear {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	e := &ear{conn: conn}
	go e.listen()
	return e
}

func (e *ear) port() int { return e.conn.LocalAddr().(*net.UDPAddr).Port }

func (e *ear) listen() {
	packet := make([]byte, 2048)
	for {
		n, from, err := e.conn.ReadFromUDP(packet)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n < rtpHeader {
			continue
		}
		e.from.Store(int64(from.Port))
		if isLoud(packet[rtpHeader:n]) {
			e.loud.Add(1)
		}
	}
}

// isLoud reads PCMU, in which small values are loud ones: the bits are inverted and the top bit is the sign.
func isLoud(payload []byte) bool {
	for _, sample := range payload {
		if sample&0x7f < 0x50 {
			return true
		}
	}
	return false
}
