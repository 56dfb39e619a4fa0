//go:build linux

// Package report writes what a measurement came to, in Markdown: figures over several rounds, and bars, which are figures
// that must be reached.
package report

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Report is what a run came to.
type Report struct {
	Text   string
	Missed bool // a bar
}

// New is the report of text and of the bars, which come last.
func New(text string, bars []Bar) Report {
	var out strings.Builder
	out.WriteString(text + "| bar | must be | is | |\n| --- | --- | --- | --- |\n")
	missed := false
	for _, b := range bars {
		verdict := "reached"
		if !b.Reached {
			verdict, missed = "**missed**", true
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", b.What, b.Must, b.Is, verdict)
	}
	return Report{out.String(), missed}
}

var errMissed = errors.New("a bar was missed")

// Show prints the report, and puts it into the file write, if there is one, in the place for its kind. A missed bar is an
// error, if not quick.
func (r Report) Show(write, kind string, quick bool) error {
	fmt.Print(r.Text)
	if write != "" {
		if err := Replace(write, kind, r.Text); err != nil {
			return err
		}
	}
	if r.Missed && !quick {
		return errMissed
	}
	return nil
}

// Replace replaces the results of a kind in file: what stands between the lines <!-- kind --> and <!-- end of kind -->.
func Replace(file, kind, text string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin, end := "<!-- "+kind+" -->\n", "<!-- end of "+kind+" -->\n"
	before, rest, begins := bytes.Cut(content, []byte(begin))
	_, after, ends := bytes.Cut(rest, []byte(end))
	if !begins || !ends {
		return errors.New(file + " has no lines " + strings.TrimSpace(begin) + " and " + strings.TrimSpace(end))
	}
	return os.WriteFile(file, []byte(string(before)+begin+text+end+string(after)), 0o644)
}
