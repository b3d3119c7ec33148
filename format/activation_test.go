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
			round := a.Rounder()
			for _, f := range x {
				if round(f) != a.Value(a.Code(f)) {
					t.Fatalf("%+v: Rounder makes %v of %v", a, round(f), f)
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

// TestPowerActivation: power grids hold 0, reach both ends of the range, and
// round as they say, up to the resolution of the table.
func TestPowerActivation(t *testing.T) {
	for _, r := range [][2]float64{{0, 6}, {-1, 1}, {-3, 0.5}, {-2, 0}, {-0.17, 4}, {-1e-9, 3}, {0, 1e-12}, {0, 3e30}, {0, 0}} {
		for _, b := range []int{2, 4, 5, 8} {
			for _, e := range []float64{0.4, 0.8} {
				a := format.NewPowerActivation(r[0], r[1], b, e, format.NearestLevel, 0)
				if a.Value(a.Code(0)) != 0 {
					t.Errorf("%v, %d bits: 0 becomes %v", r, b, a.Value(a.Code(0)))
				}
				levels := a.Levels()
				top := len(levels) - 1
				if r[0] == r[1] {
					continue
				}
				span := float64(levels[top]-levels[0]) * float64(a.Scale)
				for i := range 14 {
					x := float32(r[0] + (r[1]-r[0])*float64(i)/13)
					got, best := float64(a.Value(a.Code(x))), math.Inf(1)
					for q := range levels {
						best = min(best, math.Abs(float64(x)-float64(a.Value(uint8(q)))))
					}
					if d := math.Abs(got - float64(x)); d > best+span/4000 {
						t.Errorf("%v, %d bits, exponent %v: %v becomes %v, another level is nearer by %v", r, b, e, x, got, d-best)
					}
				}
			}
		}
	}
}

// TestPowerActivationForm: the written pair of functions computes Value(Code(x))
// exactly, and reads back; a function of the same name with another body does
// not.
func TestPowerActivationForm(t *testing.T) {
	w := normal(3, 1000)
	x := tensor.Data[float32](w)
	for i := range x {
		x[i] *= 2
	}
	for _, b := range []int{2, 4, 5, 8} {
		for _, lo := range []float64{0, -0.2, -2.9} {
			for _, r := range []format.Rounding{format.NearestLevel, format.PowerDomain} {
				a := format.NewPowerActivation(lo, 2.9, b, 0.57, r, []int{0, 127, 255}[b%3])
				v := &ir.Value{Name: "x", Type: ir.TensorType(tensor.Float32, ir.Known(1000))}
				m := &ir.Model{Graph: &ir.Graph{Name: "g", Inputs: []*ir.Value{v}}, Opsets: []ir.Opset{{Version: 13}}}
				p := ir.NewPatch(m.Graph, "test")
				s := format.NewWires(m, p)
				y := s.Wire("x", a).Emit(p, v)
				a2 := a
				a2.Scale *= 3
				z := s.Wire("y", a2).Emit(p, v)
				if err := p.Apply(); err != nil {
					t.Fatal(err)
				}
				if n := len(m.Graph.Consts); n != 8 {
					t.Errorf("two grids that differ in scale have %d constants", n)
				}
				m.Graph.Outputs = []*ir.Value{y, z}
				got, err := op.Run(context.Background(), m, map[string]op.Val{"x": w})
				if err != nil {
					t.Fatal(err)
				}
				for k, grid := range []format.Activation{a, a2} {
					for i, f := range tensor.Data[float32](got[k].(*tensor.Tensor))[:200] {
						if want := grid.Value(grid.Code(x[i])); f != want {
							t.Fatalf("%v from %v: %v becomes %v, want %v", grid, lo, x[i], f, want)
						}
					}
				}
				if again, source, ok := format.MatchPowerActivation(m, y); !ok || again != a || source != v {
					t.Errorf("%+v reads back as %+v of %v, %v", a, again, source, ok)
				}
				m.Functions[1].Body.Nodes[2].Op = "Sub"
				if _, _, ok := format.MatchPowerActivation(m, y); ok {
					t.Error("a function with another body matches")
				}
			}
		}
	}
}
