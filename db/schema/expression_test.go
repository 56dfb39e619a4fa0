package schema_test

import (
	"testing"

	"xmlcurld/db/dbtest"
)

func TestExpressions(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.URL(t))
	for expression, want := range map[string]string{
		``:                       "",
		`^(\+27|0)(\d{9})$`:      "",
		`^(?:911|933)$`:          "",
		`^(?<area>\d{2,3})\d+?$`: "",
		`^[^]a-z[:digit:]\]]*$`:  "",
		`^\(\)\*\[$`:             "",
		`^\Q(*\E$`:               "",
		`^a{,3}b{x}$`:            "",
		`^(a|b|)*+$`:             "",
		`(*UTF8)^é$`:             "",
		`^*40$`:                  "there is nothing before * to repeat",
		`*98`:                    "there is nothing before * to repeat",
		`^(+27)`:                 "there is nothing before + to repeat",
		`a|?b`:                   "there is nothing before ? to repeat",
		`^\d{3}{2`:               "",
		`a**`:                    "there is nothing before * to repeat",
		`^(911|933`:              "a ( is not closed",
		`^911)`:                  "a ) closes nothing",
		`^[0-9`:                  "a [ is not closed",
		`^[]`:                    "a [ is not closed",
		`^1\`:                    `it ends in a \`,
		`^1{3,2}$`:               "the numbers in {…} are out of order or too large",
		`^1{70000}$`:             "the numbers in {…} are out of order or too large",
		`^(${unclosed`:           "",
		`^$${prefix}(*`:          "",
	} {
		var got string
		if err := conn.QueryRow(t.Context(), `SELECT coalesce(expression_fault($1), '')`, expression).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", expression, got, want, err)
		}
	}
}
