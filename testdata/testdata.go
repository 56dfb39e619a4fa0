// Package testdata holds the demo world, for the program that loads it and the
// tests that look at it.
package testdata

import _ "embed"

// Demo is the demo world as SQL. It wants a migrated database without tenants.
//
//go:embed demo.sql
var Demo string
