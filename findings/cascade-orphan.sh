#!/bin/sh
# Software: PostgreSQL 15.18 (Debian 12: postgresql-15 15.18-0+deb12u1).
#
# Behaviour: a BEFORE DELETE trigger that returns NULL keeps its row also from ON DELETE CASCADE. The parent
# goes, the child stays, and the DELETE reports success. The foreign key still counts as valid, and says
# nothing when the child is updated later. Only a restore of the dump, or the constraint made anew, refuses
# the row.
#
# Most people would expect: no statement leaves a row without its parent while the foreign key is valid.
# Either the child goes, or the DELETE fails and both stay.
#
# Output seen; the trigger keeps numbers that are in use:
#   deleted  1 tenant
#   left     0 tenants
#   left     +27123456780 of tenant vumi
#   the foreign key is valid: t
#   updated  +27123456780
#   made anew: ERROR:  insert or update on table "number" violates foreign key constraint "number_tenant_fkey"
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
CREATE TABLE tenant (name text PRIMARY KEY);
CREATE TABLE number (
    number text PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenant ON DELETE CASCADE,
    in_use boolean NOT NULL,
    note text
);
CREATE FUNCTION keep_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.in_use THEN
        RETURN NULL;
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER keep_used BEFORE DELETE ON number FOR EACH ROW EXECUTE FUNCTION keep_used();
INSERT INTO tenant VALUES ('vumi');
INSERT INTO number VALUES ('+27123456780', 'vumi', true), ('+27123456781', 'vumi', false);
SQL

seen=$(psql -v ON_ERROR_STOP=0 2>&1 <<'SQL'
WITH gone AS (DELETE FROM tenant RETURNING name) SELECT 'deleted', count(*), 'tenant' FROM gone;
SELECT 'left', count(*), 'tenants' FROM tenant;
SELECT 'left', number, 'of tenant', tenant FROM number;
SELECT 'the foreign key is valid:', convalidated FROM pg_constraint WHERE conname = 'number_tenant_fkey';
UPDATE number SET note = 'changed' RETURNING 'updated', number;
\set VERBOSITY terse
ALTER TABLE number DROP CONSTRAINT number_tenant_fkey, ADD FOREIGN KEY (tenant) REFERENCES tenant ON DELETE CASCADE;
SQL
) || exit 2

expected='deleted|1|tenant
left|0|tenants
left|+27123456780|of tenant|vumi
the foreign key is valid:|t
updated|+27123456780
ERROR:  insert or update on table "number" violates foreign key constraint "number_tenant_fkey"'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
