#!/bin/sh
# Software: jssip 3.13.8 (npm).
#
# Behaviour: a SIP URI that JsSIP parses and writes again has ; and = in its user part escaped. The parameters
# of a telephone number, such as phone-context or isub, become part of the number, so another number is
# called.
#
# Most people would expect: a URI that nobody touched comes out as it went in. To escape a character changes
# nothing, one would think, but RFC 3261 says so only of those that are not reserved, and ; and = are. The
# plus sign, which is reserved too, stays.
#
# Output seen:
#   sip:7042;phone-context=example.com@192.0.2.1;user=phone
#     sip:7042%3Bphone-context%3Dexample.com@192.0.2.1;user=phone
#   <sip:+27123456780;isub=1411@example.com>;tag=1
#     <sip:+27123456780%3Bisub%3D1411@example.com>;tag=1
#   sip:+27123456780@example.com
#     sip:+27123456780@example.com
#
# Exit: 0 as described, 1 the behaviour is another, 2 it could not be tried.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' INT TERM
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts jssip@3.13.8 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.js <<'JS'
const { URI, NameAddrHeader } = require('jssip');

for (const [kind, text] of [
  [URI, 'sip:7042;phone-context=example.com@192.0.2.1;user=phone'],
  [NameAddrHeader, '<sip:+27123456780;isub=1411@example.com>;tag=1'],
  [URI, 'sip:+27123456780@example.com'],
]) {
  console.log(text);
  console.log(`  ${kind.parse(text)}`);
}
JS
seen=$(node finding.js) || exit 2

expected='sip:7042;phone-context=example.com@192.0.2.1;user=phone
  sip:7042%3Bphone-context%3Dexample.com@192.0.2.1;user=phone
<sip:+27123456780;isub=1411@example.com>;tag=1
  <sip:+27123456780%3Bisub%3D1411@example.com>;tag=1
sip:+27123456780@example.com
  sip:+27123456780@example.com'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
