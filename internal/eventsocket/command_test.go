package eventsocket

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		command Command
		want    bool
	}{
		{"no arguments", Command{"reloadacl"}, true},
		{"arguments", Command{"sofia", "profile", "external", "killgw", "carrier-1.example"}, true},
		{"letters of the world", Command{"user_exists", "id", "jürgen", "例え.example"}, true},
		{"signs", Command{"acl", "2001:db8::1/64", `"a"`, "--", ";;", "$a", "{}", "a^^b", "|", "a=b,c"}, true},
		{"reload of another module", Command{"reload", "mod_acl"}, true},
		{"reload of the event socket", Command{"reload", "mod_event_socket"}, true},
		{"unload of the event socket", Command{"unload", "mod_event_socket"}, true},
		{"question about the event socket", Command{"module_exists", "mod_event_socket"}, true},
		{"the longest line", Command{"echo", strings.Repeat("x", lineLimit-len("api echo \n\n"))}, true},

		{"nothing", nil, false},
		{"no name", Command{""}, false},
		{"two words as a name", Command{"sofia status"}, false},
		{"a line end in the name", Command{"status\n\napi"}, false},
		{"a comment as a name", Command{"..."}, false},
		{"a second command", Command{"acl", "1.2.3.4\n\napi shutdown"}, false},
		{"a header", Command{"status", "x\nconsole_execute: true"}, false},
		{"a body", Command{"status", "x\nContent-Length: 5"}, false},
		{"CR", Command{"status", "x\r"}, false},
		{"NUL", Command{"status", "x\x00y"}, false},
		{"tab", Command{"status", "x\ty"}, false},
		{"DEL", Command{"status", "x\x7f"}, false},
		{"a blank", Command{"sofia", "profile", "external", "killgw", "a b"}, false},
		{"a blank before", Command{"status", " a"}, false},
		{"a blank after", Command{"status", "a "}, false},
		{"an empty argument", Command{"sofia", "profile", "", "rescan"}, false},
		{"a quote", Command{"acl", "O'Brien", "x"}, false},
		{"quotes", Command{"acl", "'x'"}, false},
		{"a backslash", Command{"acl", `a\sb`}, false},
		{"a backslash at the end", Command{"acl", `a\`, "b"}, false},
		{"a separator", Command{"acl", "^^:a:b"}, false},
		{"a variable", Command{"acl", "${system rm}"}, false},
		{"a global variable", Command{"acl", "x$${password}"}, false},
		{"a variable in a variable", Command{"acl", "${sys${x}tem rm}"}, false},
		{"a line too long", Command{"echo", strings.Repeat("x", lineLimit-len("api echo \n\n")+1)}, false},
		{"many long arguments", append(Command{"echo"}, slices.Repeat([]string{"12345678"}, lineLimit/8)...), false},
		{"bgapi", Command{"bgapi", "status"}, false},
		{"BGAPI", Command{"BGAPI", "status"}, false},
		{"sched_api", Command{"sched_api", "+1", "none", "status"}, false},
		{"eval", Command{"eval", "x"}, false},
		{"expand", Command{"expand", "status"}, false},
		{"xml_wrap", Command{"xml_wrap", "status"}, false},
		{"a gateway's name that reloads", Command{"sofia", "profile", "x", "killgw", "reload-Mod_Event_Socket"}, false},
		{"words that unload", Command{"acl", "UNLOAD", "mod_event_socket"}, false},
		{"a flag that would be lost", Command{"reload", "-f", "mod_event_socket"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := tc.command.Check()
			if (err == nil) != tc.want || err != nil && !errors.Is(err, ErrArgument) {
				t.Errorf("got %v", err)
			}
			if err == nil {
				taken(t, tc.command)
			}
		})
	}
}

// FuzzCheck looks for a command that is accepted and that FreeSWITCH takes as anything else.
func FuzzCheck(f *testing.F) {
	f.Add("status", "x", "y")
	f.Add("acl", "1.2.3.4\n\napi shutdown", "\r\n")
	f.Add("reload", "mod_event_socket", "\\")
	f.Add("sofia", "'a b'", "^^:a:b")
	f.Fuzz(func(t *testing.T, name, first, second string) {
		c := Command{name, first, second}
		if c.Check() == nil {
			taken(t, c)
		}
	})
}

// taken fails unless FreeSWITCH takes c's line as one frame of c's words.
func taken(t *testing.T, c Command) {
	t.Helper()
	if diff := cmp.Diff([]string{"api " + c.String()}, packets(c.line())); diff != "" {
		t.Errorf("frames: %s", diff)
	}
	if diff := cmp.Diff([]string(c[1:]), separated(strings.Join(c[1:], " ")), cmp.Transformer("", noNil)); diff != "" {
		t.Errorf("arguments: %s", diff)
	}
}

func noNil(words []string) []string { return append([]string{}, words...) }

// packets tells frames apart as mod_event_socket does, which reads byte by byte: line ends before a frame are dropped,
// two of them end it, CRs between them or not.
func packets(wire string) []string {
	var all []string
	var frame strings.Builder
	ends := 0
	for i := range len(wire) {
		b := wire[i]
		if frame.Len() == 0 && (b == '\r' || b == '\n') {
			continue
		}
		frame.WriteByte(b)
		switch b {
		case '\n':
			ends++
		case '\r':
		default:
			ends = 0
		}
		if ends == 2 {
			all = append(all, strings.TrimSuffix(frame.String(), "\n\n"))
			frame.Reset()
			ends = 0
		}
	}
	if frame.Len() > 0 {
		all = append(all, "unfinished: "+frame.String())
	}
	return all
}

// separated splits words as FreeSWITCH's switch_separate_string does at blanks.
func separated(text string) []string {
	if len(text) > 3 && strings.HasPrefix(text, "^^") {
		return strings.Split(text[3:], text[2:3])
	}
	var words []string
	var word strings.Builder
	begun, quoted := false, false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '\\' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
			begun = true
		case b == '\'':
			quoted, begun = !quoted, true
		case b == ' ' && !quoted:
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		case b == 0:
			i = len(text)
		default:
			word.WriteByte(b)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}
