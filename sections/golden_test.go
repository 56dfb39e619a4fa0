package sections_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/xmlcurl"
)

var update = flag.Bool("update", false, "write the golden answers of testdata/documents anew")

const (
	requestsDir  = "../testdata/requests"
	documentsDir = "../testdata/documents"
)

// captured is one request that a real FreeSWITCH sent.
type captured struct {
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	golden  string            // file below documentsDir
}

func (c captured) request() *http.Request {
	r := httptest.NewRequest(c.Method, "/xml", strings.NewReader(c.Body))
	for name, value := range c.Headers {
		r.Header.Set(name, value)
	}
	return r
}

// captures reads all captured requests, in order.
func captures(t *testing.T) []captured {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(requestsDir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captured requests in %s: %v", requestsDir, err)
	}
	var all []captured
	for _, file := range files {
		in, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, 1<<20)
		for n := 1; lines.Scan(); n++ {
			var c captured
			if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
				t.Fatalf("%s:%d: %v", file, n, err)
			}
			c.golden = filepath.Join(strings.TrimSuffix(filepath.Base(file), ".jsonl"), fmt.Sprintf("%02d-%s.xml", n, what(t, c.Body)))
			all = append(all, c)
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// what names a request by what it asks for.
func what(t *testing.T, body string) string {
	t.Helper()
	r, err := xmlcurl.ParseRequest([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{r.Section, r.KeyValue}
	switch r.Section {
	case "configuration":
		names = []string{r.KeyValue, r.Field("profile"), r.Field("gateway")}
	case "directory":
		names = []string{r.Section, r.Field("action"), r.Field("purpose"), r.Field("profile"), r.Field("user"), r.Field("group")}
	case "dialplan":
		names = []string{r.Section, r.Field("Hunt-Context"), r.Field("Hunt-Destination-Number")}
	case "languages":
		names = []string{r.Section, r.Field("lang")}
	}
	return strings.Join(slices.DeleteFunc(names, func(s string) bool { return s == "" }), "-")
}

// revision is a gateway's, which is random.
var revision = regexp.MustCompile(`(<variable name="xmlcurld_revision" value=")\d+(" )`)

// TestGolden sends what a real FreeSWITCH sent, and compares whole answers with those that were found right. With
// -update it writes them instead; then look at each.
func TestGolden(t *testing.T) {
	t.Parallel()
	server := xmlcurl.NewServer(xmlcurl.Options{Handler: demo(t).mux})
	goldens := map[string]bool{}
	for _, c := range captures(t) {
		goldens[c.golden] = true
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, c.request())
		if answer.Code != http.StatusOK {
			t.Errorf("%s: status %d", c.golden, answer.Code)
			continue
		}
		if length := answer.Header().Get("Content-Length"); length != strconv.Itoa(answer.Body.Len()) {
			t.Errorf("%s: Content-Length %q of %d", c.golden, length, answer.Body.Len())
		}
		compareGolden(t, filepath.Join(documentsDir, c.golden), revision.ReplaceAll(answer.Body.Bytes(), []byte("${1}1$2")))
	}
	noOthers(t, goldens)
}

func compareGolden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// noOthers sees that each golden answer has its request.
func noOthers(t *testing.T, goldens map[string]bool) {
	t.Helper()
	err := filepath.WalkDir(documentsDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(documentsDir, path)
		if err == nil && !goldens[name] {
			t.Errorf("%s belongs to no captured request", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
