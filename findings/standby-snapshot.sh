#!/bin/sh
# Software: PostgreSQL 15.18 (Debian 12: postgresql-15 15.18-0+deb12u1).
#
# Behaviour: on a hot standby pg_current_snapshot() lists no transaction as in progress, though one is. So
# pg_visible_in_snapshot() says that an open transaction is visible. Its rows are not: the standby's queries
# use a right snapshot, and only what the function shows of it is wrong.
#
# Most people would expect: the function shows the snapshot that queries use, on a standby as on a primary. A
# reader that keeps snapshots and asks for the rows that were not visible in the last one loses those of a
# transaction that was open then. On a primary the same reader loses nothing.
#
# Output seen, with one transaction open on the primary (its row is counted by xmin, then asked by its id):
#   primary  in progress 1  rows seen 0  visible f
#   standby  in progress 0  rows seen 0  visible t
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

standby() { "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$dir/second" -U postgres "$@"; }

stop_all() {
    exec 3>&-
    [ ! -e second/data/postmaster.pid ] || $as "$bin/pg_ctl" -s -D second/data -m immediate stop
    finish
}
follow() {
    mkdir -m 700 second
    [ -z "$as" ] || chown 65534:65534 second || return
    $as "$bin/pg_basebackup" -h "$dir/run" -U postgres -D second/data -R -X stream -c fast &&
        $as "$bin/pg_ctl" -w -s -D second/data -l second/log -o "-k $dir/second -c listen_addresses='' -c jit=off" start
}
mkfifo open
exec 3<>open
trap stop_all EXIT
psql -c 'CREATE TABLE change (what text)' && follow || exit 2

# A transaction that stays open, and one that commits after it. The standby that shows the second has read of the
# first.
"$bin/psql" -X -q -A -t -h "$dir/run" -U postgres <open >xid 3>&- &
echo "BEGIN; INSERT INTO change VALUES ('open'); SELECT pg_current_xact_id();" >&3
tries=0
until [ -s xid ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || exit 2
    sleep 0.2
done
psql -c "INSERT INTO change VALUES ('committed')" || exit 2
until [ "$(standby -c 'SELECT what FROM change')" = committed ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || exit 2
    sleep 0.2
done

xid=$(cat xid)
question="SELECT
    (SELECT count(*) FROM pg_snapshot_xip(pg_current_snapshot())),
    (SELECT count(*) FROM change WHERE xmin::text = '$xid'),
    pg_visible_in_snapshot('$xid', pg_current_snapshot())"

expected='primary 1|0|f
standby 0|0|t'

seen="primary $(psql -c "$question")
standby $(standby -c "$question")"

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
