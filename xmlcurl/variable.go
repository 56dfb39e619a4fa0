package xmlcurl

import "strings"

// SetVariable has FreeSWITCH set a global variable while it reads the answer, before it parses it: what it reads next has the
// variable for $${name}. It is the one directive of the pre-processor that an answer may hold. The pre-processor takes the
// value as it stands, and knows no references, so a value that needs one is not written, nor an empty one, which would
// delete the variable: SetVariable then returns false.
//
// With expand, $${other} in the value is the value of a variable that was set before.
func (d *Document) SetVariable(name, value string, expand bool) bool {
	if !carried(name, value, expand) {
		return false
	}
	d.out = append(d.out, `<X-PRE-PROCESS cmd="set" data="`...)
	d.out = append(d.out, name...)
	d.out = append(d.out, '=')
	d.out = append(d.out, value...)
	d.out = append(d.out, `"/>`...)
	d.newline()
	return true
}

// carried reports whether the pre-processor sets the variable to value exactly: its attribute ends at a quote, its line at a
// line's end, the directive at />, and blanks around the value are lost. The other signs would be no XML.
func carried(name, value string, expand bool) bool {
	const most = 2000 // bytes: a line that expansion makes much longer is cut
	isName := name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == ""
	if !isName || value == "" || len(value) > most || strings.TrimSpace(value) != value || strings.ContainsAny(value, "\"<>&") {
		return false
	}
	if !expand && strings.Contains(value, "$${") {
		return false
	}
	return !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\ufffd' })
}
