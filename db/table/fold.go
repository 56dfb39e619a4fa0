package table

// Fold returns s in lower case by the rules of ASCII, as FreeSWITCH compares names, and as lower() folds under the
// collation C. Letters of other scripts stay as they are.
func Fold(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return foldFrom(s, i)
		}
	}
	return s
}

func foldFrom(s string, first int) string {
	folded := []byte(s)
	for i := first; i < len(folded); i++ {
		if 'A' <= folded[i] && folded[i] <= 'Z' {
			folded[i] += 'a' - 'A'
		}
	}
	return string(folded)
}
