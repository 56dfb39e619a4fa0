package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress tells on one line of a terminal how far something is.
type progress struct {
	w    io.Writer // nil: there is no terminal
	last time.Time
	told bool
}

// progressPause is between two tellings.
const progressPause = 100 * time.Millisecond

func newProgress(w io.Writer) *progress {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return &progress{w: w}
		}
	}
	return new(progress)
}

// files tells how much was read.
func (p *progress) files(files int, bytes int64) {
	if p.w == nil || time.Since(p.last) < progressPause {
		return
	}
	p.last, p.told = time.Now(), true
	fmt.Fprintf(p.w, "\r%d files, %.1f MB read\x1b[K", files, float64(bytes)/1e6)
}

// end clears the line.
func (p *progress) end() {
	if p.told {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
