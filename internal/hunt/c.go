package hunt

import "strings"

// What FreeSWITCH takes from C, with C's way of reading what is no number.

func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// strtol reads a number at the start of text, and returns what stands behind it: text itself where there is none.
func strtol(text string) (n int, rest string) {
	i := 0
	for i < len(text) && isBlank(text[i]) {
		i++
	}
	negative := i < len(text) && text[i] == '-'
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	first := i
	for ; i < len(text) && isDigit(text[i]); i++ {
		n = min(n*10+int(text[i]-'0'), 1<<31)
	}
	if i == first {
		return 0, text
	}
	if negative {
		n = -n
	}
	return n, text[i:]
}

func atoi(text string) int {
	n, _ := strtol(text)
	return n
}

// isNumber is switch_is_number.
func isNumber(text string) bool {
	if text != "" && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	return strings.Trim(text, ".0123456789") == ""
}

// IsTrue is switch_true: how FreeSWITCH reads yes and no in its XML and its variables.
func IsTrue(text string) bool {
	switch strings.ToLower(text) {
	case "yes", "on", "true", "t", "enabled", "active", "allow":
		return true
	}
	return isNumber(text) && atoi(text) != 0
}
