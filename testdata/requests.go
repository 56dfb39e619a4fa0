package testdata

import (
	"bufio"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

// Requests are what a real FreeSWITCH sent, in order: one JSON object a line, with method, headers and body.
//
//go:embed requests/*.jsonl
var Requests embed.FS

// Captured returns the body of the first request in a file of testdata/requests that holds all of parts.
func Captured(file string, parts ...string) (string, error) {
	f, err := Requests.Open("requests/" + file)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var request struct{ Body string }
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
		if holdsAll(request.Body, parts) {
			return request.Body, nil
		}
	}
	return "", fmt.Errorf("%s: no request holds %q", file, parts)
}

func holdsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
