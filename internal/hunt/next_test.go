package hunt

import (
	"testing"
	"time"
)

func TestNext(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, attributes, now, want, runs string }{
		{"it opens", `wday="mon-fri" time-of-day="09:00-17:00"`, "2026-12-04 18:00:00", "2026-12-07 09:00:00", "answer"},
		{"it closes after the last second of its range", `wday="mon-fri" time-of-day="09:00-17:00"`, "2026-12-04 16:59:00", "2026-12-04 17:00:01", "hangup"},
		{"by summer time", `tz-offset="2"`, "2026-12-01 00:00:00", "2027-03-28 03:00:00", "answer"},
		{"from a date", `date-time="2026-12-24 12:30~2026-12-26 00:00"`, "2026-12-01 00:00:00", "2026-12-24 12:30:00", "answer"},
		{"never", `year="2020"`, "2026-12-01 00:00:00", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now, err := time.ParseInLocation(time.DateTime, c.now, zone)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := Parse([]byte(`<document><section name="dialplan"><context name="public"><extension name="hours"><condition ` + c.attributes +
				`><action application="answer"/><anti-action application="hangup"/></condition></extension></context></section></document>`))
			if err != nil {
				t.Fatal(err)
			}
			call := Call{Number: "1", Context: "public", Time: now}
			at, result, ok := plan.Next(call, plan.Hunt(call))
			got, runs := "", ""
			if ok {
				got, runs = at.Format(time.DateTime), result.Actions[0].Application
			}
			if got != c.want || runs != c.runs {
				t.Errorf("at %q %q, want at %q %q", got, runs, c.want, c.runs)
			}
		})
	}
}

// What only the switch knows is said, with what it is taken for.
func TestOpen(t *testing.T) {
	t.Parallel()
	plan, err := Parse([]byte(`<document><section name="dialplan"><context name="public"><extension name="a" continue="true">
		<condition field="caller_id_name" expression="^$"/><condition field="${sip_h_X-A}" expression="b"/></extension>
		<extension name="b" continue="true"><condition field="${user_exists(id 1 a.example)}" expression="true"/></extension>
		<extension name="c"><condition field="${known}${mine}" expression="^xy$"><action application="answer"/></condition></extension>
		</context></section></document>`))
	if err != nil {
		t.Fatal(err)
	}
	r := plan.Hunt(Call{Number: "1", Context: "public", Variables: map[string]string{"known": "x"}, Globals: map[string]string{"mine": "y"}})
	want := []string{"the call's caller_id_name", "${sip_h_X-A}", "${user_exists(id 1 a.example)}, a command's reply"}
	if len(r.Open) != 3 || r.Open[0] != want[0] || r.Open[1] != want[1] || r.Open[2] != want[2] || r.Extension != "c" {
		t.Errorf("extension %s, open %q, want c and %q", r.Extension, r.Open, want)
	}
}
