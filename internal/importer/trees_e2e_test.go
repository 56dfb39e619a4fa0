//go:build e2e

package importer

import (
	"os"
	"path/filepath"
	"testing"

	"xmlcurld/internal/conftree"
)

// FreeSWITCH's own trees, in the folder that FREESWITCH_CONF names, are told the same by the server.
func TestTrees(t *testing.T) {
	root := os.Getenv("FREESWITCH_CONF")
	if root == "" {
		t.Fatal("FREESWITCH_CONF does not name FreeSWITCH's folder conf")
	}
	for _, name := range []string{"vanilla", "minimal", "insideout", "sbc", "testing"} {
		t.Run(name, func(t *testing.T) {
			tree, err := conftree.Read(filepath.Join(root, name), conftree.Options{Globals: map[string]string{"local_ip_v4": "192.0.2.1", "domain": "pbx.example"}})
			if err != nil {
				t.Fatal(err)
			}
			im := importTree(t, tree, Options{Tenant: "acme"})
			t.Log(im.compareCalls(t), "calls", im.compareUsers(t), "users", im.compareConfigurations(t), "parts of configuration")
			counts := map[string]int{}
			for _, r := range im.Set.Rows {
				counts[r.Table]++
			}
			t.Log(counts)
			for _, l := range im.Left {
				t.Log(l)
			}
		})
	}
}
