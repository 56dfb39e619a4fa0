package compare

import (
	"testing"
	"time"

	"xmlcurld/internal/hunt"
)

// Each expression is matched by its examples, and those show the ends of what it takes.
func TestExamples(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string][]string{
		`^1000$`:                {"1000"},
		`^(10[01][0-9])$`:       nil,
		`^\*8$`:                 {"*8"},
		`^(pizza|74992)$`:       {"pizza", "74992"},
		`^vmain$|^4000$|^\*98$`: {"vmain", "4000", "*98"},
		`^(\d{7})$`:             nil,
		`^(\d+)$`:               nil,
		`^$`:                    {""},
		`^(?!00)\d+$`:           nil,
		`/^ABC$/i`:              {"ABC"},
		`_NXXX`:                 nil,
		`^[^0-9]+$`:             nil,
		`.`:                     nil,
		`true`:                  {"true"},
		`^\+?27(\d{2,9})#?$`:    nil,
	} {
		found := examples(expression)
		if len(found) == 0 {
			t.Errorf("%s: nothing", expression)
		}
		for i, text := range want {
			if i >= len(found) || found[i] != text {
				t.Errorf("%s: %q, want %q first", expression, found, want)
				break
			}
		}
		for _, text := range found {
			if !takes(expression, text) {
				t.Errorf("%s does not take %q", expression, text)
			}
		}
	}
	for _, expression := range []string{`^(1`, `/1`, `^a\bb$`} {
		if found := examples(expression); len(found) > 0 {
			t.Errorf("%s: %q", expression, found)
		}
	}
}

// A time is found that fits, and one that does not.
func TestFind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		attributes map[string]string
		fits, not  bool
	}{
		{map[string]string{"wday": "sat-sun", "time-of-day": "22:15-22:20"}, true, true},
		{map[string]string{"year": "2020", "mon": "2", "mday": "29"}, true, true},
		{map[string]string{"date-time": "2031-12-24 12:30~2031-12-24 12:35"}, true, true},
		{map[string]string{"minute-of-day": "1-3"}, true, true},
		{map[string]string{"yday": "366"}, false, true},
		{map[string]string{"mon": "1-12"}, true, false},
	} {
		one := []map[string]string{c.attributes}
		if at := find(noon, one, nil); at.IsZero() == c.fits || c.fits && !hunt.Fits(at, c.attributes) {
			t.Errorf("%v: %v", c.attributes, at)
		}
		if at := find(noon, nil, one); at.IsZero() == c.not || c.not && hunt.Fits(at, c.attributes) {
			t.Errorf("not %v: %v", c.attributes, at)
		}
	}
}

// A field may be a text with variables in it.
func TestPut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ field, value, number, name, want string }{
		{"destination_number", "1", "1", "", ""},
		{"${destination_number}", "1", "1", "", ""},
		{"${a}", "1", "", "a", "1"},
		{"x${a}-${b}", "x1-2", "", "b", "2"},
		{"${a:0:3}", "123", "", "a", "123"},
		{"${user_data(${a}@${b} var c)}", "1", "", "user_data(${a}@${b} var c)", "1"},
	} {
		call := hunt.Call{Fields: map[string]string{}, Variables: map[string]string{}, Replies: map[string]string{}, Time: time.Time{}}
		put(&call, c.field, c.value)
		if got := call.Variables[c.name] + call.Replies[c.name]; call.Number != c.number || got != c.want {
			t.Errorf("%s: number %q, %s is %q", c.field, call.Number, c.name, got)
		}
	}
}
