#!/bin/sh
# Software: github.com/emiago/sipgo v1.7.3.
#
# Behaviour: white space before ; or around = in a header is read as a part of its neighbour, or ends the
# parsing of that header, and no error is returned. The tag of From or the address of Via is lost, and a
# response goes out with another branch than the request had.
#
# Most people would expect: what RFC 3261 allows is understood (its grammar has SEMI and EQUAL with white
# space on both sides, a folded line among it), or else refused.
#
# Output seen; the request's headers, the values read, and the header as it is sent in a response:
#   From: <sip:a@example.com>;tag=1
#     tag "1"               From: <sip:a@example.com>;tag=1
#   From: <sip:a@example.com>;tag = 1
#     tag ""                From: <sip:a@example.com>;tag =" 1"
#   Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1
#     host "192.0.2.1" port 5070 branch "z9hG4bK1"     Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1
#   Via: SIP/2.0/UDP 192.0.2.1:5070 ;branch=z9hG4bK1
#     host "" port 0 branch ""                         Via: SIP/2.0/UDP
#   Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1 ;ttl=1
#     host "192.0.2.1" port 5070 branch "z9hG4bK1 "    Via: SIP/2.0/UDP 192.0.2.1:5070;branch="z9hG4bK1 ";ttl=1
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

require github.com/emiago/sipgo v1.7.3
GO
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/emiago/sipgo/sip"
)

const (
	from = "From: <sip:a@example.com>;tag=1"
	via  = "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1"
)

func main() {
	for _, from := range []string{from, "From: <sip:a@example.com>;tag = 1"} {
		request := parse(from, via)
		tag, _ := request.From().Params.Get("tag")
		fmt.Printf("%s\n  tag %q\n  %s\n", from, tag, sip.NewResponseFromRequest(request, 200, "OK", nil).From())
	}
	for _, via := range []string{
		via,
		"Via: SIP/2.0/UDP 192.0.2.1:5070 ;branch=z9hG4bK1",
		"Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1 ;ttl=1",
	} {
		request := parse(from, via)
		read := request.Via()
		branch, _ := read.Params.Get("branch")
		fmt.Printf("%s\n  host %q port %d branch %q\n  %s\n", via, read.Host, read.Port, branch,
			strings.TrimSpace(sip.NewResponseFromRequest(request, 200, "OK", nil).Via().String()))
	}
}

func parse(from, via string) *sip.Request {
	text := strings.Join([]string{
		"OPTIONS sip:b@example.com SIP/2.0",
		via,
		from,
		"To: <sip:b@example.com>",
		"Max-Forwards: 70",
		"Call-ID: 1@example.com",
		"CSeq: 1 OPTIONS",
		"Content-Length: 0",
		"", "",
	}, "\r\n")
	message, err := sip.ParseMessage([]byte(text))
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(0) // it is another behaviour, not a failure to try it
	}
	return message.(*sip.Request)
}
GO
seen=$(go run .) || exit 2

expected='From: <sip:a@example.com>;tag=1
  tag "1"
  From: <sip:a@example.com>;tag=1
From: <sip:a@example.com>;tag = 1
  tag ""
  From: <sip:a@example.com>;tag =" 1"
Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1
  host "192.0.2.1" port 5070 branch "z9hG4bK1"
  Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1
Via: SIP/2.0/UDP 192.0.2.1:5070 ;branch=z9hG4bK1
  host "" port 0 branch ""
  Via: SIP/2.0/UDP
Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1 ;ttl=1
  host "192.0.2.1" port 5070 branch "z9hG4bK1 "
  Via: SIP/2.0/UDP 192.0.2.1:5070;branch="z9hG4bK1 ";ttl=1'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
