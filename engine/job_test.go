package engine

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// newJob is a job with helpers on as many processors as it has threads.
func newJob(t *testing.T, threads, tasks int, run func(task int)) *job {
	before := runtime.GOMAXPROCS(threads)
	j := &job{tasks: tasks, run: func(_ *frame, task int, _ []float32) { run(task) }}
	j.init(&frame{s: &special{}}, threads)
	workers.join(j, threads)
	t.Cleanup(func() {
		workers.leave(j)
		runtime.GOMAXPROCS(before)
	})
	return j
}

// TestHelpers has tasks that wait for each other, which only threads at the same
// time can finish, again and again.
func TestHelpers(t *testing.T) {
	meet := make(chan int)
	j := newJob(t, 3, 3, func(task int) {
		if task == 0 {
			<-meet
			<-meet
			return
		}
		meet <- task
	})
	for i := range 300 {
		if i%100 == 0 {
			time.Sleep(2 * patience) // the helpers fall asleep
		}
		if p := j.do(context.Background()); p != nil {
			t.Fatal(p)
		}
	}
}

// TestEveryTask counts how often tasks run, of jobs of several sizes.
func TestEveryTask(t *testing.T) {
	counts := make([]atomic.Int32, 100)
	j := newJob(t, 4, 0, func(task int) { counts[task].Add(1) })
	for j.tasks = range len(counts) + 1 {
		if p := j.do(context.Background()); p != nil {
			t.Fatal(p)
		}
		for i := range counts {
			want := int32(0)
			if i < j.tasks {
				want = 1
			}
			if got := counts[i].Swap(0); got != want {
				t.Fatalf("of %d tasks, task %d ran %d times", j.tasks, i, got)
			}
		}
	}
}

func TestFailedTask(t *testing.T) {
	j := newJob(t, 3, 1000, func(task int) {
		if task == 7 {
			panic("seven")
		}
	})
	for range 100 {
		if p := j.do(context.Background()); p != "seven" {
			t.Fatalf("got %v", p)
		}
	}
	j.tasks = 5
	if p := j.do(context.Background()); p != nil {
		t.Fatalf("without that task: %v", p)
	}
}

// TestCancelBetweenTasks: few tasks behind the one that cancels still run, and the
// job serves again.
func TestCancelBetweenTasks(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	var ran atomic.Int64
	f := &frame{s: &special{}}
	f.job.init(f, 2)
	workers.join(&f.job, 2)
	defer workers.leave(&f.job)
	st := &step{tasks: 1000, task: func(*frame, int, []float32) {
		if ran.Add(1) == 10 {
			cancel(why)
		}
	}}
	if err := f.run(ctx, st); !errors.Is(err, why) || ran.Load() > 12 {
		t.Errorf("after %d tasks: %v", ran.Load(), err)
	}
	ran.Store(10)
	if err := f.run(context.Background(), st); err != nil || ran.Load() != 1010 {
		t.Errorf("again: %d tasks, %v", ran.Load()-10, err)
	}
}

// TestCrowd: workers help no more threads than there are processors, and all
// come back.
func TestCrowd(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	var most atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				var now, sum atomic.Int64
				j := &job{tasks: 20, run: func(*frame, int, []float32) {
					now.Add(1)
					sum.Add(1)
					now.Add(-1)
				}}
				j.init(&frame{s: &special{}}, 3)
				workers.join(j, 3)
				if n := int64(len(j.helpers)); n > most.Load() {
					most.Store(n)
				}
				p := j.do(context.Background())
				workers.leave(j)
				if p != nil || sum.Load() != 20 || now.Load() != 0 {
					t.Errorf("%v; %d tasks ran, %d run", p, sum.Load(), now.Load())
				}
			}
		})
	}
	wg.Wait()
	if most.Load() > 2 || workers.busy.Load() != 0 {
		t.Errorf("a job had %d helpers; %d threads are busy in the end", most.Load(), workers.busy.Load())
	}
}

// TestAsleep: nobody spins when nothing runs.
func TestAsleep(t *testing.T) {
	j := newJob(t, 2, 2, func(int) {})
	if p := j.do(context.Background()); p != nil {
		t.Fatal(p)
	}
	for !j.helpers[0].bell.asleep.Load() {
		time.Sleep(patience)
	}
}
