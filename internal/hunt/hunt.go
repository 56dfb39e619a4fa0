// Package hunt decides what FreeSWITCH does with a call, from the very document that it is answered: as mod_dialplan_xml looks
// through extensions, and with its oddities. It knows no database.
package hunt

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"xmlcurld/internal/pcre"
)

// Call is what is known of a call when FreeSWITCH looks for what to do with it.
type Call struct {
	Number, Context string
	Fields          map[string]string // of the caller, by the names that conditions use, as caller_id_number
	Variables       map[string]string // of the channel
	Globals         map[string]string // of the switch
	Replies         map[string]string // of commands, by what stands in ${ }, as strftime(%w)
	Complete        bool              // what is in none of these is empty; else only the switch knows it
	Time            time.Time         // in the switch's time zone
}

// Result is what FreeSWITCH does with a call.
type Result struct {
	Extension string   `json:"extension"` // as FreeSWITCH names what runs; empty: nothing does, and the call ends with 404
	Actions   []Action `json:"actions"`   // in the order in which they run
	Steps     []Step   `json:"steps"`
	// Open says what only the switch decides. Each is taken for empty.
	Open []string `json:"open,omitempty"`
}

// Action is an application that runs.
type Action struct {
	Extension   string `json:"extension"`
	Condition   string `json:"condition"` // its place in the extension, as 2.1 for the first one in the second
	Application string `json:"application"`
	Data        string `json:"data"` // ${…} in it are filled in when it runs
	Inline      bool   `json:"inline"`
	Anti        bool   `json:"anti"`
	Note        string `json:"note,omitempty"`
	At          int    `json:"-"` // how many elements of the document begin before the extension
}

// The kinds of Step.
const (
	StepExtension = "extension"
	StepNested    = "nested" // conditions in a condition
	StepTime      = "time"
	StepRegex     = "regex"
	StepAbsolute  = "absolute" // nothing is compared
	StepAction    = "action"
)

// Step is one decision, or one action.
type Step struct {
	Kind       string   `json:"kind"`
	Extension  string   `json:"extension"` // as FreeSWITCH's log names it
	Condition  string   `json:"condition,omitempty"`
	Field      string   `json:"field,omitempty"`
	Value      string   `json:"value"`
	Expression string   `json:"expression,omitempty"`
	Pass       bool     `json:"pass"`
	How        string   `json:"how,omitempty"` // break=…, match=…, continue=…, require-nested=…
	Why        string   `json:"why,omitempty"`
	Open       []string `json:"open,omitempty"`
	Action     *Action  `json:"action,omitempty"`

	depth   int
	context string
}

// String is the line of FreeSWITCH's log for a Step, without the channel's name.
func (s Step) String() string {
	indent := ""
	if s.depth > 0 {
		indent = "|" + strings.Repeat("-", 4*s.depth-1) + " "
	}
	result := map[bool]string{true: "(PASS)", false: "(FAIL)"}[s.Pass]
	how := s.How
	if how != "" {
		how = " " + how
	}
	switch s.Kind {
	case StepExtension:
		return fmt.Sprintf("Dialplan: parsing [%s->%s]%s", s.context, s.Extension, how)
	case StepNested:
		return fmt.Sprintf("%sDialplan: Processing recursive conditions level:%d [%s]%s", indent, s.depth, s.Extension, how)
	case StepTime:
		words := map[bool]string{true: "Date/Time Match", false: "Date/TimeMatch"}[s.Pass]
		return fmt.Sprintf("%sDialplan: %s %s [%s]%s", indent, words, result, s.Extension, how)
	case StepRegex:
		return fmt.Sprintf("%sDialplan: Regex %s [%s] %s(%s) =~ /%s/%s", indent, result, s.Extension, s.Field, s.Value, s.Expression, how)
	case StepAbsolute:
		return fmt.Sprintf("%sDialplan: Absolute Condition [%s]%s", indent, s.Extension, how)
	default:
		words, inline := "Action", ""
		if s.Action.Anti {
			words = "ANTI-Action"
		}
		if s.Action.Inline {
			inline = "INLINE"
		}
		return fmt.Sprintf("%sDialplan: %s %s(%s) %s", indent, words, s.Action.Application, s.Action.Data, inline)
	}
}

// Plan is a document that answers what to do with a call.
type Plan struct{ section *element }

// Parse reads a document. The error says that it is none about the dialplan.
func Parse(document []byte) (*Plan, error) {
	section, err := parse(document)
	if err != nil {
		return nil, err
	}
	return &Plan{section}, nil
}

// Hunt decides what FreeSWITCH does with call.
func (p *Plan) Hunt(call Call) Result {
	return p.hunt(call, func(context *element) []*element { return context.all("extension") }, pcre.Perform)
}

// hunt is Hunt among some extensions of the context, which are all if the caller wants to begin at one of them.
func (p *Plan) hunt(call Call, some func(context *element) []*element, perform func(value, expression string) (*pcre.Match, error)) Result {
	context := p.section.named("context", call.Context)
	if context == nil {
		context = p.section.named("context", "global")
	}
	if context == nil {
		return Result{}
	}
	h := &hunter{channel: newChannel(&call), call: &call, perform: perform}
	h.fields["destination_number"], h.fields["context"] = call.Number, call.Context
	extensions := some(context)
	if IsTrue(h.setting("auto_hunt")) {
		extensions = context.all("extension")
		for i, e := range extensions {
			if name, ok := e.attr("name"); ok && strings.EqualFold(name, call.Number) {
				extensions = extensions[i:]
				break
			}
		}
	}
	for _, e := range extensions {
		name, ok := e.attr("name")
		if !ok {
			name = "UNKNOWN"
		}
		goesOn, ok := e.attr("continue")
		if !ok {
			goesOn = "false"
		}
		h.step(Step{Kind: StepExtension, Extension: name, How: "continue=" + goesOn, context: h.fields["context"]})
		h.root, h.at = name, e.at
		if h.extension(e, name, name, "", 0) != 0 && !IsTrue(goesOn) {
			break
		}
	}
	h.result.Actions = append(h.inlined, h.queue...)
	return h.result
}

// hunter is one call on its way through the extensions.
type hunter struct {
	*channel
	call    *Call
	perform func(value, expression string) (*pcre.Match, error)
	root    string // the extension that it is in
	at      int
	inlined []Action
	queue   []Action
	result  Result
}

// step notes s, with what only the switch decides of it.
func (h *hunter) step(s Step) {
	s.Open = h.takeOpen()
	h.result.Steps = append(h.result.Steps, s)
	for _, open := range s.Open {
		if !slices.Contains(h.result.Open, open) {
			h.result.Open = append(h.result.Open, open)
		}
	}
}

// clock is what time it is for the call now: variables may set another zone.
func (h *hunter) clock() clock {
	c := clock{here: h.call.Time, call: h.call.Time}
	if hours := h.setting("tod_tz_offset"); hours != "" && isNumber(hours) {
		c.set, c.at = true, atoi(hours)
		c.call = h.call.Time.In(time.FixedZone("", c.at*3600))
		return c
	}
	if name := h.setting("timezone"); name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil {
			h.switchDecides("the time zone %s", name)
			return c
		}
		c.call = h.call.Time.In(zone)
	}
	return c
}

// maxDepth is how deep conditions may stand in conditions.
const maxDepth = 100

// attempt is what a condition, or a regex of it, found. It stands for the local variables of parse_exten.
type attempt struct {
	field    string
	compares bool // there is a field
	value    string
	expanded bool // the expression is a copy, which FreeSWITCH frees
	captures bool // there is a field, and the expression has a parenthesis: $1 in data means something
	match    *pcre.Match
	freed    bool // FreeSWITCH has freed the value that match is of
}

// extension is parse_exten: the conditions of an extension, or those in a condition. It returns whether FreeSWITCH proceeds,
// which may count groups.
func (h *hunter) extension(e *element, name, root, place string, depth int) (proceed int) {
	required := true
	if depth > maxDepth {
		return 0
	}
	if depth > 0 {
		if nested, ok := e.attr("require-nested"); ok {
			required = IsTrue(nested)
		}
		how := "require-nested=FALSE"
		if required {
			how = "require-nested=TRUE"
		}
		name = fmt.Sprintf("%s_recur_%d", root, depth)
		h.step(Step{Kind: StepNested, Extension: name, Condition: place, How: how, depth: depth})
	}
	for n, c := range e.all("condition") {
		at := &condition{hunter: h, element: c, name: name, depth: depth, place: fmt.Sprint(n + 1), proceed: proceed}
		if place != "" {
			at.place = place + "." + at.place
		}
		passes := at.judge()
		at.act(passes)
		proceed = at.proceed
		if at.breaks(passes) {
			break
		}
		if proceed == 0 || c.child("condition") == nil {
			continue
		}
		proceed = h.extension(c, name, root, at.place, depth+1)
		if proceed == 0 && at.breakRule() != "never" {
			break
		}
	}
	if !required {
		proceed = 1
	}
	return proceed
}

// condition is one condition while it is judged.
type condition struct {
	*hunter
	element *element
	name    string
	place   string
	depth   int
	proceed int
	found   attempt
}

func (c *condition) breakRule() string {
	switch rule := strings.ToLower(c.element.soft("break")); rule {
	case "on-true", "on-false", "always", "never":
		return rule
	}
	return "on-false"
}

// breaks reports whether FreeSWITCH looks at no further condition beside this one.
func (c *condition) breaks(passes bool) bool {
	switch c.breakRule() {
	case "on-true":
		return passes
	case "on-false":
		return !passes
	case "always":
		return true
	}
	return false
}

func (c *condition) step(s Step) {
	s.Extension, s.Condition, s.depth = c.name, c.place, c.depth
	c.hunter.step(s)
}

// judge reports whether the condition's actions run: else its anti-actions do.
func (c *condition) judge() (passes bool) {
	how := "break=" + c.element.soft("break")
	if !strings.EqualFold(how, "break="+c.breakRule()) {
		how = "break=on-false"
	}
	fits, asked, why := c.clock().check(c.element)
	if asked {
		c.step(Step{Kind: StepTime, Pass: fits, Why: why, How: how})
		passes, c.proceed = fits, 0
		if fits {
			c.proceed = 1
		}
	}
	if rule, ok := c.element.attr("regex"); ok {
		counted := c.count(strings.ToLower(rule))
		return passes || counted
	}
	a := c.attempt(c.element, how)
	a.freed = false // not before the actions are done
	c.found = a
	switch {
	case a.compares:
		return passes || a.match != nil
	case !asked:
		c.step(Step{Kind: StepAbsolute, Pass: true})
		c.proceed = 1
		return true
	}
	return passes
}

// attempt compares the field of e with its expression, if it has one.
func (c *condition) attempt(e *element, how string) (a attempt) {
	written := e.soft("expression")
	if child := e.child("expression"); child != nil {
		written = child.text
	}
	expression, expanded := c.expand(written)
	a.expanded = expanded
	a.field, a.compares = e.attr("field")
	if !a.compares {
		return a
	}
	a.captures = strings.Contains(expression, "(")
	if strings.Contains(a.field, "$") {
		a.value, a.freed = c.expand(a.field)
	} else {
		a.value = c.field(a.field)
	}
	match, err := c.perform(a.value, expression)
	a.match, c.proceed = match, 0
	if match != nil {
		c.proceed = match.Count()
	}
	c.step(Step{Kind: StepRegex, Field: a.field, Value: a.value, Expression: expression, Pass: match != nil, How: how, Why: reason(a, err)})
	return a
}

// reason says why an expression was found or not.
func reason(a attempt, err error) string {
	if wrong := (*pcre.Error)(nil); errors.As(err, &wrong) {
		return fmt.Sprintf("PCRE refuses the expression at offset %d: %s; it matches nothing", wrong.Offset, wrong.Reason)
	}
	switch {
	case err != nil:
		return err.Error()
	case a.match == nil:
		return fmt.Sprintf("%s is %q, which the expression does not match", a.field, a.value)
	}
	whole, _ := a.match.Group(0)
	if whole == a.value {
		return fmt.Sprintf("%s is %q", a.field, a.value)
	}
	return fmt.Sprintf("%s is %q, in which the expression matches %q", a.field, a.value, whole)
}

// count judges a condition with regex=, by the elements regex in it.
func (c *condition) count(rule string) bool {
	all, xor := rule == "all", rule == "xor"
	how := "match=any"
	if all {
		how = "match=all"
	}
	c.removeAll("DP_REGEX_MATCH")
	passed, failed := 0, 0
	saved, savedProceed := (*attempt)(nil), 0
	for n, e := range c.element.all("regex") {
		fits, asked, why := c.clock().check(e)
		if asked {
			c.step(Step{Kind: StepTime, Pass: fits, Why: why})
		}
		a := c.attempt(e, how)
		passes := a.match != nil
		if !a.compares {
			passes = fits || !asked
			if passes {
				c.proceed = 1
			}
			if !asked {
				c.step(Step{Kind: StepAbsolute, Pass: true, How: how})
			}
		}
		c.found = a
		c.found.captures = a.captures && !a.expanded // else FreeSWITCH has freed the expression
		if passes {
			passed++
			if !all && !xor {
				break
			}
		} else {
			failed++
			if all {
				break
			}
		}
		if a.captures {
			c.capture(fmt.Sprintf("DP_REGEX_MATCH_%d", n+1), a.match)
			saved, savedProceed = &a, c.proceed
			if a.match == nil {
				saved = nil
			}
		}
		c.found.match = nil
	}
	if saved != nil {
		c.found, c.proceed = *saved, savedProceed
	}
	if xor {
		return passed == 1
	}
	return all && failed == 0 || !all && passed > 0
}

// capture sets a variable to what groups matched. FreeSWITCH adds one after the other, and an empty one removes all.
func (c *condition) capture(name string, match *pcre.Match) {
	c.remove(name)
	if match == nil {
		return
	}
	for _, text := range match.Captures() {
		c.add(name, text, place{push: true})
	}
}

// act runs the condition's actions or anti-actions, or puts them into the queue.
func (c *condition) act(passes bool) {
	kind := "action"
	if !passes {
		kind = "anti-action"
	} else if c.found.captures {
		c.capture("DP_MATCH", c.found.match)
	}
	for _, e := range c.element.all(kind) {
		a := Action{
			Extension: c.root, At: c.at, Condition: c.place, Application: e.soft("application"), Data: e.textOr("data"),
			Inline: IsTrue(e.soft("inline")), Anti: !passes,
		}
		if passes && c.found.captures {
			a.Data, a.Note = c.substitute(a.Data)
		}
		c.run(a, e)
		if !passes {
			c.proceed = 1
		}
	}
}

// substitute fills $1 into data. FreeSWITCH has no room for it where nothing matched and the time alone let the action run.
func (c *condition) substitute(data string) (filled, note string) {
	if c.found.match == nil {
		return data, "FreeSWITCH writes this beyond its memory, and may crash: nothing matched the expression whose groups it takes"
	}
	room := (len(data) + len(c.found.value) + 10) * c.proceed
	filled = c.found.match.Expand(data, min(room, math.MaxInt32))
	if c.found.freed && filled != data {
		c.switchDecides("what a group of an element regex matched in %s", c.found.field)
		note = "FreeSWITCH takes what the group matched from memory that it has freed"
	}
	return filled, note
}

func (c *condition) run(a Action, e *element) {
	if c.result.Extension == "" {
		c.result.Extension = c.name
	}
	times := 1
	if loop, ok := e.attr("loop"); ok {
		times = atoi(loop)
	}
	for ; times > 0; times-- {
		done := a
		switch {
		case a.Inline:
			done.Note = join(a.Note, c.inline(a.Application, a.Data))
			c.inlined = append(c.inlined, done)
		case strings.Contains(a.Data, `\'`):
			done.Note = join(a.Note, `FreeSWITCH leaves out an action whose data holds \'`)
		default:
			c.queue = append(c.queue, done)
		}
		c.step(Step{Kind: StepAction, Action: &done, Pass: true, Why: done.Note})
	}
}

func join(notes ...string) string {
	var said []string
	for _, note := range notes {
		if note != "" {
			said = append(said, note)
		}
	}
	return strings.Join(said, "; ")
}
