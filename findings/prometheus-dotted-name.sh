#!/bin/sh
# Software: github.com/prometheus/client_golang v1.25.0, with the version of prometheus/common that it
# requires.
#
# Behaviour: a registry, even a pedantic one, takes a metric xml.calls beside a metric xml_calls. For whoever
# does not ask for UTF-8 names, such as curl, the handler writes both as xml_calls, with status 200. The text
# parser of prometheus/common refuses the whole of it.
#
# Most people would expect: names that are the same on the wire are refused at registration, or the handler
# fails, as it does for any other duplicate.
#
# Output seen:
#   register xml.calls: <nil>
#   register xml_calls: <nil>
#   scrape: 200, 2 x "# TYPE xml_calls counter"
#   parse: text format parsing error in line 4: second HELP line for metric name "xml_calls"
#
# Exit: 0 as described, 1 the behaviour is another, 2 it could not be tried.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' INT TERM
cd "$dir"
export GOMODCACHE="$dir/modules" GOFLAGS='-modcacherw -mod=mod' GOWORK=off

cat >go.mod <<'GO'
module finding

go 1.26.0

require github.com/prometheus/client_golang v1.25.0
GO
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func main() {
	registry := prometheus.NewPedanticRegistry()
	for _, name := range []string{"xml.calls", "xml_calls"} {
		counter := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: "Calls."})
		fmt.Printf("register %s: %v\n", name, registry.Register(counter))
	}
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	text, line := answer.Body.String(), "# TYPE xml_calls counter"
	fmt.Printf("scrape: %d, %d x %q\n", answer.Code, strings.Count(text, line), line)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	_, err := parser.TextToMetricFamilies(strings.NewReader(text))
	fmt.Println("parse:", err)
}
GO
seen=$(go run .) || exit 2

expected='register xml.calls: <nil>
register xml_calls: <nil>
scrape: 200, 2 x "# TYPE xml_calls counter"
parse: text format parsing error in line 4: second HELP line for metric name "xml_calls"'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
