package engine

import (
	"context"
	"sync/atomic"
)

// job is the tasks of one step. Every thread has a range of them, so that it finds
// in its caches what it wrote in the step before, and takes from the end of others'
// when its own are done. Which task runs where does not matter to the result.
type job struct {
	run     func(f *frame, task int, scratch []float32)
	ctx     context.Context // ends the job between tasks
	frame   *frame
	scratch int // floats per thread
	tasks   int
	shares  []share // by thread
	helpers []*worker
	// state counts seats for helpers that are still free, in units of seat, and
	// helpers at work.
	state atomic.Uint64
	bell  bell // of who waits for helpers to finish
	left  func() bool
	fail  atomic.Pointer[any]
}

// seat is the unit in which a job's state counts free seats.
const seat = 1 << 32

// share is a range of tasks from<<32|to, alone in its cache lines.
type share struct {
	atomic.Uint64
	_ [120]byte
}

func (j *job) init(f *frame, threads int) {
	j.frame, j.scratch = f, f.s.work
	j.shares = make([]share, threads)
	j.bell = newBell()
	j.left = func() bool { return j.state.Load() == 0 }
}

// do runs the job with the help of the workers that it has and returns what a
// task panicked with, nil when none did.
func (j *job) do(ctx context.Context) any {
	j.ctx = ctx
	helpers := j.helpers[:min(len(j.helpers), max(0, j.tasks-1))]
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
func (j *job) deal(threads int) {
	for i := range j.shares {
		from, to := 0, 0
		if i < threads {
			from, to = i*j.tasks/threads, (i+1)*j.tasks/threads
		}
		j.shares[i].Store(uint64(from)<<32 | uint64(to))
	}
}

// open reports whether the job has a seat for a helper.
func (j *job) open() bool { return j.state.Load() >= seat }

// help takes a seat, if there still is one, and draws tasks.
func (j *job) help() {
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
func (j *job) take(thread int) {
	defer j.caught()
	scratch := j.frame.scratch[thread*j.scratch : (thread+1)*j.scratch]
	for i, ok := j.draw(thread); ok && j.ctx.Err() == nil; i, ok = j.draw(thread) {
		j.run(j.frame, i, scratch)
	}
}

// caught keeps what a task panicked with and lets no further task start.
func (j *job) caught() {
	if p := recover(); p != nil {
		first := p // moved to the heap only here
		j.fail.CompareAndSwap(nil, &first)
		for i := range j.shares {
			j.shares[i].Store(0)
		}
	}
}

// draw returns the next task of a thread.
func (j *job) draw(thread int) (int, bool) {
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
