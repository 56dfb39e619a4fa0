package mask

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// tellTales make a name a secret's wherever they stand in it.
	tellTales = []string{
		"pass", "pwd", "secret", "token", "credential", "authorization", "auth-response", "a1-hash", "a1hash", "cookie",
		"api-key", "apikey", "access-key", "accesskey", "auth-key", "private-key", "license-key", "shared-key", "signing-key",
		"encryption-key", "crypto-key", "conn-str", "connection-string",
	}
	// lastWords make a name a secret's as its last word: pin is one, pin-retries and ping are none.
	lastWords = []string{"pin", "cred", "creds", "dsn", "ha1", "pw"}
	// innocent are words that only look like a secret's.
	innocent = strings.NewReplacer("bypassw", "passw", "bypass", "", "passthru", "", "passthrough", "", "pass-through", "", "passive", "")
	// public are names that only look like a secret's.
	public = []string{
		"pass-rfc2833", "pass-callee-id", "allow-empty-password", "allow-empty-password-auth", "password-from", "event-socket-password-from",
	}

	words    = strings.NewReplacer("_", "-", ".", "-", ":", "-", " ", "-")
	variable = regexp.MustCompile(`\$\$\{[A-Za-z0-9_.-]*\}`)
)

// IsSecret reports whether what has this name is a secret, whatever the name's case.
func IsSecret(name string) bool {
	if strings.Contains(name, "$${") && looksSecret(variable.ReplaceAllString(name, "")) { // the variable may be empty
		return true
	}
	return looksSecret(name)
}

func looksSecret(name string) bool {
	if name = words.Replace(strings.ToLower(name)); slices.Contains(public, name) {
		return false
	}
	name = innocent.Replace(name)
	if slices.ContainsFunc(tellTales, func(part string) bool { return strings.Contains(name, part) }) {
		return true
	}
	last := strings.TrimRight(name, "-}")
	last = last[strings.LastIndexAny(last, "-{")+1:]
	return slices.Contains(lastWords, last) || slices.Contains(lastWords, strings.TrimRight(last, "0123456789"))
}
