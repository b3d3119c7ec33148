package main

import (
	"sync"
	"time"
)

// pace says how fast a task goes from what it did in the later half of its time:
// things taken from an interrupted run, which cost nothing, and a slow start soon count
// no more. It may be read while it is added to.
type pace struct {
	mu    sync.Mutex
	marks []mark // oldest first
}

type mark struct {
	at   time.Time
	done int
}

// mostMarks bounds how many are remembered; then every other one goes.
const mostMarks = 256

func (p *pace) add(at time.Time, done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.marks) == mostMarks {
		for i := range mostMarks / 2 {
			p.marks[i] = p.marks[2*i]
		}
		p.marks = p.marks[:mostMarks/2]
	}
	p.marks = append(p.marks, mark{at, done})
}

// left is how long the rest of total things will take at that pace; ok is false while
// it is not known.
func (p *pace) left(total int) (left time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.marks) < 2 {
		return 0, false
	}
	last := p.marks[len(p.marks)-1]
	half := last.at.Sub(p.marks[0].at) / 2
	for i := len(p.marks) - 2; i >= 0; i-- {
		m := p.marks[i]
		if last.at.Sub(m.at) >= half && last.done > m.done {
			return time.Duration(float64(last.at.Sub(m.at)) / float64(last.done-m.done) * float64(total-last.done)), true
		}
	}
	return 0, false
}

// remaining is left as a text, "" while it is not known.
func (p *pace) remaining(total int) string {
	left, ok := p.left(total)
	if !ok {
		return ""
	}
	return left.Round(time.Second).String() + " left"
}
