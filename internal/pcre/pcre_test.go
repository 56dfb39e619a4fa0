package pcre

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPerform(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, field, expression string
		captures                []string // nil: not found
	}{
		{"anchored", "1001", `^(\d{4})$`, []string{"1001", "1001"}},
		{"anywhere", "+27821234567", "82(1)", []string{"821", "1"}},
		{"not there", "1001", "^2", nil},
		{"nothing in nothing", "", "^$", []string{""}},
		{"an empty expression", "1001", "", []string{""}},
		{"case matters", "ABC", "abc", nil},
		{"case does not matter", "ABC", "/abc/i", []string{"ABC"}},
		{"a slash in between", "a/b", "/a/b/", []string{"a/b"}},
		{"a dot is no line end", "a\nb", "a.b", nil},
		{"a dot may be one", "a\nb", "/a.b/s", []string{"a\nb"}},
		{"an unset group is left out", "b", "(a)?(b)", []string{"b", "b"}},
		{"a group at the end that is unset does not count", "a", "(a)(b)?", []string{"a", "a"}},
		{"look ahead, which Go's own has not", "1002", "^(?!1001)10..$", []string{"1002"}},
		{"bytes, not characters", "ä", "^..$", []string{"ä"}},
		{"Asterisk's", "2125551234", "_NXXNXXXXXX", []string{"2125551234"}},
		{"Asterisk's, a rest", "0123", "_0X.", []string{"0123"}},
		{"Asterisk's Z is no zero", "0123", "_Z.", nil},
		{"the end may come before a line end", "1001\n", "^1001$", []string{"1001"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, err := Perform(c.field, c.expression)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			if m != nil {
				got = m.Captures()
			}
			if diff := cmp.Diff(c.captures, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression string
		want       Error
	}{
		{`^(\d+`, Error{`^(\d+`, 5, "missing closing parenthesis"}},
		{"[a", Error{"[a", 2, "missing terminating ] for character class"}},
		{"+27", Error{"+27", 0, "quantifier does not follow a repeatable item"}},
		{"/+27/i", Error{"+27", 0, "quantifier does not follow a repeatable item"}},
		{"/usr", Error{"usr", 3, "missing ending '/' delimiter"}},
	} {
		t.Run(c.expression, func(t *testing.T) {
			t.Parallel()
			_, err := Perform("1001", c.expression)
			got := (*Error)(nil)
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGivesUp(t *testing.T) {
	t.Parallel()
	if _, err := Perform(strings.Repeat("a", 40)+"b", "(*LIMIT_MATCH=1000)^(a+)+$"); !errors.Is(err, ErrGaveUp) {
		t.Errorf("got %v, want %v", err, ErrGaveUp)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	m, err := Perform("27821234567", `^(27)(\d)(x)?`)
	if err != nil || m == nil {
		t.Fatal(m, err)
	}
	for _, c := range []struct {
		data, want string
		room       int
	}{
		{"$1-$2", "27-8", 100},
		{"${1}2", "272", 100},
		{"$0", "278", 100},
		{"$12", "", 100}, // there is no group 12
		{"$3.", ".", 100},
		{"$9$1", "27", 100},
		{"${name} $name $", "${name} $name $", 100},
		{"${1a}", "1a}", 100},
		{"${1a}$2", "1a}", 100}, // FreeSWITCH then looks for group 12
		{"$$1", "$27", 100},
		{"$1$2", "27", 3},
		{"$300", "", 100},
	} {
		if got := m.Expand(c.data, c.room); got != c.want {
			t.Errorf("Expand(%q, %d) = %q, want %q", c.data, c.room, got, c.want)
		}
	}
}

func TestPatternsAreForAnybody(t *testing.T) {
	t.Parallel()
	p, err := Compile(`^(\d+)$`)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if m, err := p.Match("12345"); err != nil || m.Count() != 2 {
					t.Error(m, err)
				}
			}
		})
	}
	all.Wait()
}
