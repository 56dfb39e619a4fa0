#!/bin/sh
# Software: github.com/spf13/viper v1.21.0, with the YAML decoder that it requires.
#
# Behaviour: what digits after a leading zero mean depends on whether an 8 or a 9 is among them, and on where
# they are written. In the environment 0700 is the number 448, and 0800 is 0 without an error. In a YAML file
# 0700 is 448, even as text, and 0800 is 800.
#
# Most people would expect: 700 and 800 as numbers, "0700" and "0800" as text. Whoever knows of octal expects
# an error for 0800, and the same from both sources. Phone numbers and extensions have such zeros.
#
# Output seen:
#   written  from         as text  as number
#   0700     environment  0700     448
#   0800     environment  0800     0
#   0700     file         448      448
#   0800     file         800      800
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

require github.com/spf13/viper v1.21.0
GO
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/spf13/viper"
)

func main() {
	for _, digits := range []string{"0700", "0800"} {
		os.Setenv("FINDING_EXTENSION", digits)
		v := viper.New()
		v.SetEnvPrefix("finding")
		v.AutomaticEnv()
		show(digits, "environment", v)
	}
	for _, digits := range []string{"0700", "0800"} {
		v := viper.New()
		v.SetConfigType("yaml")
		if err := v.ReadConfig(strings.NewReader("extension: " + digits + "\n")); err != nil {
			log.Fatal(err)
		}
		show(digits, "file", v)
	}
}

func show(digits, from string, v *viper.Viper) {
	fmt.Println(digits, from, v.GetString("extension"), v.GetInt("extension"))
}
GO
seen=$(go run .) || exit 2

expected='0700 environment 0700 448
0800 environment 0800 0
0700 file 448 448
0800 file 800 800'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
