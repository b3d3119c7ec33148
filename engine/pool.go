package engine

import (
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
	left    sync.WaitGroup
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
var workers = struct {
	mu    sync.Mutex
	count int
	jobs  chan *job
}{jobs: make(chan *job)}

// hire makes sure that at least n workers exist.
func hire(n int) {
	workers.mu.Lock()
	defer workers.mu.Unlock()
	for ; workers.count < n; workers.count++ {
		go func() {
			for j := range workers.jobs {
				j.take()
				j.left.Done()
			}
		}()
	}
}

// do runs the job with the help of idle workers and returns what a task
// panicked with, nil when none did.
func (j *job) do(threads int) any {
	j.next.Store(0)
	j.slots.Store(0)
	j.fail.Store(nil)
	for range min(threads, int(j.tasks)) - 1 {
		j.left.Add(1)
		select {
		case workers.jobs <- j:
			continue
		default:
			j.left.Done()
		}
		break
	}
	j.take()
	j.left.Wait()
	if p := j.fail.Load(); p != nil {
		return *p
	}
	return nil
}
