package trace

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode"
)

const timeOfLine = "2006-01-02 15:04:05.000"

// Print writes a line for people to read.
func (l *Line) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s ", l.Time.Format(timeOfLine))
	switch {
	case l.Exchange != nil:
		l.Exchange.print(&b)
	case l.Until != nil:
		fmt.Fprintf(&b, "the trace begins, and ends at %s UTC\n", l.Until.Format(timeOfLine))
	case l.Lost > 0:
		fmt.Fprintf(&b, "%d lost: they were not read fast enough\n", l.Lost)
	default:
		fmt.Fprintf(&b, "the trace ends: %s\n", l.End)
	}
	_, err := io.WriteString(w, visible(b.String()))
	return err
}

func (x *Exchange) print(b *strings.Builder) {
	fmt.Fprintf(b, "%s %s %s: %s, %d, %.3f ms, %s, %d bytes\n", x.Node, x.Section, x.what(), x.Result, x.Status, x.TookMS, x.freshness(), x.Bytes)
	for _, name := range told {
		if value := x.Fields[name]; value != "" {
			fmt.Fprintf(b, "    %s: %s\n", name, oneLine(value))
		}
	}
	for _, note := range x.notes() {
		fmt.Fprintf(b, "    %s\n", oneLine(note))
	}
	for line := range strings.Lines(x.Answer) {
		fmt.Fprintf(b, "  %s\n", strings.TrimRight(line, "\r\n"))
	}
	b.WriteString("\n")
}

// what is asked for, in a few words.
func (x *Exchange) what() string {
	text := cmp.Or(x.Asked, x.Kind)
	switch {
	case x.Section == "dialplan":
		text = x.Number + " in " + x.Context
	case x.Section == "directory" && x.User != "":
		text = x.User
	}
	return oneLine(text)
}

func (x *Exchange) freshness() string {
	if x.Stale {
		return fmt.Sprintf("stale by %.0f s", x.AgeSeconds)
	}
	return "fresh"
}

func (x *Exchange) notes() (all []string) {
	add := func(is bool, text string) {
		if is {
			all = append(all, text)
		}
	}
	add(x.Section == "dialplan" && x.User != "", "calls as: "+x.User)
	add(x.Says != "", "says that it is node "+x.Says)
	add(x.NodeUnknown, "the node has no row of its own")
	add(x.Cause != "", "stale because: "+x.Cause)
	add(x.Error != "", "because: "+x.Error)
	for _, text := range x.Withheld {
		add(true, "withheld: "+text)
	}
	add(x.Cut, "only the beginning of the answer:")
	return all
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// visible is text without what a terminal would act on.
func visible(text string) string {
	return strings.Map(func(c rune) rune {
		if c != '\n' && c != '\t' && unicode.IsControl(c) {
			return unicode.ReplacementChar
		}
		return c
	}, text)
}
