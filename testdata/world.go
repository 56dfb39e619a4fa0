package testdata

import _ "embed"

// World is SQL that makes a world of any size, to measure with. It wants a migrated database without tenants, and takes
// the sizes from the session's settings world.numbers and the like.
//
//go:embed world.sql
var World string
