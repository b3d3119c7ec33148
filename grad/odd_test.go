package grad_test

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"pare/grad"
	"pare/internal/assets"
	"pare/internal/fault"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// TestOddNetworks: small networks of all kinds compute what the reference does, and
// either have gradients or an error that names the node that has none.
func TestOddNetworks(t *testing.T) {
	dir := assets.Path(t, "models")
	files, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, file := range files {
		if name := filepath.Base(file); name == "espcn_qonnx.onnx" || name == "super_resolution_old.onnx" {
			continue // the reference takes too long
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			m, in := open(t, "models/"+filepath.Base(file), map[string]int{"height": 64, "width": 96, "H": 64, "W": 96})
			agreesWithReference(t, m, in)
			p, err := grad.New(m, grad.Options{Params: weights(m.Graph)})
			if err == nil {
				_, err = p.Forward(context.Background(), in)
			}
			if err != nil {
				if _, node, _ := fault.Describe(err); node == "" {
					t.Errorf("no node is named: %v", err)
				}
				t.Log(err)
				return
			}
			rounds := slices.ContainsFunc(m.Graph.Nodes, func(n *ir.Node) bool { return n.Op == "QuantizeLinear" })
			if len(p.Params()) > 0 && !rounds {
				checkSlope(t, p, in, 1)
			}
		})
	}
}

// agreesWithReference compares the results of a network.
func agreesWithReference(t *testing.T, m *ir.Model, in []*tensor.Tensor) {
	t.Helper()
	vals := make([]op.Val, len(in))
	for i, x := range in {
		vals[i] = x
	}
	want, err := op.RunList(context.Background(), m, vals)
	if err != nil {
		t.Fatal(err)
	}
	p, err := grad.New(m, grad.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := (&trial{t: t, p: p, in: in}).forward()
	for i, y := range got {
		w, ok := want[i].(*tensor.Tensor)
		if !ok || !w.Type.IsFloat() {
			continue
		}
		tolerance := 1e-3
		if w.Type.Bits() < 32 {
			tolerance = 1e-2
		}
		near64(t, m.Graph.Outputs[i].Name, tensor.Float64s(y), tensor.Float64s(w), tolerance)
	}
}

// near64 compares results up to a share of the largest, for rounding on the way, which may send a few
// elements to another step of a quantiser.
func near64(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d elements, want %d", what, len(got), len(want))
		return
	}
	largest, far := 1e-6, 0
	for _, v := range want {
		largest = max(largest, v, -v)
	}
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= tolerance*largest) && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
			far++
		}
	}
	if far*1000 > len(got) {
		t.Errorf("%s: %d of %d elements are far from the reference", what, far, len(got))
	}
}
