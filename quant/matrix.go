package quant

import (
	"math"
	"runtime"

	"pare/group"
	"pare/internal/par"
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
	columnEnergy  []float64 // by channel that is read, over all rows
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
	if row > 1 || column > 1 {
		x.each(tensor.Float32s(c), c.Shape, row, column)
		return
	}
	var step [2]int // of the place in top, along the first two axes
	if row >= 0 {
		step[row] += x.ins
	}
	if column >= 0 {
		step[column]++
	}
	x.all(tensor.Float32s(c), c.Shape, step)
}

// all takes in weights whose place follows from their first two axes.
func (x *matrix) all(w []float32, shape []int, step [2]int) {
	first, second, inner := shape[0], shape[1], tensor.Len(shape[2:])
	chunk := 64
	if step[0] == 0 { // all of the first axis meet in one place
		chunk = max(1, first)
	}
	par.Each((first+chunk-1)/chunk, runtime.GOMAXPROCS(0), func(k int) {
		from, to := k*chunk, min((k+1)*chunk, first)
		if step[0] == 1 { // neighbours in top are apart in w: some rows of it at a time
			for j := range second {
				for i := from; i < to; i++ {
					x.add(i+j*step[1], w[(i*second+j)*inner:][:inner])
				}
			}
			return
		}
		for i := from; i < to; i++ {
			for j := range second {
				x.add(i*step[0]+j*step[1], w[(i*second+j)*inner:][:inner])
			}
		}
	})
}

// add takes in weights of one place.
func (x *matrix) add(at int, w []float32) {
	top, energy := x.top[at], x.energy[at]
	for _, v := range w {
		a := float64(v)
		energy += a * a
		if a = math.Abs(a); a > top {
			top = a
		}
	}
	x.top[at], x.energy[at] = top, energy
}

// each takes in weights one by one, whatever their axes.
func (x *matrix) each(w []float32, shape []int, row, column int) {
	steps := strides(shape)
	for i := range w {
		o, j := 0, 0
		if row >= 0 {
			o = i / steps[row] % shape[row]
		}
		if column >= 0 {
			j = i / steps[column] % shape[column]
		}
		x.add(o*x.ins+j, w[i:i+1])
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

// byColumn adds up the energies of the weights that read each channel.
func (x *matrix) byColumn() []float64 {
	if x.columnEnergy == nil {
		x.columnEnergy = make([]float64, len(x.columns.Units))
		for o := range x.outs {
			part := x.columnEnergy[x.part(o)*x.ins:][:x.ins]
			for j, e := range x.energy[o*x.ins:][:x.ins] {
				part[j] += e
			}
		}
	}
	return x.columnEnergy
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
