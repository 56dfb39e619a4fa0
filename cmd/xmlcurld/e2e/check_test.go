//go:build e2e

package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"xmlcurld/internal/check"
)

// wrongs are edits of a number that PostgreSQL takes and check does not, with what the switch does to who calls it.
var wrongs = []struct{ code, table, key, number, status, statement string }{
	{"number-unknown", "number", "context=public number=5201", "5201", "404",
		`INSERT INTO number (number, tenant, extension, forward_number) VALUES ('5201', 'vumi', 'transfer', '5299')`},
	{"transfer-loop", "number", "context=public number=5202", "5202", "483",
		`INSERT INTO number (number, tenant, extension, forward_number) VALUES ('5202', 'vumi', 'transfer', '5202')`},
	{"number-refused", "number", "context=public number=5203", "5203", "404",
		`WITH x AS (INSERT INTO extension (name) VALUES ('w.5203')), c AS (
			INSERT INTO condition (extension, position, field, expression) VALUES ('w.5203', 1, 'destination_number', '^5204$')
		), a AS (
			INSERT INTO action (extension, condition, position, application, data) VALUES ('w.5203', 1, 1, 'respond', '480')
		)
		INSERT INTO number (number, tenant, extension) VALUES ('5203', 'vumi', 'w.5203')`},
	{"expression-never", "condition", "extension=w.5205 position=1", "5205", "404",
		`WITH x AS (INSERT INTO extension (name) VALUES ('w.5205')), c AS (
			INSERT INTO condition (extension, position, field, expression) VALUES ('w.5205', 1, 'caller_id_number', '^1$2')
		), a AS (
			INSERT INTO action (extension, condition, position, application, data) VALUES ('w.5205', 1, 1, 'respond', '480')
		)
		INSERT INTO number (number, tenant, extension) VALUES ('5205', 'vumi', 'w.5205')`},
	{"destination-unknown", "action", "extension=w.5206 position=1", "5206", "484",
		`WITH x AS (INSERT INTO extension (name) VALUES ('w.5206')), a AS (
			INSERT INTO action (extension, position, application, data) VALUES ('w.5206', 1, 'bridge', 'sofia/gateway/nobody/1')
		)
		INSERT INTO number (number, tenant, extension) VALUES ('5206', 'vumi', 'w.5206')`},
}

// whatCheckFindsIsSo: calls end as the findings say.
func whatCheckFindsIsSo(t *testing.T, w *world) {
	for _, wrong := range wrongs {
		w.sql(t, wrong.statement)
	}
	t.Cleanup(func() {
		w.sql(t, `DELETE FROM number WHERE number LIKE '52__'`)
		w.sql(t, `DELETE FROM extension WHERE name ~ '^w[.]'`)
	})
	output, _ := w.program("check", "--json") // it fails where there are findings
	var findings []check.Finding
	if err := json.NewDecoder(strings.NewReader(output)).Decode(&findings); err != nil {
		t.Fatal(err, output)
	}
	for _, wrong := range wrongs {
		t.Run(wrong.code, func(t *testing.T) {
			if !slices.ContainsFunc(findings, func(f check.Finding) bool {
				return f.Code == wrong.code && f.Table == wrong.table && f.Key == wrong.key
			}) {
				t.Errorf("not found: %s %s in\n%s", wrong.table, wrong.key, output)
			}
			w.checkGets(t, twilio, wrong.number, wrong.status)
		})
	}
}
