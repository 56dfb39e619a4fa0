//go:build !nofast

package endpoint

// fast has plain requests read without net/http.
const fast = true
