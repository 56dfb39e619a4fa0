// Package secretref reads what rows only refer to: files below one folder, and variables of the environment with one prefix.
// Nothing else of the server can be reached, whatever a row says.
package secretref

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// faultKept is how long a secret that could not be read counts as such, unless it is read again: its row may be gone.
const faultKept = 2 * time.Minute

// secretLimit is the characters of a secret that FreeSWITCH is given.
const secretLimit = 256

// Options say what may be read.
type Options struct {
	Dir        string   // folder of the files; "": no file may
	EnvPrefix  string   // of the variables; "": no variable may
	Environ    []string // the environment, each as NAME=value
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Reader reads secrets, each at every use: a changed file needs no notice. It is safe for concurrent use.
type Reader struct {
	Options
	mu     sync.Mutex
	last   map[string]string // what was read last, by reference
	faults map[string]fault
}

type fault struct {
	reason string
	at     time.Time
}

// New makes a Reader and registers its metric.
func New(o Options) *Reader {
	r := &Reader{Options: o, last: map[string]string{}, faults: map[string]fault{}}
	promauto.With(o.Registerer).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "xmlcurld_secrets_unreadable",
		Help: "References of rows to secrets of the server's that could not be read at their last use.",
	}, r.unreadable)
	return r
}

// Resolve returns the secret that reference, file:NAME or env:NAME, stands for. One that was read before and cannot be now
// is still what it was: nobody's gateway goes because a file is being replaced. The error names the reference and says
// nothing of the secret.
func (r *Reader) Resolve(reference string) (string, error) {
	value, err := r.read(reference)
	if err == nil {
		err = check(value)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.last[reference] = value
		delete(r.faults, reference)
		return value, nil
	}
	err = fmt.Errorf("secret %s: %w", reference, err)
	r.note(reference, err)
	if value, ok := r.last[reference]; ok {
		return value, nil
	}
	return "", err
}

// note remembers a fault and tells of it once.
func (r *Reader) note(reference string, err error) {
	if r.faults[reference].reason != err.Error() {
		r.Log.Warn("a secret cannot be read", "error", err)
	}
	r.faults[reference] = fault{reason: err.Error(), at: time.Now()}
}

func (r *Reader) unreadable() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.faults, func(_ string, f fault) bool { return time.Since(f.at) > faultKept })
	return float64(len(r.faults))
}

func (r *Reader) read(reference string) (string, error) {
	kind, name, _ := strings.Cut(reference, ":")
	switch kind {
	case "file":
		return r.readFile(name)
	case "env":
		return r.readVariable(name)
	}
	return "", errors.New("not file:NAME or env:NAME")
}

// readFile reads a file, and nothing that name or a link reaches outside of the folder.
func (r *Reader) readFile(name string) (string, error) {
	if r.Dir == "" {
		return "", errors.New("the setting secrets_dir names no folder")
	}
	root, err := os.OpenRoot(r.Dir)
	if err != nil {
		return "", err
	}
	defer func() { _ = root.Close() }()
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for its writer
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", errors.New("not a file")
	}
	content, err := io.ReadAll(io.LimitReader(file, 4*secretLimit+3))
	return strings.TrimRight(string(content), "\r\n"), err
}

func (r *Reader) readVariable(name string) (string, error) {
	if r.EnvPrefix == "" {
		return "", errors.New("the setting secrets_env_prefix names no variables")
	}
	for _, entry := range r.Environ {
		if key, value, _ := strings.Cut(entry, "="); key == r.EnvPrefix+name {
			return value, nil
		}
	}
	return "", fmt.Errorf("no variable %s in the environment", r.EnvPrefix+name)
}

var unusable = regexp.MustCompile(`[\x00-\x1f\x7f\x{fffe}\x{ffff}]|\$\{`)

// check refuses what the schema refuses in a row.
func check(value string) error {
	switch n := len([]rune(value)); {
	case n == 0 || n > secretLimit:
		return fmt.Errorf("it has %d characters: 1 to %d can be used", n, secretLimit)
	case unusable.MatchString(value):
		return errors.New("it holds control characters or ${")
	}
	return nil
}
