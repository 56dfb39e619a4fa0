#!/bin/sh
# Software: encoding/xml of Go 1.26 (the installed one); xmllint 2.9.14+dfsg-1.3~deb12u4 (Debian 12) beside
# it.
#
# Behaviour: Go's decoder returns a line break or a tab in an attribute as it is. XML 1.0 (section 3.3.3)
# makes each a blank, and so does xmllint. There only a reference, such as &#10;, is a line break in the end;
# in Go both are.
#
# Most people would expect: two parsers that accept a document agree on its values. A test written in Go sees
# two lines, and the program that the document is for gets one.
#
# Output seen for three documents:
#   written in the attribute  Go      xmllint
#   line break                "a\nb"  "a b"
#   tab                       "a\tb"  "a b"
#   &#10;                     "a\nb"  "a\nb"
#
# Exit: 0 as described, 1 the behaviour is another, 2 it could not be tried.
set -eu
version=2.9.14+dfsg-1.3~deb12u4

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' INT TERM
cd "$dir"

download() { apt-get download -qq -o APT::Sandbox::User=root "libxml2-utils=$version" "libxml2=$version"; }
download || { apt-get update -qq && download; } || exit 2
for package in *.deb; do dpkg -x "$package" . || exit 2; done

export GOWORK=off
cat >go.mod <<'GO'
module finding

go 1.26.0
GO
cat >main.go <<'GO'
package main

import (
	"encoding/xml"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
)

func main() {
	for _, written := range []string{"\n", "\t", "&#10;"} {
		document := `<action data="a` + written + `b"/>`
		var action struct {
			Data string `xml:"data,attr"`
		}
		if err := xml.Unmarshal([]byte(document), &action); err != nil {
			fmt.Println(err)
		}
		xmllint := exec.Command(os.Args[1], "--xpath", "string(/action/@data)", "-")
		xmllint.Stdin = strings.NewReader(document)
		value, err := xmllint.Output()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q Go %q xmllint %q\n", written, action.Data, strings.TrimSuffix(string(value), "\n"))
	}
}
GO
go build -o finding . || exit 2
seen=$(LD_LIBRARY_PATH=$(echo "$dir"/usr/lib/*-linux-gnu) ./finding "$dir/usr/bin/xmllint") || exit 2

expected='"\n" Go "a\nb" xmllint "a b"
"\t" Go "a\tb" xmllint "a b"
"&#10;" Go "a\nb" xmllint "a\nb"'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
