package op_test

import (
	"fmt"
	"math"
	"slices"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// same compares a result with the expected one: exactly, but for floats.
func (c *conformanceCase) same(want, got op.Val) error {
	switch w := want.(type) {
	case *tensor.Tensor:
		g, ok := got.(*tensor.Tensor)
		if !ok {
			return fmt.Errorf("%T, want a tensor", got)
		}
		return c.sameTensor(w, g)
	case *op.Sequence:
		g, ok := got.(*op.Sequence)
		if !ok || len(g.Elems) != len(w.Elems) {
			return fmt.Errorf("got %v, want %d elements", got, len(w.Elems))
		}
		for i := range w.Elems {
			if err := c.same(w.Elems[i], g.Elems[i]); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
		return nil
	case *op.Optional:
		g, ok := got.(*op.Optional)
		if !ok {
			return fmt.Errorf("got %T, want an optional", got)
		}
		if w.Elem == nil || g.Elem == nil {
			if w.Elem != nil || g.Elem != nil {
				return fmt.Errorf("got %v, want %v", g.Elem, w.Elem)
			}
			return nil
		}
		return c.same(w.Elem, g.Elem)
	}
	return fmt.Errorf("unexpected %T", want)
}

// coarse are cases whose expected results were written down with four digits.
// For them the tolerance is the one of the suite's own runner.
var coarse = []string{"test_gridsample_bicubic", "test_roialign_aligned_false", "test_roialign_aligned_true"}

// tolerance is the relative and absolute error allowed in the elements of a
// result: a hundredth of what the suite's own runner allows for float32 and
// float64, two units in the last place for 16 bits.
func tolerance(c *conformanceCase, t tensor.DType) (rel, abs float64) {
	switch {
	case slices.Contains(coarse, c.name):
		return 1e-3, 1e-7
	case t == tensor.Float16:
		return 0x1p-9, 1e-6
	case t == tensor.BFloat16:
		return 0x1p-6, 1e-6
	}
	return 1e-5, 1e-6
}

func (c *conformanceCase) sameTensor(want, got *tensor.Tensor) error {
	if want.Type != got.Type || !slices.Equal(want.Shape, got.Shape) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	if !want.Type.IsFloat() || want.Type.Bits() <= 8 {
		if !tensor.Equal(want, got) {
			return fmt.Errorf("%v differs: got %s, want %s", want, head(got), head(want))
		}
		return nil
	}
	rel, abs := tolerance(c, want.Type)
	w, g := tensor.Float64s(want), tensor.Float64s(got)
	for i := range w {
		if w[i] == g[i] || math.IsNaN(w[i]) && math.IsNaN(g[i]) {
			continue
		}
		if d := math.Abs(w[i] - g[i]); !(d <= abs+rel*math.Abs(w[i])) {
			return fmt.Errorf("%v: element %d is %g, want %g", want, i, g[i], w[i])
		}
	}
	return nil
}

func head(t *tensor.Tensor) string {
	if t.Type == tensor.String {
		return fmt.Sprintf("%q", t.Strings())
	}
	b := t.Bytes()
	return fmt.Sprintf("%x", b[:min(len(b), 40)])
}

// untyped are the cases whose result has no type that is known beforehand.
var untyped = map[string]string{
	"test_loop16_seq_none": "an optional without iterations, a sequence after the first",
}

// sameTypes checks the inferred types of the outputs against results: with
// what the model declares, and from its inputs and constants alone.
func (c *conformanceCase) sameTypes(m *ir.Model, runs [][]op.Val) error {
	for _, bare := range []bool{false, true} {
		m := ir.CloneModel(m)
		if bare { // nothing but the inputs' types
			for _, v := range m.Graph.Outputs {
				if v.Producer() != nil {
					v.Type = ir.Type{}
				}
			}
		}
		if _, err := op.InferWith(m, op.InferOptions{Redo: bare}); err != nil {
			return fmt.Errorf("inference (bare %v): %w", bare, err)
		}
		for _, out := range runs {
			for i, x := range out {
				inferred := m.Graph.Outputs[i].Type
				if _, err := ir.Merge(inferred, op.TypeOfVal(x)); err != nil {
					return fmt.Errorf("inference (bare %v), output %d: %v, but the result is %v", bare, i, inferred, op.TypeOfVal(x))
				}
				if inferred.Kind == ir.KindUnknown && untyped[c.name] == "" {
					return fmt.Errorf("inference (bare %v), output %d: nothing known of %v", bare, i, op.TypeOfVal(x))
				}
			}
		}
	}
	return nil
}
