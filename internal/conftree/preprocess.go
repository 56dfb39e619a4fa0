package conftree

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// maxRun is how long a command of exec may run.
const maxRun = time.Minute

// expanded is a text whose variables are replaced, and where their values stand.
type expanded struct {
	text   string
	values []valueAt
}

type valueAt struct {
	span
	name string
}

// part returns a part of a text.
func (e expanded) part(start, end int) expanded {
	p := expanded{text: e.text[start:end]}
	for _, v := range e.values {
		if start <= v.start && v.end <= end {
			p.values = append(p.values, valueAt{span{v.start - start, v.end - start}, v.name})
		}
	}
	return p
}

// raw returns a text with $${name} for the values of variables.
func (e expanded) raw() string {
	var b strings.Builder
	done := 0
	for _, v := range e.values {
		b.WriteString(e.text[done:v.start] + "$${" + v.name + "}")
		done = v.end
	}
	return b.String() + e.text[done:]
}

// indexFold is where something stands in a text in any case, -1 if it does not.
func indexFold(text, lower string) int {
	for i := 0; i+len(lower) <= len(text); i++ {
		if strings.EqualFold(text[i:i+len(lower)], lower) {
			return i
		}
	}
	return -1
}

// line does what FreeSWITCH does with a line: it replaces the variables and follows a directive, or hands the line on.
func (r *reader) line(at Place, raw string) error {
	found := references(raw)
	line, err := r.expand(at, raw, found)
	if err != nil {
		return err
	}
	head := raw // what FreeSWITCH looks at here ends with its first variable
	if found != nil {
		head = raw[:found[0].end-1]
	}
	if strings.Contains(head, "<include>") || strings.Contains(head, "</include>") || strings.Contains(head, "<?") {
		if strings.TrimSpace(dropped.ReplaceAllString(raw, "")) != "" && !r.comment && !r.parser.inComment() {
			r.note(at, raw, "a line with <include> or <? is dropped as a whole")
		}
		return nil
	}
	if r.comment {
		_, behind, ends := strings.Cut(head, "-->")
		if found != nil && strings.Contains(raw, "-->") {
			r.note(at, raw, "the comment began with <!--#: FreeSWITCH passes over what follows a variable's name in a line that may end it")
		}
		if !ends {
			return nil
		}
		r.comment = false
		line = expanded{text: behind}
	}
	if i := directiveIn(line.text); i >= 0 {
		return r.element(at, line, i)
	}
	if i := strings.Index(line.text, "<!--#"); i >= 0 {
		return r.commented(at, line, i)
	}
	return r.parser.add(at, line)
}

// dropped is what nobody misses of a line that is dropped.
var dropped = regexp.MustCompile(`</?include>|<\?.*?(\?>|$)|<!--.*?-->`)

// directiveIn is where X-PRE-PROCESS stands in a line, in any case; -1 if it does not.
func directiveIn(line string) int {
	for done := 0; ; {
		i := strings.IndexByte(line[done:], '-')
		if i < 0 {
			return -1
		}
		done += i + 1
		if done >= 2 && indexFold(line[done-2:min(len(line), done+len("pre-process"))], "x-pre-process") == 0 {
			return done - 2
		}
	}
}

// expand replaces the variables of a line.
func (r *reader) expand(at Place, raw string, found []span) (expanded, error) {
	r.buffer = max(r.buffer, (len(raw)+2+1023)/1024*1024)
	if found == nil {
		return expanded{text: raw}, nil
	}
	var b strings.Builder
	line := expanded{values: make([]valueAt, 0, len(found))}
	done := 0
	for _, f := range found {
		b.WriteString(raw[done:f.start])
		start, name := b.Len(), raw[f.start+3:f.end-1]
		value, _ := r.tree.variables.at(r.tree.variables.times, name)
		b.WriteString(value)
		line.values = append(line.values, valueAt{span{start, b.Len()}, name})
		done = f.end
	}
	b.WriteString(raw[done:])
	line.text = b.String()
	if longest := 2*r.buffer - 2; len(line.text) > longest {
		return line, &Error{at, fmt.Sprintf("the line is longer than %d bytes once its variables are replaced, and FreeSWITCH cuts it: break it", longest)}
	}
	return line, nil
}

// element follows a directive <X-PRE-PROCESS cmd="…" data="…"/>. Everything else on its line is lost.
func (r *reader) element(at Place, line expanded, i int) error {
	if i == 0 || line.text[i-1] != '<' {
		if !r.parser.inComment() {
			r.note(at, line.raw(), "a line that names X-PRE-PROCESS is dropped as a whole")
		}
		return nil
	}
	end := len(line.text)
	if e := strings.Index(line.text[i:], "/>"); e >= 0 {
		end = i + e + len("/>")
	}
	r.noteBeside(at, line, i-1, end)
	line = line.part(i, end)
	command, rest, ok := quoted(line, "cmd")
	if ok {
		line, _, ok = quoted(rest, "data")
	}
	if !ok {
		r.note(at, line.raw(), `the directive is passed over: FreeSWITCH wants cmd="…" and then data="…" in double quotes, on one line`)
		return nil
	}
	known, err := r.directive(at, command.text, line)
	if !known {
		r.note(at, command.raw(), "FreeSWITCH knows no such directive and passes it over")
	}
	return err
}

// noteBeside tells of what stands on the line of a directive, from start up to end.
func (r *reader) noteBeside(at Place, line expanded, start, end int) {
	before, after := line.text[:start], line.text[end:]
	if strings.LastIndex(before, "<!--") > strings.LastIndex(before, "-->") || r.parser.inComment() {
		r.note(at, line.text[start:end], "FreeSWITCH follows a directive in a comment, too")
		return
	}
	if beside := dropped.ReplaceAllString(before+after, ""); strings.TrimSpace(beside) != "" {
		r.note(at, beside, "what stands beside a directive on its line is dropped")
	}
}

// quoted finds what stands in double quotes behind a name and an equals sign. rest is what follows it.
func quoted(text expanded, name string) (value, rest expanded, ok bool) {
	done := 0
	for _, next := range []string{name, "=", `"`} {
		i := indexFold(text.text[done:], next)
		if i < 0 {
			return value, rest, false
		}
		done += i
	}
	done++
	end := strings.IndexByte(text.text[done:], '"')
	if end < 0 {
		return text.part(done, len(text.text)), expanded{}, true
	}
	return text.part(done, done+end), text.part(done+end+1, len(text.text)), true
}

// commented follows a directive <!--#set …-->, or passes over such a comment, which may go on in the next lines.
func (r *reader) commented(at Place, line expanded, i int) error {
	if err := r.parser.add(at, line.part(0, i)); err != nil {
		return err
	}
	end := len(line.text)
	if e := strings.Index(line.text[i:], "-->"); e >= 0 {
		end = i + e
		if err := r.parser.add(at, line.part(end+len("-->"), len(line.text))); err != nil {
			return err
		}
	} else {
		r.comment = true
	}
	line = line.part(i+len("<!--#"), end)
	line = line.part(0, len(strings.TrimRight(line.text, "\r\n")))
	space := strings.IndexByte(line.text, ' ')
	if space < 0 {
		return nil
	}
	command, argument := line.text[:space], line.part(space+1, len(line.text))
	if open := strings.IndexByte(argument.text, '"'); open >= 0 {
		if closing := strings.IndexByte(argument.text[open+1:], '"'); closing >= 0 {
			argument = argument.part(open+1, open+1+closing)
		}
	}
	if strings.EqualFold(command, "env-set") {
		return nil // only the element knows it
	}
	_, err := r.directive(at, command, argument)
	return err
}

// directive does what a directive says.
func (r *reader) directive(at Place, command string, data expanded) (known bool, err error) {
	switch command = strings.ToLower(command); command {
	case "include":
		_, unset := r.tree.variables.expand(r.tree.variables.times, data.raw())
		return true, r.include(at, data.text, unset)
	case "exec":
		output, err := r.run(at, command, data)
		if err != nil {
			return true, err
		}
		return true, r.parser.add(at, expanded{text: output})
	case "set", "env-set", "stun-set", "exec-set":
		return true, r.variable(at, command, data)
	}
	return false, nil
}

// variable sets a variable. data is its name, an equals sign and what the command makes a value of.
func (r *reader) variable(at Place, command string, data expanded) error {
	equals := strings.IndexByte(data.text, '=')
	if equals < 0 {
		r.note(at, data.raw(), "the directive is passed over: it has no name=value")
		return nil
	}
	name := data.text[:equals]
	value := data.part(equals+1, len(data.text))
	if command != "env-set" {
		name = strings.TrimRight(name, " ")
		value = value.part(len(value.text)-len(strings.TrimLeft(value.text, " ")), len(value.text))
	}
	if strings.Contains(name, "[") {
		r.note(at, data.raw(), "a variable that is an array is not read: give it a name without [")
		return nil
	}
	v := Variable{Place: at, Name: name, Value: value.raw(), Command: command}
	switch command {
	case "set":
		_, unset := r.tree.variables.expand(r.tree.variables.times, v.Value)
		for _, name := range unset {
			r.parser.use(name, at)
		}
		v.Holds = r.tree.variables.set(name, value.text, unset)
	case "exec-set":
		output, err := r.run(at, command, value)
		if err != nil {
			return err
		}
		if output == "" {
			return nil
		}
		v.Holds = r.tree.variables.set(name, strings.TrimRight(output, " \n"), nil)
	case "env-set":
		if !strings.HasPrefix(value.text, "$") {
			r.note(at, data.raw(), "the directive is passed over: FreeSWITCH wants a $ before the name of the environment's variable")
			return nil
		}
		v.Holds = r.told(name)
	case "stun-set":
		v.Holds = r.told(name)
	}
	r.tree.Variables = append(r.tree.Variables, v)
	return nil
}

// told gives a variable that only the switch knows the value it has in the globals. Without one it keeps what it has, as it does if
// the environment lacks the value or no server answers.
func (r *reader) told(name string) string {
	for global, value := range r.Globals {
		if strings.EqualFold(global, name) {
			return r.tree.variables.set(name, value, nil)
		}
	}
	return r.tree.variables.doubt(name)
}

// run runs a command and returns what it prints.
func (r *reader) run(at Place, directive string, command expanded) (string, error) {
	if !r.Exec {
		return "", &Error{at, fmt.Sprintf("%s runs the command %q on this machine: allow it with --exec", directive, command.text)}
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxRun)
	defer cancel()
	var output bytes.Buffer
	sh := exec.CommandContext(ctx, "/bin/sh", "-c", command.text)
	sh.Stdout = &output
	sh.WaitDelay = time.Second
	reason := "was run"
	if err := sh.Run(); err != nil {
		reason = fmt.Sprintf("was run and ended with an error: %v", err)
	}
	if ctx.Err() != nil {
		return "", &Error{at, fmt.Sprintf("the command %q ran longer than %s", command.text, maxRun)}
	}
	if bytes.IndexByte(output.Bytes(), 0) >= 0 {
		return "", &Error{at, fmt.Sprintf("the command %q printed a NUL character", command.text)}
	}
	r.note(at, command.raw(), reason)
	return output.String(), nil
}
