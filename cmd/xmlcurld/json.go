package main

import (
	"encoding/json"
	"io"
)

// printJSON prints value with indents, and XML in it so that it can be read.
func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
