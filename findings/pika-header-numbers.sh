#!/bin/sh
# Software: pika 1.2.0 (Debian 12: python3-pika 1.2.0-1).
#
# Behaviour: pika reads some numbers in AMQP tables, such as a message's headers, as others than were sent.
# Fractions lose what is behind the point, and negative numbers of 8 or 64 bits become large positive ones. So
# pika does not read what pika wrote.
#
# Most people would expect: a header of 0.75 arrives as 0.75, or with an error; and what a library encodes, it
# decodes.
#
# Output seen; the names of the types are AMQP's, as RabbitMQ and its clients use them:
#   d double             0.75         read as 0
#   f float              -1.5         read as -1
#   b 8 bits, signed     -1           read as 255
#   B 8 bits, unsigned   200          read as -56
#   l 64 bits, signed    -3000000000  read as 18446744070709551616
#   written by pika      -3000000000  read as 18446744070709551616
#
# Exit: 0 as described, 1 the behaviour is another, 2 it could not be tried.
set -eu
version=1.2.0-1

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' INT TERM
cd "$dir"

download() { apt-get download -qq -o APT::Sandbox::User=root "python3-pika=$version"; }
download || { apt-get update -qq && download; } || exit 2
dpkg -x python3-pika_*.deb . || exit 2

cat >finding.py <<'PYTHON'
import struct

from pika.data import decode_table, encode_table


def read(table):
    try:
        return decode_table(table, 0)[0]["x"]
    except Exception as refusal:
        return repr(refusal)


def sent(kind, layout, value):
    """An AMQP table with one field x, as another client would send it."""
    field = b"\x01x" + kind + struct.pack(layout, value)
    return struct.pack(">I", len(field)) + field


def written(value):
    pieces = []
    encode_table(pieces, {"x": value})
    return b"".join(pieces)


for kind, layout, value in [
    (b"d", ">d", 0.75),
    (b"f", ">f", -1.5),
    (b"b", ">b", -1),
    (b"B", ">B", 200),
    (b"l", ">q", -3000000000),
]:
    print(kind.decode(), value, "read as", read(sent(kind, layout, value)))
print("pika", -3000000000, "read as", read(written(-3000000000)))
PYTHON
seen=$(PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$dir/usr/lib/python3/dist-packages" python3 finding.py) || exit 2

expected='d 0.75 read as 0
f -1.5 read as -1
b -1 read as 255
B 200 read as -56
l -3000000000 read as 18446744070709551616
pika -3000000000 read as 18446744070709551616'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
