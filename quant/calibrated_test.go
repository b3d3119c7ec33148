package quant_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"pare/calib"
	"pare/compress"
	"pare/dataset"
	"pare/format"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// bell yields batches of normal numbers, with one far outlier in all.
type bell struct {
	n     int
	shape []int
}

func (b bell) Len() int         { return b.n }
func (bell) Task() dataset.Task { return dataset.Unlabelled }
func (bell) Prepared() string   { return "" }
func (b bell) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	x := tensor.New(tensor.Float32, append([]int{hi - lo}, b.shape...)...)
	d := tensor.Data[float32](x)
	per := tensor.Len(b.shape)
	for i := range d {
		r := rand.New(rand.NewPCG(uint64(lo*per+i), 1))
		d[i] = float32(r.NormFloat64())
		if lo*per+i == 77 {
			d[i] = 40
		}
	}
	return dataset.Batch{Inputs: map[string]*tensor.Tensor{"": x}}, nil
}

// reference answers calibration by the reference evaluation.
type reference struct {
	m      *ir.Model
	values []*ir.Value
}

func (r reference) Run(ctx context.Context, in map[string]*tensor.Tensor) ([]*tensor.Tensor, error) {
	seen := map[*ir.Value]*tensor.Tensor{}
	vals := map[string]op.Val{}
	for name, x := range in {
		vals[name], seen[r.m.Graph.Value(name)] = x, x
	}
	run := op.Interp{Model: r.m, Observe: func(_ *ir.Node, v *ir.Value, x op.Val) { seen[v], _ = x.(*tensor.Tensor) }}
	if _, err := run.Run(ctx, vals); err != nil {
		return nil, err
	}
	out := make([]*tensor.Tensor, len(r.values))
	for i, v := range r.values {
		out[i] = seen[v]
	}
	return out, nil
}

// TestCalibrated: with data the grids have the observed ranges, whatever the
// network says of itself, and clipping by least squares cuts the outlier off
// where few bits are to be had.
func TestCalibrated(t *testing.T) {
	data := &calib.Data{
		Set: bell{64, []int{4, 8, 8}}, Samples: 40, Batch: 7,
		Run: func(m *ir.Model, v []*ir.Value) (calib.Runner, error) { return reference{m, v}, nil },
	}
	tops := map[string]float32{}
	for _, recipe := range []string{"uniform(a=8,arange=max)", "uniform;*:a=6", "uniform(a=4)", "uniform(a=8,arange=percentile,apercentile=99.9)"} {
		m := parse(t, "x f32[N,4,8,8]", w3+"  c1"+stats[:1]+"f32[N,4,8,8] = Conv(x, w, b)"+same+"  r = Relu(c1)\n  y = Conv(r, w, b)"+same)
		r, err := compress.Parse(recipe)
		if err != nil {
			t.Fatal(err)
		}
		rep, err := r.Run(context.Background(), m, compress.Options{Threads: 1, Data: data})
		if err != nil {
			t.Fatal(err)
		}
		if s := rep.Steps[0]; s.Activations != 2 || len(s.Floats) > 0 {
			t.Errorf("%s: %+v", recipe, s)
		}
		for v := range m.Graph.Values {
			if a, source, ok := format.MatchActivation(v); ok && source.Name == "x" {
				_, tops[recipe] = a.Range()
			} else if ok && a.Zero != 0 {
				t.Errorf("%s: a range behind Relu has zero point %d", recipe, a.Zero)
			}
		}
	}
	if got := tops["uniform(a=8,arange=max)"]; got < 39.8 || got > 40.2 {
		t.Errorf("the largest level is %v, the largest number 40", got)
	}
	if got := tops["uniform(a=4)"]; got < 2 || got > 10 {
		t.Errorf("least squares reach to %v", got)
	}
	if got := tops["uniform(a=8,arange=percentile,apercentile=99.9)"]; got < 3 || got > 4.5 {
		t.Errorf("99.9 per cent reach to %v", got)
	}
}
