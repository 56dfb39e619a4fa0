#!/bin/sh
# Software: github.com/jackc/pgx/v5 v5.12.0; PostgreSQL 15.18 (Debian 12: postgresql-15 15.18-0+deb12u1).
#
# Behaviour: default_query_exec_mode=exec or simple_protocol, which are set for connection poolers, changes
# what the same Go arguments store in a text column. The []byte "secret" becomes the 14 characters
# \x736563726574, and a time.Duration of 90 seconds becomes "00:01:30" instead of "1m30s". No error says so.
#
# Most people would expect: the mode decides about round trips and prepared statements, not about values. What
# a mode cannot send is refused, as the other modes refuse an int for a text column.
#
# Output seen, first the mode, then what is stored for []byte("secret") and for 90*time.Second:
#   cache_statement  secret          1m30s
#   cache_describe   secret          1m30s
#   describe_exec    secret          1m30s
#   exec             \x736563726574  00:01:30
#   simple_protocol  \x736563726574  00:01:30
#
# Exit: 0 as described, 1 the behaviour is another, 2 it could not be tried.
set -eu
version=15.18-0+deb12u1

dir=$(mktemp -d)
chmod 755 "$dir"
as=
[ "$(id -u)" != 0 ] || as='setpriv --reuid=65534 --regid=65534 --clear-groups' # PostgreSQL refuses root
bin=$dir/usr/lib/postgresql/15/bin
finish() {
    [ ! -e "$dir/run/data/postmaster.pid" ] || $as "$bin/pg_ctl" -s -D "$dir/run/data" -m immediate stop
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 2' INT TERM
cd "$dir"

download() {
    apt-get download -qq -o APT::Sandbox::User=root \
        "postgresql-15=$version" "postgresql-client-15=$version" "libpq5=$version"
}
start() {
    download || { apt-get update -qq && download; } || return
    for package in *.deb; do dpkg -x "$package" . || return; done
    LD_LIBRARY_PATH=$(echo "$dir"/usr/lib/*-linux-gnu)
    export LD_LIBRARY_PATH
    mkdir -m 700 run
    [ -z "$as" ] || chown 65534:65534 run || return
    $as "$bin/initdb" -D run/data -U postgres -A trust -N -E UTF8 --locale=C >initdb.log &&
        $as "$bin/pg_ctl" -w -s -D run/data -l run/log \
            -o "-k $dir/run -c listen_addresses='' -c jit=off -c timezone=UTC" start
}
start || exit 2
psql() { "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$dir/run" -U postgres "$@"; }


export GOMODCACHE="$dir/modules" GOFLAGS='-modcacherw -mod=mod' GOWORK=off
mkdir program
cat >program/go.mod <<'GO'
module finding

go 1.26.0

require github.com/jackc/pgx/v5 v5.12.0
GO
cat >program/main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

func main() {
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		store(context.Background(), mode)
	}
}

// store prints what a connection in the mode stores, or why it refuses to.
func store(ctx context.Context, mode string) {
	conn, err := pgx.Connect(ctx, "host="+os.Args[1]+" user=postgres default_query_exec_mode="+mode)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE TEMPORARY TABLE stored (bytes text, duration text)"); err != nil {
		log.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "INSERT INTO stored VALUES ($1, $2)", []byte("secret"), 90*time.Second); err != nil {
		fmt.Println(mode, err)
		return
	}
	var bytes, duration string
	if err := conn.QueryRow(ctx, "SELECT bytes, duration FROM stored").Scan(&bytes, &duration); err != nil {
		log.Fatal(err)
	}
	fmt.Println(mode, bytes, duration)
}
GO
seen=$(cd program && go run . "$dir/run") || exit 2

expected='cache_statement secret 1m30s
cache_describe secret 1m30s
describe_exec secret 1m30s
exec \x736563726574 00:01:30
simple_protocol \x736563726574 00:01:30'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
