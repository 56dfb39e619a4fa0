//go:build e2e

package e2e

import (
	"fmt"
	"html"
	"math/rand/v2"
	"strings"
	"time"
)

// dialplans writes documents that answer what to do with a call, of all that mod_dialplan_xml knows, each from one seed.
type dialplans struct {
	*rand.Rand
	strings.Builder
	now time.Time // in the switch's zone
}

func newDialplans(seed uint64, now time.Time) *dialplans {
	return &dialplans{Rand: rand.New(rand.NewPCG(seed, 23)), now: now}
}

func (d *dialplans) document() string {
	d.Reset()
	d.WriteString(`<document type="freeswitch/xml"><section name="dialplan"><context name="public">`)
	for n := range 1 + d.IntN(4) {
		fmt.Fprintf(d, `<extension name="x%d"%s>`, n, d.maybe(3, ` continue="true"`))
		d.conditions(0)
		d.WriteString("</extension>")
	}
	d.WriteString("</context></section></document>")
	return d.String()
}

func (d *dialplans) maybe(of int, text string) string {
	if d.IntN(of) == 0 {
		return text
	}
	return ""
}

func (d *dialplans) one(of ...string) string { return of[d.IntN(len(of))] }

func (d *dialplans) attr(name, value string) {
	fmt.Fprintf(d, ` %s="%s"`, name, html.EscapeString(value))
}

func (d *dialplans) conditions(depth int) {
	n := d.IntN(4)
	if depth == 0 {
		n++
	}
	for range n {
		d.condition(depth)
	}
}

func (d *dialplans) condition(depth int) {
	d.WriteString("<condition")
	timed, groups := d.IntN(4) == 0, true
	if timed {
		d.time()
		groups = false // with nothing matched, FreeSWITCH would fill $1 in from memory that is not its own
	}
	var rule string
	switch d.IntN(5) {
	case 0:
		rule = d.one("all", "any", "xor")
		d.attr("regex", rule)
		groups = groups && rule != "xor"
	case 1: // nothing is compared
	default:
		d.compare()
	}
	if d.IntN(2) == 0 {
		d.attr("break", d.one("on-true", "on-false", "always", "never", "never", "sometimes"))
	}
	if d.IntN(4) == 0 {
		d.attr("require-nested", d.one("false", "true"))
	}
	d.WriteString(">")
	if rule != "" {
		for range d.IntN(4) {
			d.regex()
		}
	}
	for range d.IntN(3) {
		d.action("action", groups)
	}
	for range d.IntN(2) {
		d.action("anti-action", false)
	}
	if depth < 3 && d.IntN(3) == 0 {
		d.conditions(depth + 1)
	}
	d.WriteString("</condition>")
}

func (d *dialplans) regex() {
	d.WriteString("<regex")
	if d.IntN(4) == 0 {
		d.time()
	}
	if d.IntN(6) > 0 {
		d.compareIn(callerFields) // what a group matched in others FreeSWITCH takes from memory that it has freed
	}
	d.WriteString("/>")
}

// callerFields are fields of which FreeSWITCH makes no copy.
var callerFields = []string{"destination_number", "destination_number", "Caller_ID_Number", "context", "nobody", "a$b"}

func (d *dialplans) compare() {
	d.compareIn(append([]string{"${v1}", "${v2}", "${DP_MATCH}", "${DP_MATCH[1]}",
		"${DP_REGEX_MATCH_1}", "${DP_REGEX_MATCH_2[0]}", "${v3:1:2}", "${v3:-2}",
		"${destination_number}", "${v1}-${v2}"}, callerFields...))
}

func (d *dialplans) compareIn(fields []string) {
	d.attr("field", d.one(fields...))
	d.attr("expression", d.one("^5000$", "^(50)(\\d+)$", "^(5)?(x)?", "00", "^9", "^(.*)$", "^$", "^(a*)b", "/^PUB/i", "_50XX", "[b", "${v1}", "^(${v2})$",
		"^\\d{4}$", "(5000|6000)", "b", "/b", "a\\\\b|50", "^([[:space:]]*)", "x$", "(.)(.)(.)", "^(?!50)", ""))
}

func (d *dialplans) action(element string, groups bool) {
	application := d.one("set", "set", "set", "export", "push", "unshift", "unset", "multiset", "log", "set_profile_var", "multiunset")
	data := d.one("v1=a", "v2=b", "v1=", "v3=${v1}x", "v2=${v2}", "v1=ab=c", "v3[1]=z", "v2", "v1=5000", "v2=50 v3=xyz", "v3=\\$x")
	switch {
	case application == "set_profile_var":
		data = d.one("caller_id_number=9", "destination_number=600", "context=other")
	case application == "unset", application == "multiunset":
		data = d.one("v1", "v2", "v3")
	case application == "log":
		data = d.one("hello", "v1")
	case groups:
		data = d.one("v1=$1", "v2=$2-$1", "v3=$0", "v1=${1}$9", "v2=${DP_MATCH}", "v3=$1x$22", "v1=b", "v2=${v1}$1", "v3=$x$")
	}
	fmt.Fprintf(d, `<%s application="%s"`, element, application)
	text := d.IntN(8) == 0
	if !text {
		d.attr("data", data)
	}
	if d.IntN(2) == 0 {
		d.attr("inline", d.one("true", "yes", "1", "false"))
	}
	if d.IntN(12) == 0 {
		d.attr("loop", d.one("0", "2"))
	}
	if text {
		fmt.Fprintf(d, ">%s</%s>", html.EscapeString(data), element)
	} else {
		d.WriteString("/>")
	}
}

// time writes attributes of which about half are true now, and for some minutes.
func (d *dialplans) time() {
	for range 1 + d.IntN(2) {
		at := d.now.Add(time.Duration(d.IntN(3)-1) * 26 * time.Hour)
		later := at.Add(3 * time.Hour)
		number := func(n int) string {
			return d.one(fmt.Sprint(n), fmt.Sprintf("%d-%d", n-1, n+1), fmt.Sprintf("%d,%d", n+2, n), fmt.Sprintf("%d-%d", n+1, n-1))
		}
		day := strings.ToLower(at.Format("Mon"))
		switch d.IntN(14) {
		case 0:
			d.once("wday", d.one(day, "mon-fri", "1-7", "sat-sun", "fri-mon", at.Format("Monday"), at.Format("monday")+",tue", fmt.Sprint(int(at.Weekday())+1), "sun,"+day, "-"+day))
		case 1:
			d.once("mday", number(at.Day()))
		case 2:
			d.once("mon", number(int(at.Month())))
		case 3:
			d.once("time-of-day", d.one(at.Format("15:04")+"-"+later.Format("15:04:05"), later.Format("15:04")+"-"+at.Format("15:04"), "9-17", "00:00-23:59:59", "08:00-09:00,00:00-24:00"))
		case 4:
			d.once("date-time", d.one(at.Format(time.DateTime)+"~"+later.Format(time.DateTime), at.Format("2006-01-02")+"~"+later.Add(48*time.Hour).Format("2006-01-02"),
				at.Format("20060102150405")+"~"+later.Format("20060102150405"), "nonsense~2030-01-01", "2020-01-01 00:00~2021-01-01 00:00,2022-02-02~2099-01-01", "00:00~23:59:59", "2020-01-01"))
		case 5:
			d.once("year", number(at.Year()))
		case 6:
			d.once("yday", number(at.YearDay()))
		case 7:
			d.once("week", number((at.YearDay()-1)/7+1))
		case 8:
			d.once("mweek", d.one("1", "2", "3", "4", "5", "6", "1-6"))
		case 9:
			d.once("hour", d.one(fmt.Sprintf("%d-%d", at.Hour(), later.Hour()), fmt.Sprint((at.Hour()+12)%24), "0-23", "1 - 23", ""))
		case 10:
			d.once("minute", d.one("0-59", "60", "0-59,61"))
		case 11:
			d.once("minute-of-day", d.one("1-1440", "1441", "700-600"))
		case 12:
			_, offset := d.now.Zone()
			d.once("tz-offset", d.one(fmt.Sprint(offset/3600), "7", "x"))
		case 13:
			d.once("dst", d.one("true", "false", ""))
		}
	}
}

// once writes an attribute, unless the element has it.
func (d *dialplans) once(name, value string) {
	written := d.String()
	if !strings.Contains(written[strings.LastIndexByte(written, '<'):], " "+name+"=") {
		d.attr(name, value)
	}
}
