package conftree

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

// Root is the file FreeSWITCH begins with.
const Root = "freeswitch.xml"

// What FreeSWITCH bears of a tree, and what nobody wrote by hand.
const (
	maxDepth  = 100     // includes in includes
	maxLine   = 1048574 // bytes
	maxRepeat = 1000    // times that a file is included
	maxBytes  = 1 << 30 // of all files
)

// Options say how to read a tree.
type Options struct {
	// Exec runs the commands of exec and exec-set, as FreeSWITCH does, through sh. Without it, a tree that has one is an error.
	Exec bool
	// Globals are variables from outside the tree. They name what only the switch knows, as local_ip_v4 and hostname, and its
	// folders, as base_dir and sound_prefix, if they are not below the folder above the tree. With conf_dir, an include below
	// that folder is looked for in the tree.
	Globals map[string]string
	// Progress is told after each file how many were read, and how many bytes.
	Progress func(files int, bytes int64)
}

// Read reads the tree in a folder. What FreeSWITCH does not start with, or cannot have been meant, is an *Error.
func Read(dir string, options Options) (*Tree, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the tree: %w", err)
	}
	tree := &Tree{Dir: dir, variables: newVariables(dir, options.Globals)}
	r := &reader{Options: options, tree: tree, parser: newParser(tree), reads: map[string]int{}}
	if err := r.file(Place{Root, 1}, filepath.Join(dir, Root)); err != nil {
		return nil, err
	}
	if err := r.parser.finish(); err != nil {
		return nil, err
	}
	r.noteLate()
	return tree, nil
}

// reader is the preprocessor.
type reader struct {
	Options
	tree    *Tree
	parser  *parser
	open    []string // the files that include one another, the last one being read
	reads   map[string]int
	comment bool // in a <!--# comment that a later line ends
	buffer  int  // of FreeSWITCH for the lines of the file, bytes
	files   int
	bytes   int64
}

// file reads a file that something at from includes.
func (r *reader) file(from Place, path string) error {
	for i, p := range r.open {
		if p == path {
			return &Error{from, "include loop: " + r.loop(i) + r.name(path)}
		}
	}
	if len(r.open) > maxDepth {
		return &Error{from, fmt.Sprintf("includes are nested deeper than %d files, which FreeSWITCH does not follow", maxDepth)}
	}
	if r.reads[path]++; r.reads[path] > maxRepeat {
		return &Error{from, fmt.Sprintf("%s is included more than %d times", r.name(path), maxRepeat)}
	}
	data, err := r.contents(from, path)
	if err != nil {
		return err
	}
	comment, buffer := r.comment, r.buffer
	r.comment, r.buffer = false, 0
	r.open = append(r.open, path)
	if err := r.lines(r.name(path), data); err != nil {
		return err
	}
	r.open = r.open[:len(r.open)-1]
	r.comment, r.buffer = comment, buffer
	if r.Progress != nil {
		r.Progress(r.files, r.bytes)
	}
	return nil
}

// loop writes how the open files from the i-th on include one another.
func (r *reader) loop(i int) string {
	var b strings.Builder
	for _, path := range r.open[i:] {
		b.WriteString(r.name(path) + " includes ")
	}
	return b.String()
}

// name is what places call a file.
func (r *reader) name(path string) string {
	if name, err := filepath.Rel(r.tree.Dir, path); err == nil {
		return filepath.ToSlash(name)
	}
	return path
}

func (r *reader) contents(from Place, path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(r.open) == 0:
		return "", &Error{from, "there is no such file in " + r.tree.Dir + ": name the folder that holds " + Root}
	case errors.Is(err, fs.ErrNotExist):
		r.note(from, r.name(path), "the link leads nowhere: FreeSWITCH reads nothing")
		return "", nil
	case err != nil:
		return "", &Error{from, fmt.Sprintf("cannot read %s: %v", r.name(path), err)}
	case info.IsDir():
		r.note(from, r.name(path), "it is a folder: FreeSWITCH reads nothing")
		return "", nil
	case !info.Mode().IsRegular():
		return "", &Error{from, r.name(path) + " is not a regular file"}
	case r.bytes+info.Size() > maxBytes:
		return "", &Error{from, fmt.Sprintf("the tree has more than %d bytes", maxBytes)}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", &Error{from, fmt.Sprintf("cannot read %s: %v", r.name(path), err)}
	}
	r.files++
	r.bytes += int64(len(data))
	return string(data), nil
}

// lines hands over the lines of a file one by one. FreeSWITCH ends them at \n and at \r.
func (r *reader) lines(name, data string) error {
	for at := (Place{name, 1}); data != ""; {
		end := strings.IndexAny(data, "\r\n") + 1
		if end == 0 {
			end = len(data)
		}
		line := data[:end]
		data = data[end:]
		if strings.Contains(line, "\x00") {
			return &Error{at, "holds a NUL character: FreeSWITCH reads UTF-8; if this is UTF-16, save it as UTF-8"}
		}
		if len(line) > maxLine {
			return &Error{at, fmt.Sprintf("the line is longer than %d bytes, and FreeSWITCH loses some: break it", maxLine)}
		}
		if err := r.line(at, line); err != nil {
			return err
		}
		if line[end-1] == '\n' || line[end-1] == '\r' && !strings.HasPrefix(data, "\n") {
			at.Line++
		}
	}
	return nil
}

func (r *reader) note(at Place, what, reason string) {
	r.tree.Notes = append(r.tree.Notes, Note{at, strings.TrimSpace(what), reason})
}

// noteLate tells of variables that are used before the only directives that set them: FreeSWITCH puts nothing for them at its
// start, and the value after reloadxml.
func (r *reader) noteLate() {
	for _, name := range slices.Sorted(maps.Keys(r.parser.unset)) {
		values := r.tree.variables.given[strings.ToLower(name)]
		if len(values) > 0 && len(values[len(values)-1].unknown) == 0 {
			r.note(r.parser.unset[name], "$${"+name+"}", "it is set further on: FreeSWITCH puts nothing for it at its start, and the value after a reloadxml")
		}
	}
}

// include reads the files a pattern names, from the folder of the file that includes them.
func (r *reader) include(at Place, pattern string, unset []string) error {
	if strings.HasPrefix(pattern, "{") {
		return &Error{at, "FreeSWITCH takes what begins with { for parameters of a file: name the file by its path"}
	}
	if !strings.HasPrefix(pattern, "/") && !strings.Contains(pattern, "://") {
		pattern = escape(filepath.Dir(r.open[len(r.open)-1])) + "/" + pattern
	}
	found, err := glob(r.moved(pattern))
	if err != nil {
		return &Error{at, fmt.Sprintf("cannot include %s: %v", pattern, err)}
	}
	if len(found) == 0 && len(unset) > 0 {
		return &Error{at, fmt.Sprintf("there is no file %s: nobody has set %s, so give it a value", pattern, strings.Join(unset, ", "))}
	}
	if len(found) == 0 && !wild(pattern) {
		return &Error{at, "there is no file " + r.name(pattern) + ", which FreeSWITCH passes over: write the file or remove the include"}
	}
	for _, path := range found {
		if err := r.file(at, filepath.Clean(path)); err != nil {
			return err
		}
	}
	return nil
}

// escape writes a path as a pattern for itself.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// moved returns a pattern below the folder conf_dir of the switch as one in the tree.
func (r *reader) moved(pattern string) string {
	dir := strings.TrimSuffix(r.Globals["conf_dir"], "/")
	if rest, ok := strings.CutPrefix(pattern, dir+"/"); ok && dir != "" {
		return escape(r.tree.Dir) + "/" + rest
	}
	return pattern
}
