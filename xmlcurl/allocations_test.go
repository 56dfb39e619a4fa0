//go:build !race

package xmlcurl

import "testing"

// The promise: a call is answered with at most 60 allocations and 16 KiB, the lookup's share included; most of it is
// kept for the lookup. Not with the race detector, which has sync.Pool forget things. The least of several counts: a collection
// empties the pools, and on a busy machine there are more of them for each answer.
func TestAllocations(t *testing.T) {
	allocs, bytes := int64(1<<62), int64(1<<62)
	for range 3 {
		result := testing.Benchmark(BenchmarkServer)
		allocs, bytes = min(allocs, result.AllocsPerOp()), min(bytes, result.AllocedBytesPerOp())
	}
	if allocs > 30 || bytes > 8<<10 {
		t.Errorf("%d allocations, %d bytes", allocs, bytes)
	}
}
