package grad

import (
	"context"

	"pare/kernel"
	"pare/op"
	"pare/tensor"
)

// fakePower is a FakePowerQuantize at fixed shapes.
type fakePower struct {
	*scaled
	x, y          *slot
	codes         []uint8
	levels, table []float32
	grid          *op.PowerGrid
}

// lowerFakePower puts numbers on a power grid and passes gradients straight through
// between its ends; that of the scale is LSQ's [esser20].
func lowerFakePower(b *builder) error {
	codes, levels := b.constant(2), b.constant(3)
	if codes == nil || levels == nil || codes.Type != tensor.Uint8 || b.slots[b.node.In[1]].size() != 1 {
		refuse("codes and levels of a power grid must be constant, and its scale one number")
	}
	grid, err := op.NewPowerGrid(tensor.Data[uint8](codes), tensor.Float64s(levels))
	if err != nil {
		return err
	}
	x, scale := b.in(0, either), b.in(1, plain)
	y := b.out(0, x.lay)
	st := b.step([]*slot{x, scale}, []*slot{y})
	f := &fakePower{scaled: b.scaled(st, x, scale, 1), x: x, y: y, grid: grid,
		codes: tensor.Data[uint8](codes), levels: tensor.Float32s(levels), table: make([]float32, codes.Len())}
	st.eval = f.prepare
	st.then(f.work(chunk, f.forward))
	if st.flows() {
		st.uses(x, scale, y)
		f.scaled.back(2*chunk, b.node.Float("scale_gradient", 1), f.slope, nil)
	}
	return nil
}

// prepare makes the table of what every point of the range stands for.
func (f *fakePower) prepare(ctx context.Context) error {
	if err := f.check(ctx); err != nil {
		return err
	}
	for i, q := range f.codes {
		f.table[i] = f.levels[q] * f.scale.data[0]
	}
	return nil
}

func (f *fakePower) forward(r *scaleRun, t []float32) {
	factor, offset := f.grid.Line(float64(f.scale.data[0]))
	for i := 0; i < r.n; i += chunk {
		n := min(chunk, r.n-i)
		y := f.y.data[r.lo+i:][:n]
		kernel.Affine(t[:n], f.x.data[r.lo+i:][:n], float32(factor), float32(offset), 0, float32(len(f.table)-1))
		for k, u := range t[:n] {
			y[k] = u
			if u == u {
				y[k] = f.table[int(u)]
			}
		}
	}
}

func (f *fakePower) slope(r *scaleRun, t []float32) (sum float64) {
	s := f.scale.data[0]
	lo, hi := below(f.levels[0]*s), above(f.levels[len(f.levels)-1]*s)
	for i := r.lo; i < r.lo+r.n; i += chunk {
		j := min(i+chunk, r.lo+r.n)
		d := t[chunk : chunk+j-i]
		if f.st.wants(0) {
			d = f.st.dx[0][i:j]
		}
		kernel.ClampGrad(d, f.y.grad[i:j], f.x.data[i:j], lo, hi, false)
		if f.st.wants(1) {
			sum += moved(t[:j-i], d, f.y.grad[i:j], f.x.data[i:j], f.y.data[i:j])
		}
	}
	return sum / float64(s)
}
