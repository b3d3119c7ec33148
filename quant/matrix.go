package quant

import (
	"runtime"

	"pare/group"
	"pare/internal/par"
	"pare/ir"
	"pare/tensor"
)

// matrix is what rescaling needs to know of the weights of a layer: by row and
// column the largest magnitude over the taps.
type matrix struct {
	rows, columns *group.Link // either may be nil
	weights       *tensor.Tensor
	row, column   int // axes, -1 for none
	outs, ins     int
	taps          float64
	top           []float32 // outs × ins
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
	x.weights, x.row, x.column, x.outs, x.ins = c, -1, -1, 1, 1
	if x.rows != nil {
		x.row, x.outs = x.rows.Axis, c.Shape[x.rows.Axis]
	}
	if x.columns != nil {
		x.column, x.ins = x.columns.Axis, c.Shape[x.columns.Axis]
		if x.columns.Groups > 1 && x.row < 0 {
			x.row, x.outs = 0, c.Shape[0]
		}
	}
	x.top = make([]float32, x.outs*x.ins)
	x.taps = float64(c.Len()) / float64(max(1, x.outs*x.ins))
	chunk := 64
	if x.row != 0 && x.column != 0 { // all of the first axis meet in one place
		chunk = max(1, c.Shape[0])
	}
	x.each(chunk, runtime.GOMAXPROCS(0), func(o, j int, w []float32) {
		top := x.top[o*x.ins+j]
		for _, v := range w {
			if v = max(v, -v); v > top {
				top = v
			}
		}
		x.top[o*x.ins+j] = top
	})
}

// each calls f for weights of one row and column, a chunk of entries of the first
// axis at a time.
func (x *matrix) each(chunk, threads int, f func(o, j int, w []float32)) {
	w, shape := tensor.Float32s(x.weights), x.weights.Shape
	if x.row > 1 || x.column > 1 {
		steps := strides(shape)
		for i := range w {
			o, j := 0, 0
			if x.row >= 0 {
				o = i / steps[x.row] % shape[x.row]
			}
			if x.column >= 0 {
				j = i / steps[x.column] % shape[x.column]
			}
			f(o, j, w[i:i+1])
		}
		return
	}
	first, second, inner := shape[0], shape[1], tensor.Len(shape[2:])
	var o, j [2]int // steps along the first two axes
	if x.row >= 0 {
		o[x.row] = 1
	}
	if x.column >= 0 {
		j[x.column] = 1
	}
	par.Each((first+chunk-1)/chunk, threads, func(k int) {
		from, to := k*chunk, min((k+1)*chunk, first)
		if x.column == 0 { // neighbours in top are apart in w: some rows of it at a time
			for b := range second {
				for a := from; a < to; a++ {
					f(b*o[1], a, w[(a*second+b)*inner:][:inner])
				}
			}
			return
		}
		for a := from; a < to; a++ {
			for b := range second {
				f(a*o[0]+b*o[1], b*j[1], w[(a*second+b)*inner:][:inner])
			}
		}
	})
}

func strides(shape []int) []int {
	out, n := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = n
		n *= shape[i]
	}
	return out
}

// byColumn adds up the squares of the weights that read each channel.
func (x *matrix) byColumn() []float64 {
	out := make([]float64, len(x.columns.Units))
	x.each(64, 1, func(o, j int, w []float32) {
		sum := 0.0
		for _, v := range w {
			sum += float64(v) * float64(v)
		}
		out[x.part(o)*x.ins+j] += sum
	})
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
			if v := float64(v) * part[j]; v > most {
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
			if v := float64(v) * s; v > part[j] {
				part[j] = v
			}
		}
	}
	for j, u := range x.columns.Units {
		top[u] = max(top[u], most[j]/scale[u])
	}
}
