//go:build linux

package rig

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestRowsAge(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, metrics string
		want          time.Duration
	}{
		{"rows", "a 1\nxmlcurld_local_rows_age_seconds 0.25\nb 2\n", 250 * time.Millisecond},
		{"an older build's", "a 1\nxmlcurld_copy_age_seconds 2e-3\n", 2 * time.Millisecond},
		{"none", "# HELP xmlcurld_local_rows_age_seconds How long\na 1\n", math.MaxInt64},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, test.metrics) }))
			defer s.Close()
			got, err := RowsAge(strings.TrimPrefix(s.URL, "http://"))
			if err != nil || got != test.want {
				t.Errorf("age %v, error %v; want %v", got, err, test.want)
			}
		})
	}
}
