#!/bin/sh
# Software: github.com/spf13/viper v1.21.0.
#
# Behaviour: a list in an environment variable is cut at blanks by GetStringSlice, and at commas by Unmarshal.
# The same key of the same instance is two different lists.
#
# Most people would expect: Unmarshal fills a struct with what the getters return, and a list of networks or
# hosts is cut at commas in both.
#
# Output seen:
#   value               GetStringSlice           Unmarshal
#   "db1,db2"           ["db1,db2"]              ["db1" "db2"]
#   "db1 db2"           ["db1" "db2"]            ["db1 db2"]
#   "db1, db2"          ["db1," "db2"]           ["db1" " db2"]
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
	"os"

	"github.com/spf13/viper"
)

func main() {
	for _, value := range []string{"db1,db2", "db1 db2", "db1, db2"} {
		os.Setenv("FINDING_HOSTS", value)
		v := viper.New()
		v.SetEnvPrefix("finding")
		v.AutomaticEnv()
		v.SetDefault("hosts", []string{})
		var settings struct{ Hosts []string }
		if err := v.Unmarshal(&settings); err != nil {
			fmt.Println(err)
		}
		fmt.Printf("%q %q %q\n", value, v.GetStringSlice("hosts"), settings.Hosts)
	}
}
GO
seen=$(go run .) || exit 2

expected='"db1,db2" ["db1,db2"] ["db1" "db2"]
"db1 db2" ["db1" "db2"] ["db1 db2"]
"db1, db2" ["db1," "db2"] ["db1" " db2"]'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
