package engine

import (
	"slices"
	"sync"
	"sync/atomic"
)

// job is the tasks of one step. Whoever takes part draws tasks until none are
// left; which task runs where does not matter to the result.
type job struct {
	run     func(f *frame, task int, scratch []float32)
	frame   *frame
	scratch int // floats per thread
	tasks   int64
	next    atomic.Int64
	slots   atomic.Int64 // scratch areas taken
	helpers int          // still welcome; under the lock of the workers
	left    sync.WaitGroup
	working atomic.Int64 // helpers that have not left yet
	fail    atomic.Pointer[any]
}

// take draws tasks until there are none.
func (j *job) take() {
	defer j.caught()
	slot := int(j.slots.Add(1)) - 1
	scratch := j.frame.scratch[slot*j.scratch : (slot+1)*j.scratch]
	for i := j.next.Add(1) - 1; i < j.tasks; i = j.next.Add(1) - 1 {
		j.run(j.frame, int(i), scratch)
	}
}

// caught keeps what a task panicked with and lets no further task start.
func (j *job) caught() {
	if p := recover(); p != nil {
		first := p // moved to the heap only here
		j.fail.CompareAndSwap(nil, &first)
		j.next.Store(j.tasks)
	}
}

// workers are the threads of the process that help sessions; there are as many
// as the most demanding session asked for.
var workers = newCrew()

type crew struct {
	mu    sync.Mutex
	wake  sync.Cond
	count int
	jobs  []*job // that welcome helpers
	open  atomic.Int64
}

func newCrew() *crew {
	c := &crew{}
	c.wake.L = &c.mu
	return c
}

// hire makes sure that at least n workers exist.
func (c *crew) hire(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; c.count < n; c.count++ {
		go c.work()
	}
}

func (c *crew) work() {
	c.mu.Lock()
	for {
		j := c.find()
		if j == nil {
			c.idle()
			continue
		}
		j.left.Add(1)
		j.working.Add(1)
		c.mu.Unlock()
		j.take()
		j.left.Done()
		j.working.Add(-1)
		c.mu.Lock()
	}
}

// patience is how often a thread looks before it sleeps, for a new job or for the
// last task of its own: what it waits for mostly comes within microseconds, waking
// takes longer, on virtual machines as long as a step. It lasts some tenths of a
// millisecond.
const patience = 500_000

// spun reports whether something became true before patience ran out.
func spun(done func() bool) bool {
	for range patience {
		if done() {
			return true
		}
	}
	return false
}

// idle waits for a job to be posted; the lock is held before and after.
func (c *crew) idle() {
	c.mu.Unlock()
	found := spun(func() bool { return c.open.Load() > 0 })
	c.mu.Lock()
	if !found && len(c.jobs) == 0 {
		c.wake.Wait()
	}
}

// find takes a place at a job, nil where none is free.
func (c *crew) find() *job {
	for i, j := range c.jobs {
		if j.helpers--; j.helpers == 0 {
			c.jobs = slices.Delete(c.jobs, i, i+1)
			c.open.Add(-1)
		}
		return j
	}
	return nil
}

// post asks for helpers.
func (c *crew) post(j *job, helpers int) {
	c.mu.Lock()
	j.helpers = helpers
	c.jobs = append(c.jobs, j)
	c.open.Add(1)
	c.mu.Unlock()
	for range helpers {
		c.wake.Signal()
	}
}

// withdraw wants no more helpers.
func (c *crew) withdraw(j *job) {
	c.mu.Lock()
	if i := slices.Index(c.jobs, j); i >= 0 {
		c.jobs = slices.Delete(c.jobs, i, i+1)
		c.open.Add(-1)
	}
	c.mu.Unlock()
}

// do runs the job with the help of idle workers and returns what a task
// panicked with, nil when none did.
func (j *job) do(threads int) any {
	j.next.Store(0)
	j.slots.Store(0)
	j.fail.Store(nil)
	if helpers := min(threads, int(j.tasks)) - 1; helpers > 0 {
		workers.post(j, helpers)
		j.take()
		workers.withdraw(j)
		spun(func() bool { return j.working.Load() == 0 })
		j.left.Wait()
	} else {
		j.take()
	}
	if p := j.fail.Load(); p != nil {
		return *p
	}
	return nil
}
