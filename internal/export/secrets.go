package export

import (
	"crypto/rand"
	"regexp"
	"strings"

	"xmlcurld/internal/mask"
)

// maskerUnless is what finds secrets, nil if they stay.
func maskerUnless(withSecrets bool) (*mask.Masker, error) {
	if withSecrets {
		return nil, nil
	}
	return mask.New(rand.Reader)
}

// eventSocketFile is the one file without whose secret nothing else in it may stand: FreeSWITCH would listen with its built-in
// password, which everybody knows, wherever the file says. Without anything it listens on loopback.
const eventSocketFile = "autoload_configs/event_socket.conf.xml"

// withoutSecrets is a file without the lines that hold a secret, each with a remark in its place. Nothing else takes it: a
// placeholder would be a password that everybody knows. FreeSWITCH lets nobody in who has none, since each domain says so.
func (w *writer) withoutSecrets(path, content string) string {
	masked := strings.Split(string(w.masker.Document([]byte(content))), "\n")
	lines := strings.Split(content, "\n")
	count := len(w.Cut)
	for i, line := range lines {
		if line == masked[i] {
			continue
		}
		e := &element{tag: strings.TrimSpace(line)}
		name := e.title()
		w.Cut = append(w.Cut, Left{path, name})
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		if strings.HasSuffix(line, "/>") || strings.Contains(line, "</") {
			lines[i] = indent + "<!-- a secret is left out: " + strings.ReplaceAll(name, "--", "- -") + " -->"
		} else {
			lines[i] = markedAttribute.ReplaceAllString(masked[i], "")
		}
	}
	if path == eventSocketFile && len(w.Cut) > count {
		return "<include>\n  <!-- a secret is left out, and all else with it, so that FreeSWITCH listens on loopback only -->\n" +
			"  <configuration name=\"event_socket.conf\"/>\n</include>\n"
	}
	return strings.Join(lines, "\n")
}

// markedAttribute is an attribute in which the mask left its mark.
var markedAttribute = regexp.MustCompile(` [\w:.-]+="[^"]*secret:[0-9a-f]{8}[^"]*"`)

// title is an element's name, and what it is about.
func (e *element) title() string {
	name := e.tag[1 : 1+strings.IndexAny(e.tag[1:], " />")]
	if variable, _, ok := strings.Cut(e.attr("data"), "="); ok && name == "X-PRE-PROCESS" {
		return "variable " + variable
	}
	for _, says := range []string{"name", "application", "id"} {
		if value := e.attr(says); value != "" {
			return name + " " + value
		}
	}
	return name
}
