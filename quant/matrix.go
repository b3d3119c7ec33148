package quant

import (
	"math"

	"pare/group"
	"pare/ir"
	"pare/tensor"
)

// matrix is what rescaling needs to know of the weights of a layer: by row and
// column the largest magnitude over the taps, and the sum of squares.
type matrix struct {
	rows, columns *group.Link // either may be nil
	outs, ins     int
	taps          float64
	top, energy   []float64 // outs × ins
}

// matrices lists the weights that units have rows or columns in.
func (r *rescaling) matrices() []*matrix {
	type place struct {
		node    *ir.Node
		operand int
	}
	at := map[place]*matrix{}
	var out []*matrix
	for _, l := range r.a.Links {
		if l.Role == group.Parameter || l.Value().Const.Rank() < 2 {
			continue
		}
		k := place{l.Node, l.Operand}
		if at[k] == nil {
			at[k] = &matrix{}
			out = append(out, at[k])
		}
		if l.Role == group.Row {
			at[k].rows = l
		} else {
			at[k].columns = l
		}
	}
	for _, x := range out {
		x.measure()
	}
	return out
}

// measure fills in the magnitudes.
func (x *matrix) measure() {
	l := x.rows
	if l == nil {
		l = x.columns
	}
	c := l.Value().Const
	row, column := -1, -1
	x.outs, x.ins = 1, 1
	if x.rows != nil {
		row, x.outs = x.rows.Axis, c.Shape[x.rows.Axis]
	}
	if x.columns != nil {
		column, x.ins = x.columns.Axis, c.Shape[x.columns.Axis]
		if x.columns.Groups > 1 && row < 0 {
			row, x.outs = 0, c.Shape[0]
		}
	}
	x.top, x.energy = make([]float64, x.outs*x.ins), make([]float64, x.outs*x.ins)
	x.taps = float64(c.Len()) / float64(max(1, x.outs*x.ins))
	steps := strides(c.Shape)
	for i, v := range tensor.Float32s(c) {
		o, j := 0, 0
		if row >= 0 {
			o = i / steps[row] % c.Shape[row]
		}
		if column >= 0 {
			j = i / steps[column] % c.Shape[column]
		}
		at := o*x.ins + j
		if a := math.Abs(float64(v)); a > x.top[at] {
			x.top[at] = a
		}
		x.energy[at] += float64(v) * float64(v)
	}
}

func strides(shape []int) []int {
	out, n := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = n
		n *= shape[i]
	}
	return out
}

// part is the group of a grouped convolution that row o belongs to.
func (x *matrix) part(o int) int { return o * x.columns.Groups / x.outs }

// inverse lists what the columns of all groups are multiplied by.
func (x *matrix) inverse(scale []float64) []float64 {
	if x.columns == nil {
		return filled(x.ins, 1)
	}
	out := make([]float64, len(x.columns.Units))
	for j, u := range x.columns.Units {
		out[j] = 1 / scale[u]
	}
	return out
}

func filled(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// rowTops raises top, by unit, to the largest weight in the rows of each, as
// they are under the given scales.
func (x *matrix) rowTops(scale, top []float64) {
	inverse := x.inverse(scale)
	for o, u := range x.rows.Units {
		part := inverse[:x.ins]
		if x.columns != nil {
			part = inverse[x.part(o)*x.ins:][:x.ins]
		}
		most := 0.0
		for j, v := range x.top[o*x.ins:][:x.ins] {
			if v *= part[j]; v > most {
				most = v
			}
		}
		top[u] = max(top[u], most*scale[u])
	}
}

// columnTops is rowTops for columns.
func (x *matrix) columnTops(scale, top []float64) {
	most := make([]float64, len(x.columns.Units))
	for o := range x.outs {
		s := 1.0
		if x.rows != nil {
			s = scale[x.rows.Units[o]]
		}
		part := most[x.part(o)*x.ins:][:x.ins]
		for j, v := range x.top[o*x.ins:][:x.ins] {
			if v *= s; v > part[j] {
				part[j] = v
			}
		}
	}
	for j, u := range x.columns.Units {
		top[u] = max(top[u], most[j]/scale[u])
	}
}
