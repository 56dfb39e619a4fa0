#!/bin/sh
# Software: modesl 1.2.1 (npm), a client of FreeSWITCH's event socket.
#
# Behaviour: after one api command that the user may not run, modesl hands each answer to the command before
# it. FreeSWITCH answers a permitted api command with an api/response, and a refused one with a command/reply.
# modesl has a queue for each of the two, so a refused command stays in the wrong one and gets the next
# command's answer.
#
# Most people would expect: answers come in the order of the commands and are paired in that order, and
# whoever sent the refused command hears that it was refused.
#
# Output seen; the server sends what FreeSWITCH sends to a user whose esl-allowed-api has version and hostname:
#   reloadxml was answered FreeSWITCH Version 1.11
#   version was answered sw1
#   hostname was not answered
#
# Exit: 0 as described, 1 the behaviour is another, 2 it could not be tried.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' INT TERM
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts modesl@1.2.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.js <<'JS'
const net = require('net');
const { Connection } = require('modesl');

const reply = (text) => `Content-Type: command/reply\nReply-Text: ${text}\n\n`;
const response = (text) => `Content-Type: api/response\nContent-Length: ${text.length}\n\n${text}`;
const answers = {
  'api reloadxml': reply('-ERR permission denied'),
  'api version': response('FreeSWITCH Version 1.11'),
  'api hostname': response('sw1'),
  exit: reply('+OK bye'),
};

const server = net.createServer((socket) => {
  let unread = '';
  socket.write('Content-Type: auth/request\n\n');
  socket.on('data', (data) => {
    const commands = (unread + data).split('\n\n');
    unread = commands.pop();
    for (const command of commands) {
      socket.write(answers[command] ?? reply('+OK accepted'));
      if (command === 'exit') {
        socket.end();
      }
    }
  });
});

server.listen(0, '127.0.0.1', () => {
  const answered = {};
  const connection = new Connection('127.0.0.1', server.address().port, 'password', () => {
    for (const command of ['reloadxml', 'version', 'hostname']) {
      connection.api(command, (event) => {
        answered[command] = event.getBody();
      });
    }
    connection.send('exit'); // when the server has closed, all answers are there
  });
  connection.on('esl::end', () => {
    for (const command of ['reloadxml', 'version', 'hostname']) {
      const answer = answered[command];
      console.log(command, answer === undefined ? 'was not answered' : `was answered ${answer}`);
    }
    server.close();
  });
});
JS
seen=$(timeout 60 node --no-deprecation finding.js) || exit 2

expected='reloadxml was answered FreeSWITCH Version 1.11
version was answered sw1
hostname was not answered'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
