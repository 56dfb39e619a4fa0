package nodes

import (
	"html"
	"iter"
	"strings"
)

// elements are the insides of all elements of a name, one after the other, in a reply of xmlstatus. None stands in another of
// its name. With ten thousand gateways such a reply has megabytes: a decoder would take most of a second for it.
func elements(reply, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, rest, ok := strings.Cut(reply, "<"+name+">")
			inside, after, closed := strings.Cut(rest, "</"+name+">")
			if !ok || !closed || !yield(inside) {
				return
			}
			reply = after
		}
	}
}

// textOf is the text of the first element of a name, or nothing.
func textOf(xml, name string) string {
	for text := range elements(xml, name) {
		return html.UnescapeString(text)
	}
	return ""
}
