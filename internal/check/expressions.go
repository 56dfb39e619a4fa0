package check

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"xmlcurld/internal/pcre"
)

// fieldOfNumber is the field that holds what was dialled.
const fieldOfNumber = "destination_number"

// expressionRefused finds what PCRE cannot compile. FreeSWITCH then takes the condition for false, and logs it at each call.
func expressionRefused(w *world) (found []Finding, err error) {
	for _, e := range w.expressions {
		if !e.literal() {
			continue
		}
		pattern, err := pcre.Compile(e.Text)
		if err == nil {
			pattern.Close()
			continue
		}
		if refused := new(pcre.Error); errors.As(err, &refused) { // or there is no PCRE on this system
			found = append(found, e.finding(fmt.Sprintf("FreeSWITCH cannot read the expression %s: %s, at character %d, so that it never matches.", e.Text, refused.Reason, refused.Offset),
				`Write a regular expression as Perl has them; a sign that stands for itself has a \ before it, as in ^\+27(\d+)$.`))
		}
	}
	return found, nil
}

// judged returns a check of what expressions look like. It is asked about those that PCRE would be given as they stand.
func judged(judge func(e *expression, s *script) (what, remedy string)) func(*world) ([]Finding, error) {
	return func(w *world) (found []Finding, err error) {
		for i := range w.expressions {
			e := &w.expressions[i]
			if !e.literal() {
				continue
			}
			if what, remedy := judge(e, read(pcre.Read(e.Text).Pattern)); what != "" {
				found = append(found, e.finding(what, remedy))
			}
		}
		return found, nil
	}
}

var (
	dottedAddress = regexp.MustCompile(`d{1,3}[.,]d{1,3}[.,]d{1,3}[.,]d{1,3}`)
	dottedPart    = regexp.MustCompile(`d{1,3}[.,]d{1,3}(?:[.,]d{1,3})*`)
	dottedName    = regexp.MustCompile(`[dl]+[.,](?:[dl]+[.,])*l{2,}`)
	fieldOfHost   = regexp.MustCompile(`(?i)network_addr|host|domain|realm|uri|(^|_)ip\b|_ip}`)
)

// expressionDot finds addresses and domain names whose dots match any character.
func expressionDot(e *expression, s *script) (what, remedy string) {
	var shape strings.Builder // a letter for each part: d a digit, l a letter or dash, a dot that matches anything, a comma for one that does not
	for i, t := range s.parts {
		c := byte(' ')
		switch {
		case t.kind == '.' && !s.repeated(i):
			c = '.'
		case t.kind == escape && t.text == `\.`:
			c = ','
		case t.kind == literal && isDigit(t.text[0]):
			c = 'd'
		case t.kind == literal && (isLetter(t.text[0]) || t.text == "-"):
			c = 'l'
		}
		shape.WriteByte(c)
	}
	patterns := []*regexp.Regexp{dottedAddress}
	if fieldOfHost.MatchString(e.Field) {
		patterns = append(patterns, dottedPart, dottedName)
	}
	for _, p := range patterns {
		for _, at := range p.FindAllStringIndex(shape.String(), -1) {
			if strings.Contains(shape.String()[at[0]:at[1]], ".") {
				looks := s.text(at[0], at[1])
				return fmt.Sprintf("The dots of %s in %s match any character, so that others match, too.", looks, e.Text),
					fmt.Sprintf("Write %s.", strings.ReplaceAll(strings.ReplaceAll(looks, `\.`, "."), ".", `\.`))
			}
		}
	}
	return "", ""
}

// expressionAlternatives finds ^a|b$, which is (^a)|(b$).
func expressionAlternatives(e *expression, s *script) (what, remedy string) {
	all := s.alternatives()
	if len(all) < 2 {
		return "", ""
	}
	first, last := all[0], all[len(all)-1]
	if first.begins && !first.ends && last.ends && !last.begins {
		return fmt.Sprintf("In %s the ^ belongs to the first alternative only and the $ to the last only, so that each matches more than it looks.", e.Text),
			"Put the alternatives into a group: ^(?:a|b)$."
	}
	if e.Field == fieldOfNumber && first.begins && !slices.ContainsFunc(all, func(a alternative) bool { return a.ends }) &&
		slices.ContainsFunc(all, func(a alternative) bool { return !a.begins }) {
		return fmt.Sprintf("In %s the ^ belongs to the first alternative only: the others match anywhere in a number.", e.Text),
			"Put the alternatives into a group: ^(?:a|b)."
	}
	return "", ""
}

// expressionUnanchored finds numbers that match as a part of other numbers.
func expressionUnanchored(e *expression, s *script) (what, remedy string) {
	if e.Field != fieldOfNumber || e.Text == "" || len(s.parts) == 0 {
		return "", ""
	}
	counts := false
	for i, t := range s.parts {
		switch {
		case t.kind == '^' || t.kind == '$' || t.kind == option || t.kind == escape && strings.ContainsAny(t.text[1:2], "AbBzZGK"):
			return "", "" // it says where it begins or ends
		case t.kind == literal && isDigit(t.text[0]) || t.kind == repeat && strings.HasPrefix(t.text, "{"):
			counts = true
		case t.kind == '.' && s.repeated(i):
			return "", "" // it says that something may be around it
		}
	}
	if !counts {
		return "", ""
	}
	return fmt.Sprintf("%s has neither ^ nor $, so that it matches every number that holds it somewhere.", e.Text),
		fmt.Sprintf("Write ^%s$ for the whole number, or ^%s for its beginning.", group(s, e.Text), group(s, e.Text))
}

// group is text, in a group where ^ and $ would otherwise not hold for all of it.
func group(s *script, text string) string {
	if len(s.alternatives()) > 1 {
		return "(?:" + text + ")"
	}
	return text
}

var numberRange = regexp.MustCompile(`^\[(\d+)-(\d+)\]$`)

// expressionClass finds [10-19], which is one character and no range of numbers, and [a|b], in which | is a character.
func expressionClass(e *expression, s *script) (what, remedy string) {
	for _, t := range s.parts {
		if t.kind != class {
			continue
		}
		if m := numberRange.FindStringSubmatch(t.text); m != nil && repeats(m[1], m[2]) {
			return fmt.Sprintf("%s in %s is one character out of a few, and no number from %s to %s.", t.text, e.Text, m[1], m[2]),
				"Write the digits one by one, as in 1[0-9] for 10 to 19."
		}
		if e.Field == fieldOfNumber && strings.Contains(t.text, "|") {
			return fmt.Sprintf("%s in %s is one character, and | is one of them; it does not separate alternatives.", t.text, e.Text),
				"Write (?:10|20) for alternatives, or leave out the | between single characters."
		}
	}
	return "", ""
}

// repeats reports whether the class [from-to] names a character twice, which nobody means who thinks of characters.
func repeats(from, to string) bool {
	low, high := from[len(from)-1], to[0]
	if low >= high {
		return len(from)+len(to) > 2
	}
	others := from[:len(from)-1] + to[1:]
	for i := range len(others) {
		if low <= others[i] && others[i] <= high || strings.Count(others, others[i:i+1]) > 1 {
			return true
		}
	}
	return false
}

// expressionBackslash finds \\d, which is a backslash and a d.
func expressionBackslash(e *expression, s *script) (what, remedy string) {
	for i, t := range s.parts {
		if t.kind == escape && t.text == `\\` && i+1 < len(s.parts) && strings.Contains("dDwWsS.+", s.parts[i+1].text[:1]) {
			pair := t.text + s.parts[i+1].text
			return fmt.Sprintf("%s in %s is a backslash and what follows it, which no number and no name holds.", pair, e.Text),
				fmt.Sprintf("Write %s: in SQL a backslash is not doubled, unless the text begins with E.", pair[1:])
		}
	}
	return "", ""
}

// expressionNever finds a $ with more behind it, and a ^ with something before it.
func expressionNever(e *expression, s *script) (what, remedy string) {
	if strings.Contains(e.Text, "(?m") || strings.Contains(e.Text, "(?s") {
		return "", ""
	}
	for i, t := range s.parts {
		if t.kind == '$' && i+1 < len(s.parts) && s.consumes(i+1) {
			return fmt.Sprintf("Nothing can match %s: $ is the end, and more is to follow.", e.Text), `Write \$ for the sign itself, or leave it out.`
		}
		if t.kind == '^' && i > 0 && s.consumes(i-1) {
			return fmt.Sprintf("Nothing can match %s: ^ is the beginning, and something is to stand before it.", e.Text), `Write \^ for the sign itself, or leave it out.`
		}
	}
	return "", ""
}

// expressionSlashes finds options behind /…/ that mean nothing.
func expressionSlashes(e *expression, _ *script) (what, remedy string) {
	if ignored := pcre.Read(e.Text).Ignored; ignored != "" {
		return fmt.Sprintf("FreeSWITCH takes what stands between the first and the last / of %s for the expression, and ignores %s behind it.", e.Text, ignored),
			"Leave out the slashes, or write /expression/i, where i ignores case and s lets a dot match line ends."
	}
	return "", ""
}

// expressionAsterisk finds what FreeSWITCH reads as a pattern of Asterisk's.
func expressionAsterisk(e *expression, _ *script) (what, remedy string) {
	if source := pcre.Read(e.Text); source.FromAsterisk {
		return fmt.Sprintf("%s begins with _, so that FreeSWITCH reads it as a pattern of Asterisk's: %s.", e.Text, source.Pattern),
			"Write the regular expression itself, if another one is meant."
	}
	return "", ""
}

// expressionContext finds conditions on a context that nobody has.
func expressionContext(w *world) (found []Finding, err error) {
	for _, e := range w.expressions {
		if e.Field != "context" || !e.literal() || e.Table == "document" {
			continue
		}
		pattern, err := pcre.Compile(e.Text)
		if err != nil { // another check tells, or there is no PCRE on this system
			continue
		}
		matches := false
		for _, name := range w.contexts {
			m, err := pattern.Match(name)
			matches = matches || err == nil && m != nil
		}
		pattern.Close()
		if !matches {
			found = append(found, e.finding(fmt.Sprintf("No context matches %s, so that this is never true.", e.Text), "Name a context of table context."))
		}
	}
	return found, nil
}
