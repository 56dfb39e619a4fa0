package secretref_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/internal/secretref"
)

// rig is a reader of a folder that lies beside a file which it must not reach.
type rig struct {
	*secretref.Reader
	dir string
	log bytes.Buffer
	reg *prometheus.Registry
}

func newRig(t *testing.T) *rig {
	t.Helper()
	outside := t.TempDir()
	r := &rig{dir: filepath.Join(outside, "secrets"), reg: prometheus.NewRegistry()}
	write(t, filepath.Join(outside, "outside"), "hidden")
	write(t, filepath.Join(r.dir, "twilio/password"), "of twilio\n")
	for link, target := range map[string]string{"inside": "twilio/password", "link": "../outside", "absolute": filepath.Join(outside, "outside")} {
		if err := os.Symlink(target, filepath.Join(r.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	r.Reader = secretref.New(secretref.Options{
		Dir: r.dir, EnvPrefix: "SECRET_", Environ: []string{"PATH=hidden", "SECRET_TWILIO=of twilio=", "SECRET_EMPTY="},
		Log: slog.New(slog.NewTextHandler(&r.log, nil)), Registerer: r.reg,
	})
	return r
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) unreadable(t *testing.T, want float64) {
	t.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if got := families[0].GetMetric()[0].GetGauge().GetValue(); got != want {
		t.Errorf("%v are unreadable, want %v", got, want)
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := syscall.Mkfifo(filepath.Join(r.dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(r.dir, "long"), strings.Repeat("é", 256)+"\r\n")
	write(t, filepath.Join(r.dir, "longer"), strings.Repeat("é", 257))
	write(t, filepath.Join(r.dir, "two.lines"), "a\nb\n")
	write(t, filepath.Join(r.dir, "expands"), "a${b")
	write(t, filepath.Join(r.dir, "empty"), "\n")
	for _, tc := range []struct{ reference, want, fault string }{
		{"file:twilio/password", "of twilio", ""},
		{"file:inside", "of twilio", ""},
		{"file:long", strings.Repeat("é", 256), ""},
		{"env:TWILIO", "of twilio=", ""},
		{"file:longer", "", "it has 257 characters: 1 to 256 can be used"},
		{"file:two.lines", "", "it holds control characters or ${"},
		{"file:expands", "", "it holds control characters or ${"},
		{"file:empty", "", "it has 0 characters: 1 to 256 can be used"},
		{"file:nothing", "", "no such file or directory"},
		{"file:twilio", "", "not a file"},
		{"file:pipe", "", "not a file"},
		{"file:link", "", "path escapes from parent"},
		{"file:absolute", "", "path escapes from parent"},
		{"file:../outside", "", "path escapes from parent"},
		{"file:twilio/../../outside", "", "path escapes from parent"},
		{"file:/etc/passwd", "", "path escapes from parent"},
		{"env:EMPTY", "", "it has 0 characters: 1 to 256 can be used"},
		{"env:PATH", "", "no variable SECRET_PATH in the environment"},
		{"TWILIO", "", "not file:NAME or env:NAME"},
	} {
		got, err := r.Resolve(tc.reference)
		switch {
		case got != tc.want:
			t.Errorf("%s: %q", tc.reference, got)
		case (err == nil) != (tc.fault == ""), err != nil && !strings.HasSuffix(err.Error(), tc.fault):
			t.Errorf("%s: %v, want %q", tc.reference, err, tc.fault)
		}
	}
	if strings.Contains(r.log.String(), "hidden") {
		t.Error(r.log.String())
	}
}

// What was read once is not lost while its file is; that is told once, and counted until it is back.
func TestFileIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	is := func(want string) {
		t.Helper()
		if got, err := r.Resolve("file:twilio/password"); got != want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	is("of twilio")
	write(t, filepath.Join(r.dir, "twilio/password"), "another")
	is("another")
	r.unreadable(t, 0)
	if err := os.RemoveAll(filepath.Join(r.dir, "twilio")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		is("another")
	}
	r.unreadable(t, 1)
	if n := strings.Count(r.log.String(), "file:twilio/password"); n != 1 {
		t.Errorf("told %d times: %s", n, r.log.String())
	}
	write(t, filepath.Join(r.dir, "twilio/password"), "a third")
	is("a third")
	r.unreadable(t, 0)
}

func TestNothingIsAllowed(t *testing.T) {
	t.Parallel()
	r := secretref.New(secretref.Options{Environ: []string{"TWILIO=hidden"}, Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()})
	for reference, fault := range map[string]string{
		"file:tmp":   "secret file:tmp: the setting secrets_dir names no folder",
		"env:TWILIO": "secret env:TWILIO: the setting secrets_env_prefix names no variables",
	} {
		if value, err := r.Resolve(reference); value != "" || err == nil || err.Error() != fault {
			t.Errorf("%s: %q, %v", reference, value, err)
		}
	}
}
