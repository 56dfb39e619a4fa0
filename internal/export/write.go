package export

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Write writes the tree into a folder, which its owner alone may read: passwords are in it. The folder has to be empty or not to
// exist, unless replace is set and it holds a tree that was written here. The new tree takes its place as a whole: on an error the
// folder is what it was.
func (t *Tree) Write(dir string, replace bool) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	full, err := mayWrite(dir, replace)
	if err != nil {
		return err
	}
	made, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-")
	if err != nil {
		return err
	}
	if err := t.fill(made); err != nil {
		return errors.Join(err, os.RemoveAll(made))
	}
	if full {
		return swap(made, dir)
	}
	if err = os.Remove(dir); err == nil || errors.Is(err, fs.ErrNotExist) { // it may be there, and empty
		err = os.Rename(made, dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(made))
	}
	return nil
}

// mayWrite reports whether the folder holds a tree, and fails if nothing may be written to it.
func mayWrite(dir string, replace bool) (full bool, err error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case len(entries) == 0:
		return false, nil
	case !replace:
		return false, fmt.Errorf("%s is not empty: name a folder that is, or say --replace", dir)
	}
	content, err := os.ReadFile(filepath.Join(dir, root))
	if err != nil || !strings.HasPrefix(string(content), mark) {
		return false, fmt.Errorf("%s holds something that was not exported: name another folder", dir)
	}
	return true, nil
}

func (t *Tree) fill(dir string) error {
	for _, path := range slices.Sorted(maps.Keys(t.Files)) {
		to := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(to, []byte(t.Files[path]), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// swap puts the folder made in the place of dir, which is back where it was if that fails.
func swap(made, dir string) error {
	old := made + ".old"
	if err := os.Rename(dir, old); err != nil {
		return errors.Join(err, os.RemoveAll(made))
	}
	if err := os.Rename(made, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir), os.RemoveAll(made))
	}
	return os.RemoveAll(old)
}
