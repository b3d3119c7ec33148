package group

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// biased has one row per operator that reads columns: where its bias is.
var biased = map[string]func(e *edit, n *ir.Node, delta []float64) error{
	"Conv":          (*edit).addToBias,
	"ConvTranspose": (*edit).addToBias,
	"Gemm":          (*edit).addToGemm,
	"MatMul":        (*edit).addBehind,
}

// compensate adds to the biases of all readers of removed units what these
// contribute on average: column times expected value.
func (e *edit) compensate() error {
	for _, l := range e.a.Links {
		if l.Role != Column || !slices.ContainsFunc(l.Units, e.gone) || isScale(l) {
			continue
		}
		delta, err := e.contribution(l)
		if err != nil {
			return err
		}
		n := l.Layer()
		f := biased[n.Op]
		switch {
		case delta == nil:
			continue
		case f == nil:
			return fmt.Errorf("%v has no bias", n)
		}
		if err := f(e, n, delta); err != nil {
			return fmt.Errorf("%v: %w", n, err)
		}
	}
	return nil
}

// isScale reports whether a link ties the scales of codes.
func isScale(l *Link) bool {
	n, _ := decodes(l.Node)
	return n != nil && l.Operand > 0
}

// numbersOf are the weights that a link is part of, decoded.
func numbersOf(l *Link) ([]float64, error) {
	if n, d := decodes(l.Node); n != nil {
		return decodedNumbers(n, d)
	}
	return tensor.Float64s(l.Value().Const), nil
}

func (e *edit) gone(u int) bool { return e.c.Into[u] == Gone }

// means are the expected values of the channels that the node of l reads, nil
// where they are not known.
func (e *edit) means(l *Link) []float64 {
	v := l.Layer().In[0]
	at, s := e.a.values[v], v.Stats
	if e.c.Stats != nil {
		s = e.c.Stats(v)
	}
	if s == nil || !at.plain() || s.Axis >= 0 && s.Axis != at.axis() || len(s.Mean) != len(at.ids) && len(s.Mean) != 1 {
		return nil
	}
	if len(s.Mean) == 1 {
		return slices.Repeat(s.Mean, len(at.ids))
	}
	return s.Mean
}

// contribution is, by row of the constant of l, what its removed columns add on
// average.
func (e *edit) contribution(l *Link) ([]float64, error) {
	means := e.means(l)
	if means == nil {
		return nil, nil
	}
	c := l.Value().Const
	x, err := numbersOf(l)
	if err != nil {
		return nil, err
	}
	rows, size := c.Shape[1-l.Axis], c.Shape[l.Axis]
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
	return delta, nil
}

// addToBias: the third operand of convolutions. Every result of a transposed one
// sees as many taps as its stride leaves.
func (e *edit) addToBias(n *ir.Node, delta []float64) error {
	if n.Op == "ConvTranspose" {
		for _, s := range n.Ints("strides") {
			for o := range delta {
				delta[o] /= float64(s)
			}
		}
	}
	return e.addTo(n, 2, delta)
}

// addToGemm: as addToBias, with the factors of both terms.
func (e *edit) addToGemm(n *ir.Node, delta []float64) error {
	beta := float64(n.Float("beta", 1))
	if beta == 0 {
		return errors.New("its bias counts 0 times")
	}
	for o := range delta {
		delta[o] *= float64(n.Float("alpha", 1)) / beta
	}
	return e.addTo(n, 2, delta)
}

// addTo adds delta to an operand with a number per row, which is made where there
// is none.
func (e *edit) addTo(n *ir.Node, operand int, delta []float64) error {
	at := place{n, operand}
	if operand < len(n.In) && n.In[operand] != nil {
		return e.addToConst(at, delta)
	}
	known := e.jobs[at] != nil
	j := e.job(at, tensor.New(n.Out[0].Type.DType, len(delta)))
	j.plus(delta)
	if !known {
		j.links = append(j.links, &Link{Node: n, Operand: operand, Role: Row, Power: 1, Groups: 1, Units: e.rowsOf(n)})
	}
	return nil
}

func (e *edit) addToConst(at place, delta []float64) error {
	v := at.node.In[at.operand]
	if n, _ := decoding(v); n != nil {
		return e.addToCodes(n, delta)
	}
	c := v.Const
	switch {
	case c == nil:
		return errors.New("its bias is computed")
	case c.Len() != len(delta):
		return fmt.Errorf("its bias has the shape %v", c.Shape)
	}
	e.job(at, c).plus(delta)
	return nil
}

// addToCodes adds to a bias that is stored as integers.
func (e *edit) addToCodes(n *ir.Node, delta []float64) error {
	codes := n.In[0].Const
	if codes.Len() != len(delta) || codes.Type != tensor.Int32 {
		return fmt.Errorf("its bias is stored as %v", codes.Type)
	}
	steps := make([]float64, len(delta))
	for k, d := range delta {
		scale, err := broadcastAt(n, n.In[1].Const, codes, k)
		if err != nil {
			return err
		}
		steps[k] = math.RoundToEven(d / scale)
	}
	e.job(place{n, 0}, codes).plus(steps)
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

// rowsOf are the units of the channels that a layer computes.
func (e *edit) rowsOf(n *ir.Node) []int { return e.a.values[n.Out[0]].ids }

// addBehind: a product has no bias; the constant that is added to it alone, or a
// new one.
func (e *edit) addBehind(n *ir.Node, delta []float64) error {
	out := n.Out[0]
	if uses := out.Uses(); len(uses) == 1 && uses[0].Node.Op == "Add" {
		add, other := uses[0].Node, 1-uses[0].In
		if c := add.In[other].Const; c != nil && c.Len() == len(delta) {
			return e.addToConst(place{add, other}, delta)
		}
	}
	t := tensor.New(out.Type.DType, len(delta))
	j := &job{base: t, links: []*Link{{Node: n, Operand: 0, Role: Row, Power: 1, Groups: 1, Units: e.rowsOf(n)}}}
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
