#!/bin/sh
# Software: go.etcd.io/bbolt v1.5.0.
#
# Behaviour: for Get a key that was put with the value nil does not exist until the transaction commits, and
# exists from then on. Before the commit ForEach shows it like a nested bucket. A key put with an empty slice
# exists at once.
#
# Most people would expect: a transaction reads what it wrote, and nil and an empty slice are the same value,
# as they are once they are stored. A bucket that serves as a set of keys is easily filled with nil.
#
# Output seen; "nil" is what Get returns for a key that does not exist:
#   put with  Get before the commit  Get after it  ForEach says nested bucket, before  after
#   nil       nil                    empty         true                                false
#   empty     empty                  empty         false                               false
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

require go.etcd.io/bbolt v1.5.0
GO
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"

	bolt "go.etcd.io/bbolt"
)

func main() {
	db, err := bolt.Open("set.db", 0o600, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	fmt.Println("nil", seen(db, nil))
	fmt.Println("empty", seen(db, []byte{}))
}

// seen puts value, and returns what Get says before and after the commit, then what ForEach makes of it.
func seen(db *bolt.DB, value []byte) []string {
	var before, after string
	var nestedBefore, nestedAfter bool
	err := db.Update(func(tx *bolt.Tx) error {
		set, err := tx.CreateBucketIfNotExists([]byte("set"))
		if err != nil {
			return err
		}
		if err := set.Put([]byte("key"), value); err != nil {
			fmt.Println("Put", err)
		}
		before, nestedBefore = look(set)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	err = db.View(func(tx *bolt.Tx) error {
		after, nestedAfter = look(tx.Bucket([]byte("set")))
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	return []string{before, after, fmt.Sprint(nestedBefore), fmt.Sprint(nestedAfter)}
}

// look takes a nil value in ForEach for a nested bucket, which is how it tells one from a key.
func look(set *bolt.Bucket) (got string, nested bool) {
	got = "empty"
	if set.Get([]byte("key")) == nil {
		got = "nil"
	}
	set.ForEach(func(_, v []byte) error {
		nested = v == nil
		return nil
	})
	return got, nested
}
GO
seen=$(go run .) || exit 2

expected='nil [nil empty true false]
empty [empty empty false false]'

printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo 'the behaviour is another now' >&2; exit 1; }
