package crew

import (
	"sync/atomic"
	"time"
)

// patience is how long a thread looks for what it waits for before it sleeps: the
// next step of a run mostly comes within microseconds, and waking takes a hundred
// of them. An idle process looks for nothing.
const patience = time.Millisecond

// bell lets one goroutine wait for what others do.
type bell struct {
	asleep atomic.Bool
	rung   chan struct{}
}

func newBell() bell { return bell{rung: make(chan struct{}, 1)} }

// wait returns once ready is true: those who make it so must ring.
func (b *bell) wait(ready func() bool) {
	for !watch(ready) {
		b.asleep.Store(true)
		if ready() && b.asleep.CompareAndSwap(true, false) {
			return
		}
		<-b.rung
	}
}

// greed is how long it looks before others that wait for its processor go first.
const greed = 20 * time.Microsecond

// watch looks at ready until it is true or patience is at an end.
func watch(ready func() bool) bool {
	start := time.Now()
	for {
		for range 64 {
			if ready() {
				return true
			}
		}
		waited := time.Since(start)
		if workers.crowded() || waited > patience {
			return false
		}
		if waited > greed {
			yield()
		}
	}
}

// ring wakes who waits, if anybody does.
func (b *bell) ring() {
	if b.asleep.Load() && b.asleep.CompareAndSwap(true, false) {
		b.rung <- struct{}{}
	}
}
