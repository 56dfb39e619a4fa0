package hunt

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// timeAttributes are those that switch_xml_std_datetime_check looks at, in its order.
var timeAttributes = []string{
	"tz-offset", "dst", "date-time", "year", "yday", "mon", "mday", "week", "mweek", "wday", "hour", "minute", "minute-of-day", "time-of-day",
}

// clock is the time of a call: in the switch's zone, and in the call's own if a variable sets one.
type clock struct {
	here time.Time // in the switch's zone
	call time.Time // in the call's
	at   int       // hours from GMT, which tod_tz_offset said
	set  bool      // it did
}

// check is switch_xml_std_datetime_check: whether the time fits e's attributes, and the words why. It has no opinion about
// an element that has none of them.
func (c clock) check(e *element) (fits, asked bool, why string) {
	var compared []string
	for _, name := range timeAttributes {
		want, ok := e.attr(name)
		if !ok || name == "dst" && want == "" {
			continue
		}
		asked = true
		compared = append(compared, fmt.Sprintf("%s is %s, asked for is %s", name, c.is(name), want))
		if !c.fits(name, want) {
			return false, true, compared[len(compared)-1]
		}
	}
	return asked, asked, strings.Join(compared, "; ")
}

// fitsAll is check without the words.
func (c clock) fitsAll(e *element) bool {
	for _, a := range e.attrs {
		asks := slices.Contains(timeAttributes, a.Name.Local) && (a.Name.Local != "dst" || a.Value != "")
		if asks && !c.fits(a.Name.Local, a.Value) {
			return false
		}
	}
	return true
}

// fits compares the time with what an attribute asks for.
func (c clock) fits(name, want string) bool {
	switch name {
	case "tz-offset":
		return want == "" || !isNumber(want) || atoi(want) == c.offset()
	case "dst":
		return c.here.IsDST() && IsTrue(want)
	case "date-time":
		return c.dateFits(want)
	case "wday":
		return weekdayFits(want, int(c.call.Weekday())+1)
	case "time-of-day":
		return timeOfDayFits(want, c.call.Hour()*3600+c.call.Minute()*60+c.call.Second())
	}
	return numberFits(want, c.number(name))
}

// is says what an attribute is compared with.
func (c clock) is(name string) string {
	switch name {
	case "tz-offset":
		return fmt.Sprint(c.offset())
	case "dst":
		return fmt.Sprint(c.here.IsDST())
	case "date-time":
		return c.here.Format(time.DateTime)
	case "wday":
		return weekdays[c.call.Weekday()]
	case "time-of-day":
		return c.call.Format(time.TimeOnly)
	}
	return fmt.Sprint(c.number(name))
}

// number is what an attribute that counts something is compared with.
func (c clock) number(name string) int {
	t := c.call
	switch name {
	case "year":
		return t.Year()
	case "yday":
		return t.YearDay()
	case "mon":
		return int(t.Month())
	case "mday":
		return t.Day()
	case "week":
		return (t.YearDay()-1)/7 + 1
	case "mweek":
		firstWeekday := (7 - (t.Day()-(int(t.Weekday())+1))%7) % 7
		return (t.Day() + firstWeekday + 6) / 7
	case "hour":
		return t.Hour()
	case "minute":
		return t.Minute()
	default: // minute-of-day
		return t.Hour()*60 + t.Minute() + 1
	}
}

// offset is how many whole hours the call's zone is ahead of GMT.
func (c clock) offset() int {
	if c.set {
		return c.at
	}
	_, seconds := c.call.Zone()
	return seconds / 3600
}

// numberFits is switch_number_cmp.
func numberFits(want string, is int) bool {
	for {
		from, rest := strtol(want)
		if !strings.HasPrefix(rest, "-") {
			if from == is {
				return true
			}
		} else {
			var to int
			if to, rest = strtol(rest[1:]); isBetween(is, from, to) {
				return true
			}
		}
		if !strings.HasPrefix(rest, ",") {
			return false
		}
		want = rest[1:]
	}
}

// isBetween reports whether n is in a range, which is the outside of one where it ends before it begins.
func isBetween(n, from, to int) bool {
	if from <= to {
		return n >= from && n <= to
	}
	return n >= from || n <= to
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// weekdayFits is switch_dow_cmp: weekdays are 1 to 7, or names of which three letters are read.
func weekdayFits(want string, is int) bool {
	const nothing = -1
	before, from := nothing, nothing
	for want != "" {
		day := 0
		switch c := want[0]; {
		case c == '-':
			from, before, want = before, '-', want[1:]
			continue
		case c == ',':
			before, want = nothing, want[1:]
			continue
		case c >= '1' && c <= '7':
			day, want = int(c-'0'), want[1:]
		default:
			for n, name := range weekdays {
				if len(want) >= 3 && strings.EqualFold(want[:3], name) {
					day = n + 1
				}
			}
			if day == 0 {
				return false // FreeSWITCH logs an error, and looks no further
			}
			want = want[3:]
		}
		if from != nothing {
			if isBetween(is, from, day) {
				return true
			}
			from = nothing
		} else if is == day {
			return true
		}
		before = day
	}
	return false
}

// timeOfDayFits is switch_tod_cmp; is counts seconds. A range without minutes is none.
func timeOfDayFits(want string, is int) bool {
	for _, one := range strings.Split(want, ",") {
		fromHour, rest, ok := strings.Cut(one, ":")
		if !ok {
			continue
		}
		fromMinute, to, ok := strings.Cut(rest, "-")
		if !ok {
			continue
		}
		toHour, toMinute, ok := strings.Cut(to, ":")
		if !ok {
			continue
		}
		fromMinute, fromSecond, _ := strings.Cut(fromMinute, ":")
		toMinute, toSecond, _ := strings.Cut(toMinute, ":")
		from := atoi(fromHour)*3600 + atoi(fromMinute)*60 + atoi(fromSecond)
		if isBetween(is, from, atoi(toHour)*3600+atoi(toMinute)*60+atoi(toSecond)) {
			return true
		}
	}
	return false
}

// dateFits is switch_fulldate_cmp: dates are in the switch's zone, whatever the call's is.
func (c clock) dateFits(want string) bool {
	for _, one := range strings.Split(want, ",") {
		from, to, ok := strings.Cut(one, "~")
		if !ok {
			continue
		}
		first, end := c.read(from), c.read(to)
		if first.IsZero() || end.IsZero() {
			return false // FreeSWITCH logs an error, and looks no further
		}
		if !first.After(c.here) && end.After(c.here) {
			return true
		}
	}
	return false
}

// The forms of a date that switch_str_time knows: a time of today; a date with or without a time; 14 digits.
var dateForms = []*regexp.Regexp{
	regexp.MustCompile(`^(\d*):?(\d*):?(\d*)$`),
	regexp.MustCompile(`^(\d+)-(\d+)-(\d+)\s*(\d*):?(\d*):?(\d*)`),
	regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})`),
}

// read is switch_str_time. It returns no time for what is none.
func (c clock) read(text string) time.Time {
	n := [6]int{c.here.Year(), int(c.here.Month()), c.here.Day()}
	for form, expression := range dateForms {
		parts := expression.FindStringSubmatch(text)
		if parts == nil {
			continue
		}
		into := n[:]
		if form == 0 {
			into = n[3:]
		}
		for i := range into {
			into[i] = atoi(parts[i+1])
		}
		return c.instant(n)
	}
	return time.Time{}
}

// instant takes what the switch's zone is ahead of GMT when the same is read in GMT: near a change of it FreeSWITCH errs.
func (c clock) instant(n [6]int) time.Time {
	gmt := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	if gmt.Unix() < 0 {
		return time.Time{}
	}
	_, ahead := gmt.In(c.here.Location()).Zone()
	return gmt.Add(-time.Duration(ahead) * time.Second)
}
