// Package crew shares the worker threads of the process among jobs: loops that
// follow one another within microseconds, for which starting goroutines each time
// would cost too much.
package crew

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// worker is a thread that helps one job at a time.
type worker struct {
	bell bell
	boss atomic.Pointer[Job] // whom it helps, nil for nobody
}

func (w *worker) work() {
	called := func() bool {
		j := w.boss.Load()
		return j != nil && j.open()
	}
	for {
		w.bell.wait(called)
		if j := w.boss.Load(); j != nil {
			j.help()
		}
	}
}

// crew is the workers of the process. Jobs have some of them for the length of a
// run, as long as there are processors for all threads that are running.
type crew struct {
	mu   sync.Mutex
	free []*worker
	busy atomic.Int64 // jobs that run, and the workers that they have
	most atomic.Int64 // processors that the process may use
}

var workers crew

// Join gives the job as many workers as the threads that it wants allow, besides
// the caller's own; Leave takes them back.
func (j *Job) Join() { workers.join(j, len(j.shares)) }

// Leave takes the workers of Join back.
func (j *Job) Leave() { workers.leave(j) }

// join gives a job as many as the threads that it wants allow, besides the
// caller's own.
func (c *crew) join(j *Job, threads int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most.Store(int64(runtime.GOMAXPROCS(0)))
	c.busy.Add(1)
	for len(j.helpers) < threads-1 && c.busy.Load() < c.most.Load() {
		w := c.hire()
		w.boss.Store(j)
		w.bell.ring() // it takes a while to wake
		j.helpers = append(j.helpers, w)
		c.busy.Add(1)
	}
}

// hire returns a worker that is free, or a new one.
func (c *crew) hire() *worker {
	if n := len(c.free); n > 0 {
		w := c.free[n-1]
		c.free = c.free[:n-1]
		return w
	}
	w := &worker{bell: newBell()}
	go w.work()
	return w
}

// leave takes the workers back.
func (c *crew) leave(j *Job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range j.helpers {
		w.boss.Store(nil)
	}
	c.free = append(c.free, j.helpers...)
	c.busy.Add(-1 - int64(len(j.helpers)))
	j.helpers = j.helpers[:0]
}

// crowded reports whether more threads run than there are processors, so that
// one that looks for work takes time from one that has some.
func (c *crew) crowded() bool {
	return c.busy.Load() > c.most.Load()
}
