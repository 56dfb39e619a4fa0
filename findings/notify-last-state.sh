#!/bin/sh
# Software: PostgreSQL 15.18 (Debian 12: postgresql-15 15.18-0+deb12u1).
#
# Behaviour: a transaction that notifies 'on', 'off', 'on' delivers 'on', 'off'. Of equal notices the first is
# kept, not the last, also across savepoints. A listener that takes the payload for the state ends with the
# wrong one.
#
# Most people would expect: even if equal notices are sent once, the last one heard is the last one sent, so
# that a listener knows the state. That later duplicates are dropped is half a sentence in NOTIFY's
# documentation.
#
# Output seen; in both the row is on at the end:
#   plain       on off
#   savepoints  on off
#
# What helps: a notice that says where to look, not what is there.
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

psql <<'SQL' || exit 2
CREATE TABLE tenant (name text PRIMARY KEY, state text);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(NEW.name, NEW.state);
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER UPDATE ON tenant FOR EACH ROW EXECUTE FUNCTION tell();
INSERT INTO tenant VALUES ('plain'), ('savepoints');
SQL

# psql prints what arrived when a statement has ended.
heard=$(psql <<'SQL'
LISTEN plain;
LISTEN savepoints;

BEGIN;
UPDATE tenant SET state = 'on' WHERE name = 'plain';
UPDATE tenant SET state = 'off' WHERE name = 'plain';
UPDATE tenant SET state = 'on' WHERE name = 'plain';
COMMIT;

BEGIN;
UPDATE tenant SET state = 'on' WHERE name = 'savepoints';
SAVEPOINT first;
UPDATE tenant SET state = 'off' WHERE name = 'savepoints';
RELEASE first;
SAVEPOINT second;
UPDATE tenant SET state = 'on' WHERE name = 'savepoints';
RELEASE second;
COMMIT;

SELECT name, 'is', state FROM tenant ORDER BY name;
SQL
) || exit 2

seen=$(printf '%s\n' "$heard" |
    sed 's/^Asynchronous notification "\(.*\)" with payload "\(.*\)" received .*/\1|heard|\2/')

expected='plain|heard|on
plain|heard|off
savepoints|heard|on
savepoints|heard|off
plain|is|on
savepoints|is|on'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
