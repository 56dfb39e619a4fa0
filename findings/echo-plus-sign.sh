#!/bin/sh
# Software: github.com/labstack/echo/v4 v4.16.0; net/http of the installed Go beside it.
#
# Behaviour: whether c.Param decodes escapes depends on the whole path. If each escape is one that Go itself
# would write, such as %20, values are decoded. A single one that Go would not write, such as %2B for a plus
# sign or %c3 in lower case, leaves all parameters of that request as they were sent, those with %20 too.
#
# Most people would expect: parameters are decoded always or never. JavaScript's encodeURIComponent writes a
# phone number as %2B27..., so the handler gets another number than from curl, which sends the bare plus sign.
#
# Output seen for the route /number/:number/tenant/:tenant, and for the same route of net/http:
#   path                          echo                        net/http
#   /number/+27123/tenant/a%20b   "+27123" "a b"              "+27123" "a b"
#   /number/%2B27123/tenant/a%20b "%2B27123" "a%20b"          "+27123" "a b"
#   /number/27123/tenant/%C3%A9   "27123" "é"                 "27123" "é"
#   /number/27123/tenant/%c3%a9   "27123" "%c3%a9"            "27123" "é"
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

require github.com/labstack/echo/v4 v4.16.0
GO
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v4"
)

func main() {
	var number, tenant string
	e := echo.New()
	e.GET("/number/:number/tenant/:tenant", func(c echo.Context) error {
		number, tenant = c.Param("number"), c.Param("tenant")
		return c.NoContent(http.StatusOK)
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /number/{number}/tenant/{tenant}", func(_ http.ResponseWriter, r *http.Request) {
		number, tenant = r.PathValue("number"), r.PathValue("tenant")
	})
	for _, path := range []string{
		"/number/+27123/tenant/a%20b",
		"/number/%2B27123/tenant/a%20b",
		"/number/27123/tenant/%C3%A9",
		"/number/27123/tenant/%c3%a9",
	} {
		e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Printf("%s echo %q %q", path, number, tenant)
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Printf(" net/http %q %q\n", number, tenant)
	}
}
GO
seen=$(go run .) || exit 2

expected='/number/+27123/tenant/a%20b echo "+27123" "a b" net/http "+27123" "a b"
/number/%2B27123/tenant/a%20b echo "%2B27123" "a%20b" net/http "+27123" "a b"
/number/27123/tenant/%C3%A9 echo "27123" "é" net/http "27123" "é"
/number/27123/tenant/%c3%a9 echo "27123" "%c3%a9" net/http "27123" "é"'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
