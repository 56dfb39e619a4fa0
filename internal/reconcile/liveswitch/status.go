package liveswitch

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The switch's status is read in its form as text. In the form as XML (xmlstatus) mod_sofia writes much as it stands: a
// phone chooses its Call-ID and its User-Agent, an operator a realm, and what looks like markup in one hides all others. In
// the text a field begins a line or a column. A header that a phone folds over several lines stays folded: each further line
// begins with a blank.

const (
	userLine  = "User:       \t"
	totalLine = "Total items returned: "
)

// registeredUsers are the names, user@domain, in a reply to sofia status profile … reg. What is no UTF-8 is left out: no
// row holds it. A name more than there are records may come from an operator's value; one less is an error.
func registeredUsers(reply string) ([]string, error) {
	var users []string
	records, total := 0, -1
	for line := range strings.SplitSeq(reply, "\n") {
		if user, ok := strings.CutPrefix(line, userLine); ok {
			records++
			if utf8.ValidString(user) && !strings.Contains(user, "\x00") {
				users = append(users, user)
			}
		}
		if count, ok := strings.CutPrefix(line, totalLine); ok {
			if n, err := strconv.Atoi(count); err == nil {
				total = n
			}
		}
	}
	if total < 0 || records < total {
		return nil, fmt.Errorf("of %d registrations %d can be read", total, records)
	}
	return users, nil
}

// listedGateways are those in a reply to sofia status gateway: profile::name, where it registers, state, the time of a
// ping, calls in and calls out, in columns. Where it registers is the operator's, and may hold tabs and line ends.
func listedGateways(reply string) []gatewayStatus {
	var all []gatewayStatus
	row := ""
	for line := range strings.SplitSeq(reply, "\n") {
		if row == "" {
			key, _, _ := strings.Cut(line, "\t")
			if !strings.Contains(key, "::") || strings.HasSuffix(key, "::Gateway-Name") {
				continue
			}
			row = line
		} else {
			row += "\n" + line
		}
		columns := strings.Split(row, "\t")
		if n := len(columns); n >= 6 && calls.MatchString(columns[n-2]) && calls.MatchString(columns[n-1]) {
			profile, name, _ := strings.Cut(strings.TrimLeft(columns[0], " "), "::")
			all = append(all, gatewayStatus{name, profile, columns[n-4]})
			row = ""
		}
	}
	return all
}

// calls is a column that counts calls, as 0/12, perhaps with the time until the next try behind it.
var calls = regexp.MustCompile(`^[0-9]+/[0-9]+($| \(retry: )`)

// gatewayProfile is the profile in a reply to sofia status gateway NAME; "" when the switch does not have the gateway. The
// line stands before all that an operator may have written.
func gatewayProfile(reply string) string {
	for line := range strings.SplitSeq(reply, "\n") {
		if profile, ok := strings.CutPrefix(line, "Profile \t"); ok {
			return profile
		}
	}
	return ""
}

// listedProfiles are those in a reply to sofia status: name, type, address and state, in columns. Whether each runs stands
// with it.
func listedProfiles(reply string) map[string]bool {
	profiles := make(map[string]bool)
	for line := range strings.SplitSeq(reply, "\n") {
		if columns := strings.Split(line, "\t"); len(columns) >= 4 && columns[1] == "profile" {
			name := strings.TrimLeft(columns[0], " ")
			profiles[name] = profiles[name] || strings.HasPrefix(columns[len(columns)-1], "RUNNING")
		}
	}
	return profiles
}
