//go:build linux

package overload

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

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

// stayOn keeps this program, and the processes that it starts, on some processors.
func stayOn(processors []int) error {
	var set unix.CPUSet
	for _, p := range processors {
		set.Set(p)
	}
	threads, err := os.ReadDir("/proc/self/task") // one that comes later is like that which it comes from
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, _ := strconv.Atoi(thread.Name())
		if err := unix.SchedSetaffinity(id, &set); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("keep to processors %v: %w", processors, err)
		}
	}
	return nil
}
