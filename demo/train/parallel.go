package main

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// shards is into how many parts a batch is cut. Partial sums belong to shards,
// so their number must not depend on the machine.
const shards = 8

// eachShard calls f with every shard of n images, lo to hi-1, on all processors.
func eachShard(n int, f func(shard, lo, hi int)) {
	parallel(shards, func(s int) { f(s, s*n/shards, (s+1)*n/shards) })
}

// parallel calls f with 0 to n-1 on all processors.
func parallel(n int, f func(i int)) {
	var next atomic.Int64
	var done sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		done.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	done.Wait()
}
