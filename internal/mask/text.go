package mask

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// span is text[from:to].
type span struct{ from, to int }

// secretsIn finds the secrets in a text, in order and apart from each other.
func secretsIn(text string) []span {
	switch {
	case strings.Contains(text, "<") && mentionsSecret(text): // XML in XML
		return []span{{0, len(text)}}
	case !strings.ContainsAny(text, "=:("):
		return nil
	}
	return joined(append(assigned(text), inURLs(text)...))
}

// joined sorts spans and makes one of those that touch, without the empty ones.
func joined(all []span) []span {
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var apart []span
	for _, s := range all {
		last := len(apart) - 1
		switch {
		case s.from >= s.to:
		case last >= 0 && s.from <= apart[last].to:
			apart[last].to = max(apart[last].to, s.to)
		default:
			apart = append(apart, s)
		}
	}
	return apart
}

// mentionsSecret reports whether the name of a secret stands in text.
func mentionsSecret(text string) bool {
	notInName := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("_.-", c)
	}
	return slices.ContainsFunc(strings.FieldsFunc(text, notInName), IsSecret)
}

// closing are the brackets around lists of variables, each with its other end.
var closing = map[byte]byte{'{': '}', '[': ']', '(': ')'}

// assigned finds what stands behind the name of a secret and = or a colon: up to the end of the brackets around it, as
// FreeSWITCH finds that end, or else of the text. A comma in a secret is not to be told from one behind it.
func assigned(text string) []span {
	var all []span
	var open []byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '{', '[', '(':
			open = append(open, c)
		case '}', ']', ')':
			if last := len(open) - 1; last >= 0 && closing[open[last]] == c {
				open = open[:last]
			}
		case '=', ':':
			if !namesSecret(text[:i]) {
				continue
			}
			bracket := byte(0)
			if len(open) > 0 {
				bracket = open[len(open)-1]
			}
			s := trimmed(text, span{i + 1, endOf(text, i+1, bracket)})
			all = append(all, s)
			i = max(i, s.to-1)
		}
	}
	return all
}

var lastName = regexp.MustCompile(`([?&]?)([A-Za-z0-9_.\-]+)["']?\s*$`)

// namesSecret reports whether what stands before a = or colon ends in a secret's name.
func namesSecret(before string) bool {
	const most = 200 // bytes of a name
	found := lastName.FindStringSubmatch(before[max(0, len(before)-most):])
	if found == nil {
		return false
	}
	inQuery := found[1] != "" && slices.Contains([]string{"key", "sig", "signature", "auth"}, strings.ToLower(found[2]))
	return inQuery || IsSecret(found[2])
}

// endOf finds where the brackets around text[from:] end. A quoted value may hold their end.
func endOf(text string, from int, bracket byte) int {
	if bracket == 0 {
		return len(text)
	}
	at := from
	if quote := strings.TrimLeft(text[from:], " "); quote != "" && (quote[0] == '\'' || quote[0] == '"') {
		at = len(text) - len(quote) + 1
		at += strings.IndexByte(text[at:], quote[0]) + 1
	}
	for depth := 1; at < len(text); at++ {
		switch text[at] {
		case bracket:
			depth++
		case closing[bracket]:
			if depth--; depth == 0 {
				return at
			}
		}
	}
	return len(text)
}

// trimmed is s without blanks around it.
func trimmed(text string, s span) span {
	inside := text[s.from:s.to]
	s.from += len(inside) - len(strings.TrimLeft(inside, " \t\r\n"))
	s.to -= len(inside) - len(strings.TrimRight(inside, " \t\r\n"))
	return s
}

var (
	// authority is what stands behind :// of a URL, up to the last @ before its path. A password that is wrongly not
	// escaped may hold what begins a path.
	authority = regexp.MustCompile(`://([^\s/?#]*)@|://([^\s/?#@:]*:[^\s@/?#]*[^\s@/?#0-9][^\s@]*)@`)
	// sipPassword is the password in a SIP URI: sip:user:password@host.
	sipPassword = regexp.MustCompile(`(?i)\bsips?:[^\s@:/]*:([^\s@/]*)@`)
	// conferencePIN is what stands behind the first + of a conference's data: name@profile+pin+flags{…}.
	conferencePIN = regexp.MustCompile(`(?i)\bconference[:(]\s*[^\s+,)']*\+([^+,)']*)`)
)

// inURLs finds the credentials of URLs, and what else is known by its place.
func inURLs(text string) []span {
	var all []span
	for _, pattern := range []*regexp.Regexp{authority, sipPassword, conferencePIN} {
		for _, found := range pattern.FindAllStringSubmatchIndex(text, -1) {
			for i := 2; i < len(found); i += 2 {
				if found[i] >= 0 {
					all = append(all, span{found[i], found[i+1]})
				}
			}
		}
	}
	return all
}

// takesPIN reports whether the data of an application of the dialplan may hold a PIN.
func takesPIN(application string) bool {
	return strings.EqualFold(strings.TrimSpace(application), "conference")
}

// pinOf finds the PIN in the data of application conference.
func pinOf(data string) []span {
	_, behind, _ := strings.Cut(data, "+")
	pin, _, _ := strings.Cut(behind, "+flags{")
	if strings.HasPrefix(behind, "flags{") || pin == "" {
		return nil
	}
	from := len(data) - len(behind)
	return []span{{from, from + len(pin)}}
}
