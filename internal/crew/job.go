package crew

import (
	"context"
	"sync/atomic"
)

// Job is the tasks of one step after the other. Every thread has a range of them, so that it finds
// in its caches what it wrote in the step before, and takes from the end of others'
// when its own are done. Which task runs where does not matter to the result.
type Job struct {
	Run   func(thread, task int) // thread counts from 0, who calls Do
	Tasks int

	ctx     context.Context // ends the job between tasks
	shares  []share         // by thread
	helpers []*worker
	// state counts seats for helpers that are still free, in units of seat, and
	// helpers at work.
	state atomic.Uint64
	bell  bell // of who waits for helpers to finish
	left  func() bool
	fail  atomic.Pointer[any]
}

// seat is the unit in which a Job's state counts free seats.
const seat = 1 << 32

// share is a range of tasks from<<32|to, alone in its cache lines.
type share struct {
	atomic.Uint64
	_ [120]byte
}

// Init prepares a job for up to so many threads.
func (j *Job) Init(threads int) {
	j.shares = make([]share, threads)
	j.bell = newBell()
	j.left = func() bool { return j.state.Load() == 0 }
}

// Do runs all tasks with the help of the workers that the job has, until ctx ends,
// and returns what a task panicked with, nil when none did.
func (j *Job) Do(ctx context.Context) any {
	j.ctx = ctx
	helpers := j.helpers[:min(len(j.helpers), max(0, j.Tasks-1))]
	if workers.crowded() {
		helpers = nil
	}
	j.deal(len(helpers) + 1)
	if len(helpers) == 0 {
		j.take(0)
	} else {
		j.state.Store(uint64(len(helpers)) * seat)
		for _, w := range helpers {
			w.bell.ring()
		}
		j.take(0)
		j.state.And(seat - 1) // whoever comes now comes too late
		j.bell.wait(j.left)
	}
	if p := j.fail.Swap(nil); p != nil {
		return *p
	}
	return nil
}

// deal gives every thread its range of tasks.
func (j *Job) deal(threads int) {
	for i := range j.shares {
		from, to := 0, 0
		if i < threads {
			from, to = i*j.Tasks/threads, (i+1)*j.Tasks/threads
		}
		j.shares[i].Store(uint64(from)<<32 | uint64(to))
	}
}

// open reports whether the job has a seat for a helper.
func (j *Job) open() bool { return j.state.Load() >= seat }

// help takes a seat, if there still is one, and draws tasks.
func (j *Job) help() {
	for s := j.state.Load(); s >= seat; s = j.state.Load() {
		if j.state.CompareAndSwap(s, s-seat+1) {
			j.take(int(s / seat))
			if j.state.Add(^uint64(0)) == 0 {
				j.bell.ring()
			}
			return
		}
	}
}

// take draws tasks until there are none. Thread 0 is who runs the job.
func (j *Job) take(thread int) {
	defer j.caught()
	for i, ok := j.draw(thread); ok && j.ctx.Err() == nil; i, ok = j.draw(thread) {
		j.Run(thread, i)
	}
}

// caught keeps what a task panicked with and lets no further task start.
func (j *Job) caught() {
	if p := recover(); p != nil {
		first := p // moved to the heap only here
		j.fail.CompareAndSwap(nil, &first)
		for i := range j.shares {
			j.shares[i].Store(0)
		}
	}
}

// draw returns the next task of a thread.
func (j *Job) draw(thread int) (int, bool) {
	if i, ok := j.shares[thread].first(); ok {
		return i, true
	}
	for k := range len(j.shares) - 1 {
		if i, ok := j.shares[(thread+1+k)%len(j.shares)].last(); ok {
			return i, true
		}
	}
	return 0, false
}

// first takes the first task of a range.
func (s *share) first() (int, bool) {
	for x := s.Load(); x>>32 < x&(1<<32-1); x = s.Load() {
		if s.CompareAndSwap(x, x+1<<32) {
			return int(x >> 32), true
		}
	}
	return 0, false
}

// last takes the last one.
func (s *share) last() (int, bool) {
	for x := s.Load(); x>>32 < x&(1<<32-1); x = s.Load() {
		if s.CompareAndSwap(x, x-1) {
			return int(x&(1<<32-1)) - 1, true
		}
	}
	return 0, false
}
