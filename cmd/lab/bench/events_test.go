//go:build linux

package bench

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"xmlcurld/cmd/lab/load"
	"xmlcurld/cmd/lab/world"
)

// An answer with what stood there before is outdated, and a refusal is none.
func TestAskChanged(t *testing.T) {
	t.Parallel()
	call, err := load.Call(world.Small)
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch asked.Add(1) {
		case 1, 2, 3:
			_, _ = io.WriteString(w, `data="name=Line 00000000"`)
		case 4, 5:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			_, _ = io.WriteString(w, `data="name=1504 00000000"`)
		}
	}))
	defer s.Close()
	current := func() error { return nil }
	outdated, failed, err := askChanged(t.Context(), call, strings.TrimPrefix(s.URL, "http://"), world.Small, "=1504 ", current)
	if err != nil || outdated != 3 || failed != 2 || asked.Load() != askers*askLeast {
		t.Errorf("of %d answers %d are outdated and %d none, error %v", asked.Load(), outdated, failed, err)
	}
}
