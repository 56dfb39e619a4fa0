#!/bin/sh
# Software: github.com/rabbitmq/amqp091-go v1.16.0.
#
# Behaviour: a Go int in a table, such as a message's headers, is sent as 32 bits, and what does not fit is
# dropped. A time in milliseconds arrives as a negative number. Neither Validate nor Publish returns an error.
# As int64 the same number arrives whole.
#
# Most people would expect: an int has 64 bits on today's machines and AMQP has a field of that size, so the
# number arrives; or a number that does not fit is refused.
#
# Output seen, of a server that reads what is sent; I is AMQP's name for 32 bits, l for 64:
#   int    1700000000000  Validate <nil>  Publish <nil>  sent I -807049216
#   int64  1700000000000  Validate <nil>  Publish <nil>  sent l 1700000000000
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

require github.com/rabbitmq/amqp091-go v1.16.0
GO
cat >main.go <<'GO'
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"

	amqp "github.com/rabbitmq/amqp091-go"
)

func main() {
	for _, sent := range []any{int(1_700_000_000_000), int64(1_700_000_000_000)} {
		if err := publish(sent); err != nil {
			log.Fatal(err)
		}
	}
}

// publish sends a message with the header "at" to a server of our own, and prints what arrives.
func publish(at any) error {
	client, server := net.Pipe()
	defer client.Close()
	arrived := make(chan []byte, 1)
	go serve(server, arrived)

	dial := func(string, string) (net.Conn, error) { return client, nil }
	conn, err := amqp.DialConfig("amqp://guest:guest@broker/", amqp.Config{Dial: dial})
	if err != nil {
		return err
	}
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	headers := amqp.Table{"at": at}
	err = channel.PublishWithContext(context.Background(), "", "queue", false, false, amqp.Publishing{Headers: headers})
	fmt.Printf("%T %d Validate %v Publish %v", at, at, headers.Validate(), err)
	if err == nil {
		fmt.Print(" sent ", field(<-arrived))
	}
	fmt.Println()
	return nil
}

// field is the type and value that follow the name "at" in a frame.
func field(frame []byte) string {
	_, rest, found := bytes.Cut(frame, []byte("\x02at"))
	if !found {
		return "nothing"
	}
	switch kind, value := rest[0], rest[1:]; kind {
	case 'I':
		return fmt.Sprintf("%c %d", kind, int32(binary.BigEndian.Uint32(value)))
	case 'l':
		return fmt.Sprintf("%c %d", kind, int64(binary.BigEndian.Uint64(value)))
	default:
		return fmt.Sprintf("%c", kind)
	}
}

// serve plays AMQP's server as far as the first header of a message.
func serve(conn net.Conn, arrived chan<- []byte) {
	io.ReadFull(conn, make([]byte, 8)) // the protocol's name and version
	start := "\x00\x09\x00\x00\x00\x00" + "\x00\x00\x00\x05PLAIN" + "\x00\x00\x00\x05en_US"
	conn.Write(method(0, 10, 10, start))
	for {
		head := make([]byte, 7)
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[3:])+1)
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		if head[0] == 2 { // a message's header
			arrived <- body
			continue
		}
		switch [4]byte(body) {
		case [4]byte{0, 10, 0, 11}: // start-ok
			conn.Write(method(0, 10, 30, "\x00\x00\x00\x02\x00\x00\x00\x00")) // tune: frames of 128 KiB, no heartbeat
		case [4]byte{0, 10, 0, 40}: // open
			conn.Write(method(0, 10, 41, "\x00"))
		case [4]byte{0, 20, 0, 10}: // open a channel
			conn.Write(method(1, 20, 11, "\x00\x00\x00\x00"))
		}
	}
}

// method is a frame that calls method id of class on channel.
func method(channel, class, id uint16, arguments string) []byte {
	frame := binary.BigEndian.AppendUint16([]byte{1}, channel)
	frame = binary.BigEndian.AppendUint32(frame, uint32(4+len(arguments)))
	frame = binary.BigEndian.AppendUint16(frame, class)
	frame = binary.BigEndian.AppendUint16(frame, id)
	return append(append(frame, arguments...), 0xCE)
}
GO
seen=$(go run .) || exit 2

expected='int 1700000000000 Validate <nil> Publish <nil> sent I -807049216
int64 1700000000000 Validate <nil> Publish <nil> sent l 1700000000000'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
