package fingerprint_test

import (
	"testing"

	"xmlcurld/db/fingerprint"

	"github.com/google/go-cmp/cmp"
)

func TestAddressChanges(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, has, want string
		changes         []string
	}{
		{"the same", "sip-port=5060 tls=aa", "sip-port=5060 tls=aa", nil},
		{"in another order", "tls=aa sip-port=5060", "sip-port=5060 tls=aa", nil},
		{"a port", "sip-ip=192.0.2.1 sip-port=5060", "sip-ip=192.0.2.1 sip-port=5061", []string{"sip-port 5060 -> 5061"}},
		{"a port that was not set", "", "sip-port=5061", []string{"sip-port none -> 5061"}},
		{"an address taken away", "sip-ip=192.0.2.1", "", []string{"sip-ip 192.0.2.1 -> none"}},
		{"a binding", "ws-binding=aa", "ws-binding=bb", []string{"ws-binding"}},
		{"added and taken away", "wss-binding=aa", "tls=bb", []string{"tls", "wss-binding"}},
		{"one more of a name", "bind-params=aa", "bind-params=aa bind-params=bb", []string{"bind-params"}},
		{"what a rescan takes, in an older record", "tls-always-nat=aa", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.changes, fingerprint.AddressChanges(tc.has, tc.want)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
