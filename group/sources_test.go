package group_test

import (
	"maps"
	"slices"
	"testing"

	"pare/group"
	"pare/tensor"
)

// TestSources: what Sources says is left of a constant is what Apply leaves of it.
func TestSources(t *testing.T) {
	moved := 0
	for name, body := range structures {
		m := drawnStructure(t, body)
		a := group.Analyse(m, group.Removing)
		c := zeroed(t, m, a)
		want := map[string]*tensor.Tensor{}
		sources, err := a.Sources(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range m.Graph.Consts {
			if v.Const.Type == tensor.Float32 {
				want[v.Name] = v.Const
			}
		}
		change(t, m, a, c)
		for _, of := range slices.Sorted(maps.Keys(want)) {
			v := m.Graph.Value(of)
			if v == nil {
				continue // read no more
			}
			x, shape := tensor.Float32s(want[of]), slices.Clone(want[of].Shape)
			for _, s := range sources[of] {
				x, moved = taken(x, shape, s), moved+1
				shape[s.Axis] = len(s.From)
			}
			if !slices.Equal(shape, v.Const.Shape) || !slices.Equal(x, tensor.Float32s(v.Const)) {
				t.Errorf("%s: %s is %v, not %v with what Sources says", name, of, v.Const.Shape, shape)
			}
		}
	}
	if moved < 2*len(structures) {
		t.Errorf("only %d axes of constants changed", moved)
	}
}

func taken(x []float32, shape []int, s group.Source) (out []float32) {
	inner := tensor.Len(shape[s.Axis+1:])
	for o := 0; o < len(x); o += shape[s.Axis] * inner {
		for _, k := range s.From {
			out = append(out, x[o+k*inner:][:inner]...)
		}
	}
	return out
}
