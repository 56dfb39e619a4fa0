package main

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// When more is asked than can be answered, servers and load must not take the processors from each other: then it would
// be the load that waits, and nobody would know for what. So each has one half of them.
func serversProcessors() []int { return processors()[:runtime.NumCPU()/2] }
func loadsProcessors() []int   { return processors()[runtime.NumCPU()/2:] }

func processors() []int {
	all := make([]int, runtime.NumCPU())
	for i := range all {
		all[i] = i
	}
	return all
}

// stayOn keeps this thread, and the processes that it starts, on some processors.
func stayOn(processors []int) error {
	var set unix.CPUSet
	for _, p := range processors {
		set.Set(p)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("keep a thread on processors %v: %w", processors, err)
	}
	return nil
}
