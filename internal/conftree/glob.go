package conftree

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// wild tells whether a path is a pattern for glob.
func wild(path string) bool { return strings.ContainsAny(path, `*?[\`) }

// glob returns the paths a pattern stands for, in the order of their bytes, as glob(3) in the C locale does, which FreeSWITCH
// asks: a leading dot is only matched by itself, and a folder that cannot be read is an error.
func glob(pattern string) ([]string, error) {
	found := []string{""}
	for _, part := range strings.SplitAfter(pattern, "/") {
		name := strings.TrimRight(part, "/")
		slash := part[len(name):]
		if !wild(name) {
			found = exist(found, part)
			continue
		}
		var next []string
		for _, dir := range found {
			names, err := list(dir)
			if err != nil {
				return nil, err
			}
			for _, n := range names {
				if (n[0] != '.' || name[0] == '.') && match(name, n) {
					next = append(next, dir+n+slash)
				}
			}
		}
		found = exist(next, "")
	}
	slices.Sort(found)
	return found, nil
}

// exist returns the paths with part behind them that are there.
func exist(paths []string, part string) (found []string) {
	for _, path := range paths {
		path += part
		if path == "" {
			found = append(found, path)
		} else if _, err := os.Lstat(path); err == nil {
			found = append(found, path)
		}
	}
	return found
}

func list(dir string) (names []string, err error) {
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
			return nil, nil
		}
		return nil, err
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}

// match tells whether a name is one a pattern stands for: * any characters, ? one, [a-z] or [!a-z] one of some, \ the next one.
func match(pattern, name string) bool {
	p, n := 0, 0
	star, after := -1, 0 // the last * and where in name what follows it was tried
	for n < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			star, after = p, n
			p++
			continue
		}
		if width, ok := matchOne(pattern[p:], name[n]); ok {
			p += width
			n++
			continue
		}
		if star < 0 {
			return false
		}
		after++
		p, n = star+1, after
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne tells whether a pattern begins with something that stands for c, and how long that is.
func matchOne(pattern string, c byte) (width int, ok bool) {
	if pattern == "" {
		return 0, false
	}
	switch pattern[0] {
	case '?':
		return 1, true
	case '\\':
		if len(pattern) > 1 {
			return 2, pattern[1] == c
		}
	case '[':
		if width, ok, isClass := matchClass(pattern, c); isClass {
			return width, ok
		}
	}
	return 1, pattern[0] == c
}

// matchClass is matchOne for a pattern that begins with [. It is no class if nothing closes it.
func matchClass(pattern string, c byte) (width int, ok, isClass bool) {
	i := 1
	not := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if not {
		i++
	}
	for first := i; i < len(pattern); i++ {
		if pattern[i] == ']' && i > first {
			return i + 1, ok != not, true
		}
		low := pattern[i]
		high := low
		if i+2 < len(pattern) && pattern[i+1] == '-' && pattern[i+2] != ']' {
			high = pattern[i+2]
			i += 2
		}
		ok = ok || low <= c && c <= high
	}
	return 0, false, false
}
