#!/bin/sh
# Software: PostgreSQL 15.18 (Debian 12: postgresql-15 15.18-0+deb12u1).
#
# Behaviour: on a subscriber of logical replication an UPDATE counts as one of columns that it did not set. A
# row trigger AFTER UPDATE OF password fires there though the publisher's statement set another column and the
# password is the same as before. On the publisher the same trigger stays silent.
#
# Most people would expect: UPDATE OF means the columns that the publisher's statement set, on both sides; or
# on the subscriber at least those that differ.
#
# Output seen, after UPDATE gateway SET note = 'new' on the publisher; both have the same triggers, and the
# subscriber's are ENABLE ALWAYS:
#   publisher   note_set
#   subscriber  note_set
#   subscriber  password_set
#
# What helps: the condition WHEN (OLD.password IS DISTINCT FROM NEW.password); that trigger fires on neither
# side.
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
            -o "-k $dir/run -c listen_addresses='' -c jit=off -c timezone=UTC -c wal_level=logical" start
}
start || exit 2
psql() { "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$dir/run" -U postgres "$@"; }


# Both sides have the same table and triggers. A trigger names its tables in full: the subscriber's worker has an
# empty search_path.
tables() {
    psql -d "$1" <<'SQL'
CREATE TABLE gateway (name text PRIMARY KEY, password text, note text);
CREATE TABLE fired (id int GENERATED ALWAYS AS IDENTITY, trigger text);
CREATE FUNCTION record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.fired (trigger) VALUES (TG_NAME);
    RETURN NULL;
END $$;
CREATE TRIGGER note_set AFTER UPDATE OF note ON gateway FOR EACH ROW EXECUTE FUNCTION record();
CREATE TRIGGER password_set AFTER UPDATE OF password ON gateway FOR EACH ROW EXECUTE FUNCTION record();
CREATE TRIGGER password_differs AFTER UPDATE ON gateway FOR EACH ROW
    WHEN (OLD.password IS DISTINCT FROM NEW.password) EXECUTE FUNCTION record();
ALTER TABLE gateway
    ENABLE ALWAYS TRIGGER note_set,
    ENABLE ALWAYS TRIGGER password_set,
    ENABLE ALWAYS TRIGGER password_differs;
SQL
}

# await waits until the subscriber's only row has the note $1.
await() {
    tries=0
    until [ "$(psql -d subscriber -c 'SELECT note FROM gateway')" = "$1" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { echo "the subscriber never got $1" >&2; return 1; }
        sleep 0.2
    done
}

# The slot is made apart: within one cluster CREATE SUBSCRIPTION would wait for itself.
replicate() {
    psql -c 'CREATE DATABASE publisher' -c 'CREATE DATABASE subscriber' && tables publisher && tables subscriber &&
        psql -d publisher >slot.log <<'SQL' &&
INSERT INTO gateway VALUES ('twilio', 'secret', 'old');
CREATE PUBLICATION gateways FOR TABLE gateway;
SELECT pg_create_logical_replication_slot('gateways', 'pgoutput');
SQL
        psql -d subscriber <<SQL && await old
CREATE SUBSCRIPTION gateways CONNECTION 'host=$dir/run user=postgres dbname=publisher'
    PUBLICATION gateways WITH (create_slot = false);
SQL
}
replicate || exit 2

psql -d publisher -c "UPDATE gateway SET note = 'new'" || exit 2
await new || exit 2

expected='publisher|note_set
subscriber|note_set
subscriber|password_set'

seen=$(for side in publisher subscriber; do
    psql -d $side -c "SELECT '$side', trigger FROM fired ORDER BY id"
done)

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
