package hunt

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A Finder runs what Hunt runs, whatever stands in the first condition, and passes over what it can.
func TestFinder(t *testing.T) {
	t.Parallel()
	conditions := []string{
		`field="destination_number" expression="^1$"`, `field="destination_number" expression="^(12|13)\d$"`, `field="destination_number" expression="2"`,
		`field="${destination_number}" expression="^\+27"`, `field="destination_number" expression="^1|^2$"`, `field="destination_number" expression="/^A/i"`,
		`field="destination_number" expression="_1X."`, `field="destination_number" expression="^[12]3$"`, `field="caller_id_number" expression="^1$"`,
		`wday="mon-fri" field="destination_number" expression="^9$"`, `field="destination_number" expression="^9$" break="never"`, ``,
		`field="destination_number" expression="^${caller_id_number}$"`, `field="destination_number" expression="^1*$"`, `field="destination_number" expression="^$"`,
		`field="destination_number" expression="^(1"`, `field="destination_number" expression="^(?=1)1"`,
	}
	var b strings.Builder
	b.WriteString(`<document><section name="dialplan"><context name="public">`)
	for n, c := range conditions {
		fmt.Fprintf(&b, `<extension name="%d" continue="true"><condition %s><action application="set" data="%d=$1"/></condition></extension>`, n, c, n)
	}
	b.WriteString(`<extension name="anti" continue="true"><condition field="destination_number" expression="^1$"><anti-action application="log"/></condition></extension>`)
	b.WriteString(`<extension name="child" continue="true"><condition field="destination_number"><expression>^12</expression><action application="log"/></condition></extension>`)
	b.WriteString(`</context></section></document>`)
	plan, err := Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	finder := NewFinder(plan)
	defer finder.Close()
	passed := 0
	for _, number := range []string{"", "1", "12", "123", "13", "131", "2", "23", "9", "+27123", "a", "A", "11", "1111", "4711", "nobody"} {
		call := Call{Number: number, Context: "public", Complete: true, Time: time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC), Fields: map[string]string{"caller_id_number": "4711"}}
		want, got := plan.Hunt(call), finder.Hunt(call)
		if diff := cmp.Diff(want.Actions, got.Actions); diff != "" || want.Extension != got.Extension {
			t.Errorf("%s: %s", number, diff)
		}
		passed += len(want.Steps) - len(got.Steps)
	}
	if passed < 50 {
		t.Errorf("%d steps were saved", passed)
	}
}

// An action that changes the number while FreeSWITCH still looks makes later extensions match another one.
func TestFinderOfChangedNumbers(t *testing.T) {
	t.Parallel()
	plan, err := Parse([]byte(`<document><section name="dialplan"><context name="public">
		<extension name="a" continue="true"><condition><action application="set_profile_var" data="destination_number=2" inline="true"/></condition></extension>
		<extension name="b"><condition field="destination_number" expression="^2$"><action application="answer"/></condition></extension>
		</context></section></document>`))
	if err != nil {
		t.Fatal(err)
	}
	finder := NewFinder(plan)
	defer finder.Close()
	if got := finder.Hunt(Call{Number: "1", Context: "public", Complete: true}); len(got.Actions) != 2 {
		t.Errorf("%+v", got.Actions)
	}
}

func TestReplies(t *testing.T) {
	t.Parallel()
	plan, err := Parse([]byte(`<document><section name="dialplan"><context name="public">
		<extension name="a"><condition field="${strftime(%w)}" expression="^6$"><action application="answer"/></condition></extension>
		</context></section></document>`))
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Hunt(Call{Number: "1", Context: "public", Replies: map[string]string{"strftime(%w)": "6"}}); len(got.Actions) != 1 || got.Open != nil {
		t.Errorf("%+v", got)
	}
}
