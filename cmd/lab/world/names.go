//go:build linux

package world

import "fmt"

// Node is the name of node n, counted from 0.
func Node(n int) string { return fmt.Sprintf("node%02d", n+1) }

// Number is number n, counted from 0.
func Number(n int) string { return "+" + BareNumber(n) }

// BareNumber is number n as most carriers write it: without the plus.
func BareNumber(n int) string { return fmt.Sprintf("271%08d", n) }

// Domain is the domain of tenant n, counted from 0.
func Domain(n int) string { return fmt.Sprintf("t%04d.example", n+1) }

// scatter is a prime beyond any size of a world.
const scatter = 2_654_435_761

// Scattered is the i-th of count rows that are asked for. It visits every row once before it comes back, and rows that follow
// each other are far apart.
func Scattered(i, count int) int { return i * scatter % count }
