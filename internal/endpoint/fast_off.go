//go:build nofast

package endpoint

// fast leaves plain requests to net/http as well.
const fast = false
