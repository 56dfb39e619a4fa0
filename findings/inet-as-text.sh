#!/bin/sh
# Software: PostgreSQL 15.18 (Debian 12: postgresql-15 15.18-0+deb12u1).
#
# Behaviour: the text of an inet value depends on who makes it. The cast ::text, the operator || and
# quote_literal() write a single address with its prefix length, 10.0.0.1/32. What psql shows, concat(),
# format(), a cast of a whole row, JSON and XML write 10.0.0.1.
#
# Most people would expect: x::text is what psql shows for x, and 'a' || x is concat('a', x), as they are for
# text, numbers, dates and JSON. A configuration file made with || gets another address than one made with
# format().
#
# Output seen:
#   shown          10.0.0.1
#   cast           10.0.0.1/32
#   ||             10.0.0.1/32
#   quote_literal  '10.0.0.1/32'
#   concat         10.0.0.1
#   format         10.0.0.1
#   row            (10.0.0.1)
#   to_json        "10.0.0.1"
#   xmlelement     <a>10.0.0.1</a>
#   cast = concat  f
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

expected="shown|10.0.0.1
cast|10.0.0.1/32
|||10.0.0.1/32
quote_literal|'10.0.0.1/32'
concat|10.0.0.1
format|10.0.0.1
row|(10.0.0.1)
to_json|\"10.0.0.1\"
xmlelement|<a>10.0.0.1</a>
cast = concat|f"

seen=$(psql <<'SQL'
CREATE TABLE node (ip inet);
INSERT INTO node VALUES ('10.0.0.1');
SELECT 'shown', ip FROM node;
SELECT 'cast', ip::text FROM node;
SELECT '||', '' || ip FROM node;
SELECT 'quote_literal', quote_literal(ip) FROM node;
SELECT 'concat', concat(ip) FROM node;
SELECT 'format', format('%s', ip) FROM node;
SELECT 'row', node::text FROM node;
SELECT 'to_json', to_json(ip) FROM node;
SELECT 'xmlelement', xmlelement(NAME a, ip) FROM node;
SELECT 'cast = concat', ip::text = concat(ip) FROM node;
SQL
) || exit 2

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
