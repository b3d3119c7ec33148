package format_test

import (
	"context"
	"math"
	"testing"

	"pare/format"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// TestActivation checks grids over many ranges: 0 is exact, the ends are within
// half a step, nothing beyond the end of a range without negative numbers.
func TestActivation(t *testing.T) {
	for _, r := range [][2]float64{{0, 6}, {0, 1}, {0, 0.1}, {-1, 1}, {-3, 0.5}, {-2, 0}, {0.5, 2}, {-5, -1}, {0, 1e-12}, {0, 3e30}, {0, 0}} {
		for b := 2; b <= 8; b++ {
			a := format.NewActivation(r[0], r[1], b)
			if a.Value(a.Code(0)) != 0 {
				t.Errorf("%v, %d bits: 0 becomes %v", r, b, a.Value(a.Code(0)))
			}
			lo, hi := a.Range()
			if r[0] >= 0 && r[1] > 0 && (a.Zero != 0 || hi > float32(r[1])) {
				t.Errorf("%v, %d bits: levels %v to %v", r, b, lo, hi)
			}
			for _, end := range r {
				if d := math.Abs(float64(a.Value(a.Code(float32(end)))) - end); d > 0.5001*float64(a.Scale) {
					t.Errorf("%v, %d bits: %v is off by %v, a step is %v", r, b, end, d, a.Scale)
				}
			}
		}
	}
}

// TestActivationForm: the written pair computes Value(Code(x)) exactly, and
// reads back.
func TestActivationForm(t *testing.T) {
	w := normal(3, 1000)
	x := tensor.Data[float32](w)
	for i := range x {
		x[i] *= 2
	}
	for b := 2; b <= 8; b++ {
		for _, lo := range []float64{0, -1.3} {
			a := format.NewActivation(lo, 2.9, b)
			v := &ir.Value{Name: "x", Type: ir.TensorType(tensor.Float32, ir.Known(1000))}
			m := &ir.Model{Graph: &ir.Graph{Name: "g", Inputs: []*ir.Value{v}}, Opsets: []ir.Opset{{Version: 13}}}
			p := ir.NewPatch(m.Graph, "test")
			y := format.NewWire(p, "x", a).Emit(p, v)
			if err := p.Apply(); err != nil {
				t.Fatal(err)
			}
			m.Graph.Outputs = []*ir.Value{y}
			got, err := op.Run(context.Background(), m, map[string]op.Val{"x": w})
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range tensor.Data[float32](got[0].(*tensor.Tensor)) {
				if want := a.Value(a.Code(x[i])); f != want {
					t.Fatalf("%v from %v: %v becomes %v, want %v", a, lo, x[i], f, want)
				}
			}
			if again, source, ok := format.MatchActivation(y); !ok || again != a || source != v {
				t.Errorf("%+v reads back as %+v of %v, %v", a, again, source, ok)
			}
			if _, _, ok := format.MatchActivation(v); ok {
				t.Error("an input matches")
			}
		}
	}
}
