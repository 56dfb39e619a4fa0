package main

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
)

func TestNetworks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       []string
		fault      string
	}{
		{name: "one network", text: "192.0.2.0/24", want: []string{"192.0.2.0/24"}},
		{name: "several, with blanks", text: "192.0.2.0/24, 2001:db8::/32", want: []string{"192.0.2.0/24", "2001:db8::/32"}},
		{name: "an address", text: "192.0.2.7", want: []string{"192.0.2.7/32"}},
		{name: "an address of the other kind", text: "::1", want: []string{"::1/128"}},
		{name: "a mapped address", text: "::ffff:192.0.2.7", want: []string{"192.0.2.7/32"}},
		{name: "everybody of one kind", text: "0.0.0.0/0", want: []string{"0.0.0.0/0"}},
		{name: "no network", text: "192.0.2.0/24,lan", fault: `"lan" is not a network such as 192.0.2.0/24 or 2001:db8::/32`},
		{name: "nothing between commas", text: "192.0.2.0/24,", fault: `"" is not a network such as 192.0.2.0/24 or 2001:db8::/32`},
		{name: "a mapped network", text: "::ffff:192.0.2.0/120", fault: `"::ffff:192.0.2.0/120" is not a network such as 192.0.2.0/24 or 2001:db8::/32`},
		{name: "bits too many", text: "192.0.2.7/24", fault: `"192.0.2.7/24" has bits beyond its mask: the network is 192.0.2.0/24`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var parsed []netip.Prefix
			err := parseNetworks(&parsed, tc.text)
			if tc.fault != "" {
				if err == nil || err.Error() != tc.fault {
					t.Errorf("%v, want %s", err, tc.fault)
				}
				return
			}
			var got []string
			for _, network := range parsed {
				got = append(got, network.String())
			}
			if err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// A stranger is cut off before it has said a word, over TLS before the handshake; those who are allowed are answered.
func TestServeToSomeNetworks(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t, "ours")
	files := newTLSFiles(t)
	files.write(t, ours, 1, ours)
	p := boot(t, append(files.args(), "--database-url", dbtest.DemoURL(t), "--allow-networks", "10.0.0.0/8,127.0.0.1/32")...)
	if status, _, err := p.over(ours.client(t, ours), aclForm); err != nil || status != http.StatusOK {
		t.Errorf("from 127.0.0.1: %d, %v", status, err)
	}
	address := strings.TrimSuffix(strings.TrimPrefix(p.xml, "https://"), "/xml")
	for range 2 {
		stranger := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		conn, err := stranger.DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("from 127.0.0.2: %d bytes, %v", n, err)
		}
		_ = conn.Close()
	}
	if _, metrics := p.get("/metrics"); !strings.Contains(metrics, "\n"+`xmlcurld_connections_dropped_total{reason="network"} 2`+"\n") {
		t.Error("they were not counted")
	}
	if n := strings.Count(p.stderr.String(), "address=127.0.0.2"); n != 1 {
		t.Errorf("told of %d times", n)
	}
}
