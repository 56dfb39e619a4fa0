package eventsocket

import (
	"fmt"
	"strings"
)

// lineLimit bounds one command's line, in bytes. FreeSWITCH cuts one of 10 MiB in two and takes the rest for another.
const lineLimit = 8 << 10

// Command is one api command: its name, then its arguments.
type Command []string

// Check returns ErrArgument for a command that FreeSWITCH would not take as exactly these words. An argument may be data;
// the name and the words that say what to do must come from the program.
//
// Refused are
//
//   - a name that is not of letters, digits and '_';
//   - bgapi, sched_api, eval, expand and xml_wrap: their arguments are a command again, some after expansion;
//   - empty arguments, and blanks in them: words are told apart by blanks alone, so others would move into their place;
//   - control characters: CR, LF and NUL end the line, and what follows would be a header or the next command;
//   - quotes (') and backslashes: FreeSWITCH takes them away where it splits words, and joins what a quote encloses;
//   - "^^" at the start, which sets another separator than the blank;
//   - "${": api itself expands nothing, but some commands do, and some keep what they are given;
//   - over-long lines, which are cut;
//   - "unload" or "reload" together with "mod_event_socket" anywhere in the line: FreeSWITCH does that instead of what
//     the line says. The two commands themselves may be sent. They run in the background, so their reply is a job's id
//     only, and end the connection.
//
// Aliases and ";;" mean something on the console only; double quotes and "--" nothing at all.
func (c Command) Check() error {
	if len(c) == 0 || !wordOf(c[0], "_") {
		return fmt.Errorf("command's name %w", ErrArgument)
	}
	switch strings.ToLower(c[0]) {
	case "bgapi", "sched_api", "eval", "expand", "xml_wrap":
		return fmt.Errorf("%s: command of a command %w", c[0], ErrArgument)
	}
	for _, argument := range c[1:] {
		if reason := refusal(argument); reason != "" {
			return fmt.Errorf("%s: argument %.40q: %s %w", c[0], argument, reason, ErrArgument)
		}
	}
	if len(c.line()) > lineLimit {
		return fmt.Errorf("%s: line of %d bytes %w", c[0], len(c.line()), ErrArgument)
	}
	if c.replaced() {
		return fmt.Errorf("%s: reload or unload of mod_event_socket, said in other words, %w", c[0], ErrArgument)
	}
	return nil
}

// String is the command as an operator would type it.
func (c Command) String() string {
	return strings.Join(c, " ")
}

// line is the command as it is sent.
func (c Command) line() string {
	return "api " + c.String() + "\n\n"
}

// replaced reports whether FreeSWITCH would run an unload or a reload of its event socket in the command's place.
func (c Command) replaced() bool {
	text := strings.ToLower(c.String())
	if text == "reload mod_event_socket" || text == "unload mod_event_socket" {
		return false
	}
	return strings.Contains(text, "mod_event_socket") &&
		(strings.Contains(text, "unload") || strings.Contains(text, "reload"))
}

// refusal says what in argument cannot be sent, or nothing.
func refusal(argument string) string {
	switch {
	case argument == "":
		return "nothing"
	case strings.Contains(argument, "${"):
		return "a variable"
	case strings.HasPrefix(argument, "^^"):
		return "a separator"
	case strings.ContainsAny(argument, ` '\`):
		return "a blank, quote or backslash"
	case strings.ContainsFunc(argument, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "a control character"
	}
	return ""
}

// wordOf reports whether word is of ASCII letters, digits and the characters in others, and not empty.
func wordOf(word, others string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		return !letter && (r < '0' || '9' < r) && !strings.ContainsRune(others, r)
	})
}
