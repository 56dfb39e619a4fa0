package schema_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
)

func isTenants(c column) bool { return strings.HasPrefix(c.Comment, "Tenant:") }

// tenantTypes are the types of what a tenant may write, with the characters that a value may hold besides ASCII letters
// and digits. None of them means anything to FreeSWITCH: it expands ${…}, splits dial strings at | and , and their like,
// and reads variables in {…}. An address's [ and ] hold nothing but hexadecimal digits, colons and dots.
var tenantTypes = map[string]string{
	"label":          "._-*",
	"phone_number":   "+*#",
	"socket_address": "._-:[]",
	"user_name":      "._+*#-",
	"display_name":   " .-_+&/()",
	"caller_name":    " .-_+&/()',:@!?*#", // a variable's value: it stands in no dial string that a tenant writes
	"caller_number":  "+*#",
	"a1_hash":        "",
	"pin":            "",
	"secret":         "", // and more, since it never stands in dialplan data
}

// harmless tells what is wrong with value of a type that a tenant may write; "" when nothing is.
func harmless(typ, value string) string {
	switch {
	case value == "":
		return "empty"
	case typ == "secret":
		if strings.Contains(value, "${") || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			return "an expansion or a control character"
		}
		return ""
	case strings.HasPrefix(value, "-") || strings.HasPrefix(value, " ") || strings.HasSuffix(value, " "):
		return "it looks like an option, or ends in a blank"
	}
	for _, c := range value {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', strings.ContainsRune(tenantTypes[typ], c):
		case strings.HasSuffix(typ, "_name") && typ != "user_name" && c > unicode.MaxASCII && !unicode.In(c, unicode.Cc, unicode.Cf, unicode.Z):
		default:
			return "the character " + string(c)
		}
	}
	if inside, ok := strings.CutPrefix(value, "["); ok {
		inside, _, _ = strings.Cut(inside, "]")
		if strings.Trim(inside, "0123456789abcdefABCDEF:.") != "" {
			return "brackets around what is no IPv6 address"
		}
	} else if strings.ContainsAny(value, "[]") {
		return "a bracket inside"
	}
	return ""
}

// fine are values that each type is there for.
var fine = map[string][]string{
	"label":          {"twilio.inbound", "a", "A_b-c.9", strings.Repeat("a", 63)},
	"phone_number":   {"+27123456789", "+123456", "1001", "*98#", strings.Repeat("0", 20)},
	"socket_address": {"pbx.acme.example:5060", "192.0.2.1", "[2001:db8::1]:65535", "h:1"},
	"user_name":      {"1001", "alice", "a.b_c+d-e", "*98", "+27123456789", "_x", strings.Repeat("a", 64)},
	"display_name":   {"Acme Reception", "Zoë", "东京 1", "A.", "x", "R&D", "Sales (Berlin)", "O’Brien", strings.Repeat("a", 64)},
	"caller_name":    {"Conan O'Brien", "Bond, James", "Zoë", "R&D", "#1 Sales (Berlin)", "anonymous", strings.Repeat("é", 64)},
	"caller_number":  {"+27123456789", "1001", "anonymous", "unknown"},
	"a1_hash":        {strings.Repeat("0f", 16), strings.Repeat("0f", 32)},
	"pin":            {"0", strings.Repeat("9", 32)},
	"secret":         {"p", "pässwörd", "a$b{c}", "&<>\"'", "$$", strings.Repeat("x", 256)},
}

// hostile are what FreeSWITCH, its pre-processor, a dial string or a command would act on.
var hostile = []string{
	"", " ", "${", "$${", "$", "{", "}", "[", "]", "<", ">", "|", ",", "'", "\"", "\\", "\n", "\r", "\t", "\x0b", "\x7f", ";", "=", "(", ")", "%", "%{number}", "&", "^", "^^:", "@", "/", "!", "~", "`", "?",
	":", "::", ":_:", ".", "-", "-bleg ", "_", "+", "*", "#", "a", "Z", "9", "é", "ß", "İ", "\u212a", "\u0301", "\u200b", "\u202e", "\u00a0", "\u2028", "\u3000", "\u0085", "＄｛", "；", "，", "\ufeff", "\U0001f600", "\U000e0041",
	"system", "inline", "XML", "x-pre-process", "<include>", "<!--#exec", "2001:db8::1", "5060", "65536", "00", " or ",
}

// No value that Postgres takes for a tenant's column means anything to FreeSWITCH: every hostile word alone, inside of
// what is fine and around it, and then at random.
func TestTenantValuesAreHarmless(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.URL(t))
	random := rand.New(rand.NewPCG(1, 2))
	for typ := range tenantTypes {
		takes := taker(t, conn)
		var values []string
		for _, good := range fine[typ] {
			if !takes(typ, good) {
				t.Errorf("%s refuses %q", typ, good)
			}
			for _, bad := range hostile {
				half := len(good) / 2
				values = append(values, bad+good, good+bad, good[:half]+bad+good[half:], bad)
			}
		}
		for range 3000 {
			value := ""
			for range random.IntN(6) {
				words := hostile
				if random.IntN(3) == 0 {
					words = fine[typ]
				}
				value += words[random.IntN(len(words))]
			}
			values = append(values, value)
		}
		for c := rune(1); c < 0x500; c++ {
			values = append(values, string(c), "1"+string(c)+"1", "+123456"+string(c), string(c)+"a")
		}
		accepted := 0
		for _, value := range taken(t, conn, typ, values) {
			accepted++
			if wrong := harmless(typ, value); wrong != "" {
				t.Errorf("%s takes %q: %s", typ, value, wrong)
			}
		}
		if accepted < 10 && typ != "a1_hash" {
			t.Errorf("%s took only %d of %d values: nothing is shown", typ, accepted, len(values))
		}
	}
}

// taken returns those of values that Postgres takes as typ, asked in one round trip.
func taken(t *testing.T, conn *pgx.Conn, typ string, values []string) []string {
	t.Helper()
	values = slices.DeleteFunc(values, func(s string) bool { return strings.ToValidUTF8(s, "") != s || strings.Contains(s, "\x00") })
	rows, err := conn.Query(t.Context(), `SELECT v FROM unnest($2::text[]) v WHERE pg_temp.takes($1, v)`, typ, values)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return all
}
