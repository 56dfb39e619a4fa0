package schema_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
)

// times are values of the columns of time, as FreeSWITCH reads them (switch_number_cmp, switch_dow_cmp, switch_tod_cmp,
// switch_fulldate_cmp), and those that it reads in part or not at all.
var times = []struct {
	column        string
	read, refused []string
}{
	{"wday", []string{"1", "2-6", "6-2", "mon-fri", "Mon-FRI", "sat,sun", "mon,wed-fri,7", "2-fri"},
		[]string{"", "monday-friday", "mon - fri", "mon, tue", "0", "0-6", "8", "mon-", "-fri", "mon-tue-wed", "mo-fr", "weekdays", "mon;tue", "montue", "$${days}", "${days}"}},
	{"mday", []string{"1", "1-15", "20-10", "1,15,31", "1, 15", "1- 15", " 1", "01"},
		[]string{"", "1 - 15", "1 ", "0", "32", "1-", "-1", "1..15", "1;15", "1,", "first", "1-5-9", "+1", "1\n", "1\n2"}},
	{"mon", []string{"1-3", "12", "11-2"}, []string{"jan-mar", "jan", "0", "13", "1-13"}},
	{"time_of_day", []string{"09:00-17:00", "9:00-17:00", "22:00-06:00", "08:00-12:00,13:00-17:00", "09:00:00-17:30:59", "09:00 - 17:00", "00:00-24:00"},
		[]string{"", "9-17", "9am-5pm", "09:00", "09:00-17", "09:00-25:00", "09:60-10:00", "24:01-24:02", "09:00–17:00", "0900-1700", "09:00-17:00;18:00-19:00", "09:00-17:00,", "9:00am-5:00pm"}},
	{"date_time", []string{"2026-12-24 12:00~2027-01-02 23:59", "2026-12-24~2027-01-02", "2026-12-24 12:00:30~2026-12-24 12:00:31", "20261224120000~20270102235900",
		"2026-12-24 12:00 ~2027-01-02", "2026-12-24~2026-12-27,2027-12-24~2027-12-27"},
		[]string{"", "2026-12-24", "2026-12-24 - 2027-01-02", "2027-01-02~2026-12-24", "2026-12-24~2026-12-24", "2026-12-24 ~ 2027-01-02", "2026-02-30~2026-03-01",
			"2026-13-01~2027-01-01", "24.12.2026~2.1.2027", "2026-12-24T12:00~2027-01-02T23:59", "12/24/2026~01/02/2027", "2026-12-24~", "~2026-12-24", "2026-12-24 25:00~2027-01-02"}},
	{"year", []string{"2026", "2026-2028", "2026,2030"}, []string{"26", "20266", "2026-", "1969", "this"}},
	{"yday", []string{"1", "366", "300-60"}, []string{"0", "367", "1 - 3"}},
	{"week", []string{"1-53", "52"}, []string{"0", "54", "odd"}},
	{"mweek", []string{"1", "2-6"}, []string{"0", "7", "last"}},
	{"hour", []string{"0", "9-16", "18-8", "0-23"}, []string{"24", "25", "9-17h", "9:00-17:00", "9am"}},
	{"minute", []string{"0-59", "0,30"}, []string{"60", "00:30"}},
	{"minute_of_day", []string{"1-1440", "541-1020"}, []string{"0-540", "1441", "09:00-17:00"}},
	{"tz_offset", []string{"0", "2", "+2", "-5", "14", "-12"}, []string{"", "15", "-13", "5.5", "UTC", "2,3", "1-3", "+02:00"}},
}

// What FreeSWITCH cannot read is refused at the statement, by a hint that names the column and what to write.
func TestTimeConditions(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	for _, statement := range []string{
		`INSERT INTO condition (extension, position, %s) VALUES ('reception', 1, '%s')`,
		counting + `INSERT INTO condition_regex (extension, condition, position, %s) VALUES ('reception', 1, 1, '%s')`,
	} {
		for _, tc := range times {
			for _, value := range append(slices.Clone(tc.read), tc.refused...) {
				edit := fmt.Sprintf(statement, tc.column, value)
				fault := said(t, conn, edit)
				switch {
				case slices.Contains(tc.read, value):
					if fault != nil {
						t.Errorf("%s: %v: %s", edit, fault, fault.Hint)
					}
				case fault == nil:
					t.Errorf("accepted: %s", edit)
				case fault.Message != "This time condition cannot be read" || !strings.Contains(fault.Hint, " as "+tc.column+", "):
					t.Errorf("%s: %v: %s", edit, fault, fault.Hint)
				}
			}
		}
	}
}
