package prune

import (
	"iter"
	"math"
	"slices"

	"pare/group"
	"pare/internal/par"
	"pare/ir"
)

// joint holds the joint vectors of a group's units: what computes and changes a
// unit on its way, in one row. Two units with equal vectors compute the same, so
// that one can stand for both (RED, step 2). The parts of every node are divided by
// the root mean square of their norms over the group, so that all nodes count alike.
type joint struct {
	n, width int
	rows     [][]float32
}

// row is the vector of unit i.
func (j *joint) row(i int) []float32 { return j.rows[i] }

// span is a node's share of the vectors, or a part of it.
type span struct{ from, to int }

// newJoint joins the parts of the vectors of a group's units.
func newJoint(parts iter.Seq2[*group.Link, [][]float64], threads int) *joint {
	j := &joint{}
	spans, nodes := map[*ir.Node][]span{}, []*ir.Node{}
	for l, x := range parts {
		if j.rows == nil {
			j.n, j.rows = len(x), make([][]float32, len(x))
		}
		from := j.width
		j.width += len(x[0])
		par.Each(j.n, threads, func(i int) {
			j.rows[i] = slices.Grow(j.rows[i], len(x[i]))
			for _, v := range x[i] {
				j.rows[i] = append(j.rows[i], float32(v))
			}
		})
		if spans[l.Node] == nil {
			nodes = append(nodes, l.Node)
		}
		spans[l.Node] = append(spans[l.Node], span{from, j.width})
	}
	for _, n := range nodes {
		j.balance(spans[n], threads)
	}
	return j
}

// balance divides the spans of a node by the root mean square of their norms.
func (j *joint) balance(spans []span, threads int) {
	sums := make([]float64, j.n)
	par.Each(j.n, threads, func(i int) {
		for _, s := range spans {
			sums[i] += energy(j.row(i)[s.from:s.to])
		}
	})
	rms := math.Sqrt(total(sums) / float64(j.n))
	if rms == 0 {
		return
	}
	par.Each(j.n, threads, func(i int) {
		for _, s := range spans {
			multiply(j.row(i)[s.from:s.to], float32(1/rms))
		}
	})
}

// energy is the sum of squares.
func energy(x []float32) (sum float64) {
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

func total(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}

func multiply(x []float32, f float32) {
	for i := range x {
		x[i] *= f
	}
}
