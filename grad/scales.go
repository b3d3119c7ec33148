package grad

import (
	"context"
	"fmt"
	"math"

	"pare/op"
)

// scaled is a step whose elements are quantised by one scale for all, or several.
type scaled struct {
	st    *step
	scale *slot
	at    int // of the scale among the operands
	runs  []scaleRun
	tasks [][2]int // runs of each task
	sums  *buffer
}

// scaleRun is n elements from lo on that use scale p, or p, p+1, ... where each.
type scaleRun struct {
	index    int
	lo, n, p int
	each     bool
}

// of is the scale of element i of the run.
func (r *scaleRun) of(i int) int {
	if r.each {
		return r.p + i
	}
	return r.p
}

// scaled reads which elements of x, lying in C order unless there is one scale, have
// which scale, operand at of the step.
func (b *builder) scaled(st *step, x, scale *slot, at int) *scaled {
	runs, err := op.ScaleRuns(b.node, x.shape, scale.shape)
	if err != nil {
		panic(refusal{err})
	}
	s := &scaled{st: st, scale: scale, at: at}
	runs(func(lo, n, p, step int) {
		for ; n > 0; lo, n = lo+grain, n-grain {
			s.runs = append(s.runs, scaleRun{len(s.runs), lo, min(n, grain), p, step == 1})
			p += step * grain
		}
	})
	for from := 0; from < len(s.runs); {
		to, n := from, 0
		for ; to < len(s.runs) && n < grain; to++ {
			n += s.runs[to].n
		}
		s.tasks = append(s.tasks, [2]int{from, to})
		from = to
	}
	st.eval = s.check
	return s
}

// check reports scales that are not positive numbers.
func (s *scaled) check(context.Context) error {
	for k, v := range s.scale.data {
		if !(v > 0) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("scale %d of %q is %g; scales are positive", k, s.scale.name, v)
		}
	}
	return nil
}

// work calls f for every run.
func (s *scaled) work(scratch int, f func(r *scaleRun, t []float32)) work {
	return work{tasks: len(s.tasks), scratch: scratch, run: func(task int, t []float32) {
		for i := s.tasks[task][0]; i < s.tasks[task][1]; i++ {
			f(&s.runs[i], t)
		}
	}}
}

// back adds backward work that calls slope for every run and, where operand k wants a
// gradient, sets it to f times the sum of what slope returns or, for runs whose
// elements have scales of their own, of what each returns for element i of the whole.
func (s *scaled) back(scratch int, f float32, slope func(r *scaleRun, t []float32) float64, each func(i, p int) float64) {
	wanted := s.st.wants(s.at)
	if wanted {
		s.sums = s.st.temp(len(s.runs))
	}
	s.st.back(work{tasks: len(s.tasks), scratch: scratch, run: func(task int, t []float32) {
		for i := s.tasks[task][0]; i < s.tasks[task][1]; i++ {
			sum := slope(&s.runs[i], t)
			if wanted {
				s.sums.data[i] = float32(sum)
			}
		}
	}})
	if wanted {
		total := make([]float64, s.scale.size())
		s.st.back(serial(func() { s.collect(total, f, each) }))
	}
}

// collect adds up the gradient of the scales.
func (s *scaled) collect(total []float64, f float32, each func(i, p int) float64) {
	clear(total)
	for k, r := range s.runs {
		if !r.each {
			total[r.p] += float64(s.sums.data[k])
			continue
		}
		for i := range r.n {
			total[r.p+i] += each(r.lo+i, r.p+i)
		}
	}
	for p, v := range total {
		s.st.dx[s.at][p] = f * float32(v)
	}
}
