package group

import (
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// place is an operand of a node.
type place struct {
	node    *ir.Node
	operand int
}

// job is what is to be done to one constant operand.
type job struct {
	base  *tensor.Tensor // what it is now; zeros where there is none yet
	add   []float64      // to be added to it first, element by element
	links []*Link
}

func (e *edit) job(at place, base *tensor.Tensor) *job {
	j := e.jobs[at]
	if j == nil {
		j = &job{base: base}
		e.jobs[at] = j
		e.order = append(e.order, at)
	}
	return j
}

// constants changes all constants that links tie to changed units.
func (e *edit) constants() error {
	for _, l := range e.a.Links {
		if e.changes(l.Units) {
			j := e.job(place{l.Node, l.Operand}, l.Value().Const)
			j.links = append(j.links, l)
		}
	}
	for _, at := range e.order {
		t, err := e.edited(e.jobs[at])
		if err != nil {
			return err
		}
		e.setConst(at.node, at.operand, t)
		if n, _ := decodes(at.node); n != nil && at.operand == 0 {
			e.p.SetType(n.Out[0], ir.TensorType(n.Out[0].Type.DType, ir.Dims(t.Shape)...))
		}
	}
	return nil
}

func (e *edit) edited(j *job) (*tensor.Tensor, error) {
	t := j.base
	if j.add != nil || slices.ContainsFunc(j.links, e.merges) {
		x := slices.Clone(tensor.Float64s(t))
		for i, d := range j.add {
			x[i] += d
		}
		err := e.mergeAll(j.links, x, t)
		if err != nil {
			return nil, err
		}
		if t, err = tensor.FromFloat64s(t.Type, t.Shape, x); err != nil {
			return nil, err
		}
	}
	for _, l := range j.links {
		t = take(t, l.Axis, e.sources(l.Units))
	}
	return t, nil
}

func (e *edit) mergeAll(links []*Link, x []float64, t *tensor.Tensor) error {
	for _, l := range links {
		if _, d := decodes(l.Node); d == nil {
			e.merge(l, x, t.Shape)
		} else if e.merges(l) {
			if err := e.addCodes(l, x, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// merges reports whether the numbers of a link change, rather than only their
// places. Codes have no mean.
func (e *edit) merges(l *Link) bool {
	_, d := decodes(l.Node)
	average := e.c.Average && d == nil
	return slices.ContainsFunc(l.Units, func(u int) bool {
		return (l.Role == Column || average) && len(e.merged[u]) > 0 || l.Role == Column && e.c.times(u) > 1
	})
}

// merge adds columns of merged units to those of the unit that stays, or takes
// the mean of rows and parameters, each freed from its factor. Columns of units
// that are to occur several times are shared.
func (e *edit) merge(l *Link, x []float64, shape []int) {
	if !e.merges(l) {
		return
	}
	at, _ := positions(l.Units)
	size, inner := shape[l.Axis], tensor.Len(shape[l.Axis+1:])
	for u := range at {
		for t, to := range at[u] {
			for o := 0; o < len(x); o += size * inner {
				e.mergeAt(l, x[o:][:size*inner], inner, to, t, at, u)
			}
		}
	}
}

func (e *edit) mergeAt(l *Link, x []float64, inner, to, copy int, at map[int][]int, unit int) {
	sum, others := x[to*inner:][:inner], e.merged[unit]
	for _, u := range others {
		f := math.Pow(e.c.factor(u), -float64(l.Power))
		for k, v := range x[at[u][copy]*inner:][:inner] {
			sum[k] += f * v
		}
	}
	share := float64(1 + len(others))
	if l.Role == Column {
		share = float64(e.c.times(unit))
	}
	for k := range sum {
		sum[k] /= share
	}
}

// take selects positions along an axis, of any element type.
func take(t *tensor.Tensor, axis int, at []int) *tensor.Tensor {
	shape := slices.Clone(t.Shape)
	size := shape[axis]
	shape[axis] = len(at)
	if t.Type.Bits()%8 != 0 {
		return tensor.FromCodes(t.Type, shape, takeBytes(tensor.Codes(t), size, tensor.Len(shape[axis+1:]), at))
	}
	out := tensor.New(t.Type, shape...)
	copy(out.Bytes(), takeBytes(t.Bytes(), size, tensor.Len(shape[axis+1:])*t.Type.Bits()/8, at))
	return out
}

func takeBytes(x []byte, size, inner int, at []int) []byte {
	out := make([]byte, 0, len(x))
	for o := 0; o < len(x); o += size * inner {
		for _, k := range at {
			out = append(out, x[o+k*inner:][:inner]...)
		}
	}
	return out
}

// setConst makes operand i of n the constant t; what nobody reads any more goes.
func (e *edit) setConst(n *ir.Node, i int, t *tensor.Tensor) {
	var v *ir.Value
	if i < len(n.In) {
		v = n.In[i]
	}
	switch {
	case v == nil:
		e.p.SetInput(n, i, e.p.Const(n.Label()+"_bias", t))
		return
	case v.Const != nil && len(v.Uses()) == 1 && !e.public(v):
		e.p.SetConst(v, t)
		return
	}
	e.p.SetInput(n, i, e.p.Const(v.Name, t))
	if e.unread[v]++; v.Const != nil && e.unread[v] == len(v.Uses()) && !e.public(v) {
		e.p.RemoveConst(v)
	}
}

// public reports whether callers of the network see a constant.
func (e *edit) public(v *ir.Value) bool {
	return e.a.graph.IsOutput(v) || slices.Contains(e.a.graph.Inputs, v)
}
