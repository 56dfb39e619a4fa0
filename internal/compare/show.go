package compare

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// mostShown is how many differences of one document are shown as text.
const mostShown = 20

// Show prints a Result as text: a table of what was compared, and then what differs.
func (r *Result) Show(w io.Writer) error {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DOCUMENT\tCOMPARED\tCOUNT\tDIFFERENT\tEXPLAINED")
	for _, c := range r.Compared {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", c.Document, c.What, c.Count, orDash(c.Differences), orDash(c.Explained))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	r.showKind(&b, Different, "Differences")
	r.showKind(&b, Explained, "Explained: they are meant to be so, or change nothing")
	fmt.Fprintf(&b, "\n%s\n", r.verdict())
	_, err := io.WriteString(w, b.String())
	return err
}

func orDash(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

// verdict is the result in a sentence.
func (r *Result) verdict() string {
	things, differ, explained := 0, 0, 0
	for _, c := range r.Compared {
		things, differ, explained = things+c.Count, differ+c.Differences, explained+c.Explained
	}
	if differ == 0 {
		return fmt.Sprintf("Node %s is told what the tree says: %d things compared, no difference, %d explained.", r.Node, things, explained)
	}
	return fmt.Sprintf("Node %s is not told what the tree says: %d things compared, %d differ, %d explained.", r.Node, things, differ, explained)
}

func (r *Result) showKind(b *strings.Builder, kind, heading string) {
	document, shown, left := "", 0, 0
	rest := func() {
		if left > 0 {
			fmt.Fprintf(b, "  … and %d more: --json has them all\n", left)
		}
	}
	for i := range r.Differences {
		d := &r.Differences[i]
		if d.Kind != kind {
			continue
		}
		if document == "" {
			fmt.Fprintf(b, "\n%s\n", heading)
		}
		if d.Document != document {
			rest()
			document, shown, left = d.Document, 0, 0
			fmt.Fprintf(b, "\n%s\n", document)
		}
		if shown++; shown > mostShown {
			left++
			continue
		}
		d.show(b)
	}
	rest()
}

func (d *Difference) show(b *strings.Builder) {
	fmt.Fprintf(b, "  %s", d.What)
	if d.Count > 1 {
		fmt.Fprintf(b, " (and %d more like it)", d.Count-1)
	}
	fmt.Fprintf(b, ": %s\n", d.Meaning)
	line := func(name, value, at string) {
		if at != "" {
			at = "  (" + at + ")"
		}
		if value != "" || at != "" {
			fmt.Fprintf(b, "    %-7s %s\n", name, strings.TrimSpace(value+at))
		}
	}
	line("tree", d.Tree, d.Place)
	line("server", d.Server, d.Row)
	line("because", d.Reason, "")
}
