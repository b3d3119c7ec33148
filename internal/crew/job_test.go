package crew

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
func newJob(t *testing.T, threads, tasks int, run func(task int)) *Job {
	before := runtime.GOMAXPROCS(threads)
	j := &Job{Tasks: tasks, Run: func(_, task int) { run(task) }}
	j.Init(threads)
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
		if p := j.Do(context.Background()); p != nil {
			t.Fatal(p)
		}
	}
}

// TestEveryTask counts how often tasks run, of jobs of several sizes.
func TestEveryTask(t *testing.T) {
	counts := make([]atomic.Int32, 100)
	j := newJob(t, 4, 0, func(task int) { counts[task].Add(1) })
	for j.Tasks = range len(counts) + 1 {
		if p := j.Do(context.Background()); p != nil {
			t.Fatal(p)
		}
		for i := range counts {
			want := int32(0)
			if i < j.Tasks {
				want = 1
			}
			if got := counts[i].Swap(0); got != want {
				t.Fatalf("of %d tasks, task %d ran %d times", j.Tasks, i, got)
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
		if p := j.Do(context.Background()); p != "seven" {
			t.Fatalf("got %v", p)
		}
	}
	j.Tasks = 5
	if p := j.Do(context.Background()); p != nil {
		t.Fatalf("without that task: %v", p)
	}
}

// TestCancelBetweenTasks: few tasks behind the one that cancels still run, and the
// job serves again.
func TestCancelBetweenTasks(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	var ran atomic.Int64
	j := newJob(t, 2, 1000, func(int) {
		if ran.Add(1) == 10 {
			cancel(why)
		}
	})
	if p := j.Do(ctx); p != nil || !errors.Is(context.Cause(ctx), why) || ran.Load() > 12 {
		t.Errorf("after %d tasks: %v", ran.Load(), p)
	}
	ran.Store(10)
	if p := j.Do(context.Background()); p != nil || ran.Load() != 1010 {
		t.Errorf("again: %d tasks, %v", ran.Load()-10, p)
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
				j := &Job{Tasks: 20, Run: func(int, int) {
					now.Add(1)
					sum.Add(1)
					now.Add(-1)
				}}
				j.Init(3)
				workers.join(j, 3)
				if n := int64(len(j.helpers)); n > most.Load() {
					most.Store(n)
				}
				p := j.Do(context.Background())
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
	if p := j.Do(context.Background()); p != nil {
		t.Fatal(p)
	}
	for !j.helpers[0].bell.asleep.Load() {
		time.Sleep(patience)
	}
}
