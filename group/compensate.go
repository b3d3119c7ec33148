package group

import (
	"errors"
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// biased has one row per operator that reads columns: where its bias is.
var biased = map[string]func(e *edit, l *Link, delta []float64) error{
	"Conv":          (*edit).addToBias,
	"ConvTranspose": (*edit).addToBias,
	"Gemm":          (*edit).addToGemm,
	"MatMul":        (*edit).addBehind,
}

// compensate adds to the biases of all readers of removed units what these
// contribute on average: column times expected value.
func (e *edit) compensate() error {
	for _, l := range e.a.Links {
		if l.Role != Column || !slices.ContainsFunc(l.Units, e.gone) {
			continue
		}
		delta := e.contribution(l)
		if delta == nil {
			continue
		}
		f := biased[l.Node.Op]
		if f == nil {
			return fmt.Errorf("%v has no bias", l.Node)
		}
		if err := f(e, l, delta); err != nil {
			return fmt.Errorf("%v: %w", l.Node, err)
		}
	}
	return nil
}

func (e *edit) gone(u int) bool { return e.c.Into[u] == Gone }

// means are the expected values of the channels that the node of l reads, nil
// where they are not known.
func (e *edit) means(l *Link) []float64 {
	v := l.Node.In[0]
	at, s := e.a.values[v], v.Stats
	if e.c.Stats != nil {
		s = e.c.Stats(v)
	}
	if s == nil || at.span != 1 || s.Axis >= 0 && s.Axis != at.axis || len(s.Mean) != len(at.ids) && len(s.Mean) != 1 {
		return nil
	}
	if len(s.Mean) == 1 {
		return slices.Repeat(s.Mean, len(at.ids))
	}
	return s.Mean
}

// contribution is, by row of the constant of l, what its removed columns add on
// average.
func (e *edit) contribution(l *Link) []float64 {
	means := e.means(l)
	if means == nil {
		return nil
	}
	c := l.Value().Const
	x, rows, size := tensor.Float64s(c), c.Shape[1-l.Axis], c.Shape[l.Axis]
	inner := tensor.Len(c.Shape[2:])
	perGroup := rows * size / len(means) // rows that read the same part of the channels
	delta := make([]float64, rows)
	for o := range rows {
		for j, u := range l.Units {
			if !e.gone(u) {
				continue
			}
			at := o*size + j
			if l.Axis == 0 {
				at = j*rows + o
			}
			sum := 0.0
			for _, w := range x[at*inner:][:inner] {
				sum += w
			}
			delta[o] += sum * means[o/perGroup*size+j]
		}
	}
	return delta
}

// addToBias: the third operand of convolutions. Every result of a transposed one
// sees as many taps as its stride leaves.
func (e *edit) addToBias(l *Link, delta []float64) error {
	if l.Node.Op == "ConvTranspose" {
		for _, s := range l.Node.Ints("strides") {
			for o := range delta {
				delta[o] /= float64(s)
			}
		}
	}
	return e.addTo(l, 2, delta)
}

// addToGemm: as addToBias, with the factors of both terms.
func (e *edit) addToGemm(l *Link, delta []float64) error {
	n := l.Node
	beta := float64(n.Float("beta", 1))
	if beta == 0 {
		return errors.New("its bias counts 0 times")
	}
	for o := range delta {
		delta[o] *= float64(n.Float("alpha", 1)) / beta
	}
	return e.addTo(l, 2, delta)
}

// addTo adds delta to an operand with a number per row, which is made where there
// is none.
func (e *edit) addTo(l *Link, operand int, delta []float64) error {
	n, at := l.Node, place{l.Node, operand}
	if operand < len(n.In) && n.In[operand] != nil {
		return e.addToConst(at, delta)
	}
	j := e.job(at, tensor.New(l.Value().Const.Type, len(delta)))
	j.plus(delta)
	rows := e.rowsOf(l)
	j.links = append(j.links, &Link{Node: n, Operand: operand, Role: Row, Power: 1, Groups: 1, Units: rows})
	return nil
}

func (e *edit) addToConst(at place, delta []float64) error {
	c := at.node.In[at.operand].Const
	switch {
	case c == nil:
		return errors.New("its bias is computed")
	case c.Len() != len(delta):
		return fmt.Errorf("its bias has the shape %v", c.Shape)
	}
	e.job(at, c).plus(delta)
	return nil
}

func (j *job) plus(delta []float64) {
	if j.add == nil {
		j.add = make([]float64, len(delta))
	}
	for i, d := range delta {
		j.add[i] += d
	}
}

// rowsOf are the units of the rows of the constant whose columns l links.
func (e *edit) rowsOf(l *Link) []int { return e.a.values[l.Node.Out[0]].ids }

// addBehind: a product has no bias; the constant that is added to it alone, or a
// new one.
func (e *edit) addBehind(l *Link, delta []float64) error {
	out := l.Node.Out[0]
	if uses := out.Uses(); len(uses) == 1 && uses[0].Node.Op == "Add" {
		add, other := uses[0].Node, 1-uses[0].In
		if c := add.In[other].Const; c != nil && c.Len() == len(delta) {
			return e.addToConst(place{add, other}, delta)
		}
	}
	t := tensor.New(l.Value().Const.Type, len(delta))
	j := &job{base: t, links: []*Link{{Node: l.Node, Operand: 1, Role: Row, Power: 1, Groups: 1, Units: e.rowsOf(l)}}}
	j.plus(delta)
	bias, err := e.edited(j)
	if err != nil {
		return err
	}
	sum := e.p.Node(out.Name+"_biased", "Add", []*ir.Value{out, e.p.Const(out.Name+"_bias", bias)})
	e.p.SetType(sum, e.typeOf(out))
	e.p.Replace(out, sum)
	return nil
}
