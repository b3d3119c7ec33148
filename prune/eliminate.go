package prune

import (
	"context"
	"math"
)

// elimination removes columns of one reader one by one and knows what each adds to
// the squared error of what it computes.
type elimination struct {
	c     int
	scale float64
	at    [][]int // columns by unit of the block
	w     []float64
	// cov is the covariance of the columns where means alone are made up for, its
	// inverse where weights are fitted anew.
	cov   []float64
	fits  bool
	cross []float64 // by column: what it shares with those removed
	gone  []bool
}

// elimination prepares a reader of b.
func (e *errorModel) elimination(ctx context.Context, r *reader, b *block, at map[int]int) (*elimination, error) {
	cov, err := e.covariance(ctx, r)
	if err != nil {
		return nil, err
	}
	c := len(r.link.Units)
	x := &elimination{c: c, at: make([][]int, b.size()), w: gramOf(r.columns()), cov: cov, cross: make([]float64, c), gone: make([]bool, c)}
	whole := 0.0
	for i := range c {
		whole += dot(x.w[i*c:][:c], cov[i*c:][:c])
	}
	x.scale = e.share[r.node.Out[0]] / max(whole, math.SmallestNonzeroFloat32)
	for j, u := range r.link.Units {
		if i, own := at[u]; own {
			x.at[i] = append(x.at[i], j)
		}
	}
	if x.fits = e.repair == "fit"; x.fits {
		factorise(cov, c, e.p.env.Threads)
		invert(cov, c, e.p.env.Threads)
	}
	return x, nil
}

// cost is what removing unit i adds.
func (x *elimination) cost(i int) float64 {
	sum := 0.0
	for _, j := range x.at[i] {
		own := x.w[j*x.c+j]
		if x.fits {
			sum += own / x.cov[j*x.c+j]
		} else {
			sum += own*x.cov[j*x.c+j] + 2*x.cross[j]
		}
	}
	return sum * x.scale
}

// remove takes unit i away.
func (x *elimination) remove(i, threads int) {
	for _, j := range x.at[i] {
		if x.fits {
			x.fold(j, threads)
		} else {
			for k := range x.c {
				x.cross[k] += x.w[j*x.c+k] * x.cov[j*x.c+k]
			}
		}
		x.gone[j] = true
	}
}

// fold gives the other columns what they can take over of column j: the step of the
// Optimal Brain Surgeon, of the weights' products instead of the weights.
func (x *elimination) fold(j, threads int) {
	c := x.c
	pj, wj := x.cov[j*c:][:c], append([]float64(nil), x.w[j*c:][:c]...)
	pivot := pj[j]
	take := make([]float64, c)
	for k := range take {
		if !x.gone[k] && k != j {
			take[k] = pj[k] / pivot
		}
	}
	own := wj[j]
	const rows = 64
	eachRow((c+rows-1)/rows, parallel(threads, c*c), func(part int) {
		for i := part * rows; i < min((part+1)*rows, c); i++ {
			if t := take[i]; t != 0 {
				wi, pi := x.w[i*c:][:c], x.cov[i*c:][:c]
				a := wj[i] - t*own
				for k, u := range take {
					wi[k] -= t*wj[k] + a*u
					pi[k] -= t * pj[k]
				}
			}
		}
	})
}

// surgery orders the units of b by what their removal adds to the error, given those
// that are gone before, and says what it is in all. Units that cost nothing go first.
func (e *errorModel) surgery(ctx context.Context, b *block, free []bool) (order []int, costs []float64, err error) {
	readers, err := e.eliminations(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	gone, total := make([]bool, b.size()), 0.0
	costs = []float64{0}
	for range b.most() {
		if err := context.Cause(ctx); err != nil {
			return nil, nil, err
		}
		best, cost := cheapest(readers, gone, free)
		for _, x := range readers {
			x.remove(best, e.p.env.Threads)
		}
		gone[best] = true
		if !free[best] {
			total += max(cost, 0)
		}
		order, costs = append(order, best), append(costs, total)
	}
	for i, out := range gone {
		if !out {
			order = append(order, i)
		}
	}
	return order, costs, nil
}

// eliminations are those of all layers that read b.
func (e *errorModel) eliminations(ctx context.Context, b *block) (out []*elimination, err error) {
	at := unitIndex(b.Group)
	for _, r := range e.p.readers {
		if !r.reads(at) {
			continue
		}
		x, err := e.elimination(ctx, r, b, at)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// cheapest is the unit to go next, and what that adds to the error of the layers that
// read it.
func cheapest(readers []*elimination, gone, free []bool) (best int, least float64) {
	best, least = -1, math.Inf(1)
	for i := range gone {
		if gone[i] {
			continue
		}
		cost := 0.0
		for _, x := range readers {
			cost += x.cost(i)
		}
		if free[i] {
			cost = math.Inf(-1)
		}
		if best < 0 || cost < least {
			best, least = i, cost
		}
	}
	return best, least
}
