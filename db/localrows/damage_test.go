package localrows_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/localrows"
	"xmlcurld/db/table"
)

// copyOfDemo is the folder of local rows of url's database, closed and whole, and what it answers.
func copyOfDemo(t *testing.T, url string) (dir string, whole []byte, want told) {
	t.Helper()
	store, dir := dbtest.Open(t, url), t.TempDir()
	c := openLocal(t, store, dir)
	follow(t, c)
	want = ask(t.Context(), c)
	dbtest.Execute(t, url, `UPDATE tenant SET note = 'written by rows'`) // so that pages are free as well
	follow(t, c)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "rows.db"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, whole, want
}

// noAnswers are how local rows says that it has no answer.
var noAnswers = []string{"database unavailable: the local rows do not hold this", "the file is damaged: "}

// nothingWrong wants each answer to be want's, or none.
func nothingWrong(t *testing.T, when string, want, got told) (refused int) {
	t.Helper()
	for question, answer := range got {
		text, isText := answer.(string)
		if isText && slices.ContainsFunc(noAnswers, func(r string) bool { return strings.Contains(text, r) }) {
			refused++
			continue
		}
		if diff := difference(want[question], answer); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", when, question, diff)
		}
	}
	return refused
}

// damages are what may happen to a file: it is cut off, or bytes of it are others, or one of flips bits is.
func damages(flips uint64) map[string]func(whole []byte) []byte {
	cut := func(size int) func([]byte) []byte {
		return func(whole []byte) []byte { return whole[:min(size, len(whole))] }
	}
	damages := map[string]func([]byte) []byte{
		"empty":     cut(0),
		"one byte":  cut(1),
		"one page":  cut(4096),
		"no page":   cut(5000),
		"two pages": cut(8192),
		"half":      func(whole []byte) []byte { return whole[:len(whole)/2] },
		"last page": func(whole []byte) []byte { return whole[:len(whole)-4096] },
		"zeros":     func(whole []byte) []byte { return make([]byte, len(whole)) },
		"text":      func([]byte) []byte { return []byte(strings.Repeat("This is no copy. ", 1000)) },
	}
	for n := range flips {
		damages[fmt.Sprint("flip ", n)] = func(whole []byte) []byte {
			chance := rand.New(rand.NewPCG(n, n))
			flipped, at := bytes.Clone(whole), chance.IntN(len(whole))
			if n%2 == 0 { // within the heads of pages and their elements
				at = at/4096*4096 + chance.IntN(64)
			}
			flipped[at] ^= 1 << chance.IntN(8)
			return flipped
		}
	}
	return damages
}

// Whatever happened to the file while the server was stopped, it starts, answers nothing wrong, and has a whole copy as
// soon as the database answers.
func TestLocalRowsDamagedWhileStopped(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	dir, whole, want := copyOfDemo(t, url)
	path := filepath.Join(dir, "rows.db")
	away := dbtest.Open(t, "postgres://127.0.0.1:1/x?sslmode=disable")
	store := dbtest.Open(t, url)
	remade := 0
	for name, damage := range damages(100) {
		damaged := damage(whole)
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		c, err := localrows.Open(away, dir, 0, slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, usable := c.Age()
		nothingWrong(t, name, want, ask(t.Context(), c))
		told := strings.Contains(log.String(), "cannot be used, and are made anew")
		if wantTold := !usable && len(damaged) > 0; told != wantTold {
			t.Errorf("%s: usable %v, and the log says %q", name, usable, log.String())
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if !usable {
			remade++
		}
		if remade%40 == 1 {
			isWholeAgain(t, store, dir, want)
		}
	}
	if remade < 30 {
		t.Errorf("only %d of the damages were noticed", remade)
	}
}

func isWholeAgain(t *testing.T, store *table.Store, dir string, want told) {
	t.Helper()
	c := openLocal(t, store, dir)
	defer func() { _ = c.Close() }()
	same(t, "made anew", want, askFollowed(t, c))
}

// Nor does it matter if the server runs: nothing wrong is answered while the database is away, and the local rows are whole again
// at the next look.
func TestLocalRowsDamagedWhileRunning(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	_, _, want := copyOfDemo(t, url)
	store, dir := dbtest.Open(t, url), t.TempDir()
	path := filepath.Join(dir, "rows.db")
	var log bytes.Buffer
	c, err := localrows.Open(store, dir, 0, slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	same(t, "whole", want, askFollowed(t, c))
	for name, damage := range damages(40) {
		now, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		damaged := damage(now)
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteAt(damaged, 0); err != nil {
			t.Fatal(err)
		}
		if err := file.Truncate(int64(len(damaged))); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		if nothingWrong(t, name, want, ask(t.Context(), c)) == 0 {
			if name != "last page" && !strings.HasPrefix(name, "flip") { // which may be of what nobody reads
				t.Errorf("%s was not noticed", name)
			}
			continue
		}
		log.Reset()
		follow(t, c)
		if !strings.Contains(log.String(), "the file of the local rows are damaged, and is made anew") {
			t.Errorf("%s: the log says %q", name, log.String())
		}
		same(t, name+", made anew", want, ask(t.Context(), c))
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	follow(t, c)
	if _, err := os.Stat(path); err != nil {
		t.Errorf("after it was removed: %v", err)
	}
}

// What else may be in the file's place is dealt with, or is said.
func TestLocalRowsInAnotherPlace(t *testing.T) {
	t.Parallel()
	store := dbtest.Open(t, dbtest.DemoURL(t))
	dir := t.TempDir()
	path := filepath.Join(dir, "rows.db")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	isMadeAnew(t, store, dir)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "theirs"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := localrows.Open(store, dir, 0, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err == nil || !strings.Contains(err.Error(), "something else is in its place, move it away") {
		t.Errorf("a folder that is not empty: %v", err)
	}
}
