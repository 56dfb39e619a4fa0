package hunt

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSwitch: each decision is the one that FreeSWITCH took, as its log told. Package e2e made the calls and recorded it:
// go test -tags e2e ./cmd/xmlcurld/e2e -run TestHuntIsTheSwitchs -record.
func TestSwitch(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/switch.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		var recorded struct {
			Document, Zone string
			Time           time.Time
			Lines, Ran     []string
		}
		if err := json.Unmarshal(lines.Bytes(), &recorded); err != nil {
			t.Fatal(err)
		}
		zone, err := time.LoadLocation(recorded.Zone)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := Parse([]byte(recorded.Document))
		if err != nil {
			t.Fatal(err)
		}
		result := plan.Hunt(Call{
			Number: "5000", Context: "public", Complete: true, Time: recorded.Time.In(zone),
			Fields: map[string]string{"caller_id_number": "4711"}, Variables: map[string]string{"v1": "b", "v2": "50"},
		})
		var said, ran []string
		for _, s := range result.Steps {
			said = append(said, strings.TrimRight(s.String(), " "))
		}
		for _, a := range result.Actions {
			ran = append(ran, a.Application)
		}
		if diff := cmp.Diff(recorded.Lines, said) + cmp.Diff(recorded.Ran, ran); diff != "" {
			t.Errorf("line %d: %s\n%s", n+1, diff, recorded.Document)
		}
	}
	if n < 100 {
		t.Errorf("%d calls are recorded", n)
	}
}
