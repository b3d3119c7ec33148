package decompose_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"pare/compress"
	"pare/internal/fault"
	"pare/tensor"
)

// TestBadWords: amounts that make no sense are refused before anything is read.
func TestBadWords(t *testing.T) {
	for recipe, want := range map[string]string{
		"svd(rank=-1)":           "rank=-1 is negative",
		"svd(error=1)":           "error=1 is not in 0 to 1",
		"svd(energy=-0.5)":       "energy=-0.5 is not in 0 to 1",
		"cp(macs=0)":             "macs=0, the share to keep",
		"tucker(params=1.5)":     "params=1.5, the share to keep",
		"svd(rank=8,error=0.1)":  "give one amount",
		"svd(align=0)":           "align=0 is not above 0",
		"cp(smooth=1)":           "smooth=1 is not in 0 to 1",
		"svd(form=diagonal)":     "choose one of auto, channel, spatial",
		"svd(weighted=moment)":   "did you mean \"moments\"",
		"tucker(pays=bandwidth)": "choose one of time, macs",
	} {
		r, err := compress.Parse(recipe)
		if err == nil {
			err = r.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", recipe, err, want)
		}
	}
}

// TestBadNetworks: weights that are no numbers and amounts that cannot be reached are
// errors, ranks that are too large are not.
func TestBadNetworks(t *testing.T) {
	const body = "  const w = f32[32,16,3,3]{*1.0}\n  y = Conv(x, w)"
	for _, method := range []string{"svd", "tucker", "cp"} {
		m := parse(t, "f32[1,16,8,8]", body)
		tensor.Data[float32](constant(t, m, "w"))[77] = float32(math.NaN())
		_, err := run(m, method)
		if _, node, hint := fault.Describe(err); err == nil || node != `Conv "y"` || hint == "" || !strings.Contains(err.Error(), "element 77 is NaN") {
			t.Errorf("%s of NaN: %v, node %q, hint %q", method, err, node, hint)
		}
		if _, err := run(parse(t, "f32[1,16,8,8]", body), method+"(macs=0.001,pays=macs)"); err == nil || !strings.Contains(err.Error(), "cannot be reached: at least 0.") {
			t.Errorf("%s to nothing: %v", method, err)
		}
		rep, err := run(parse(t, "f32[1,16,8,8]", body), method+"(rank=100000,pays=macs)")
		if err != nil || !rep.Layers[0].Skipped || rep.Layers[0].Reason == "" {
			t.Errorf("%s of a large rank: %+v, %v", method, rep, err)
		}
		m = parse(t, "f32[1,16,8,8]", body)
		dense := parse(t, "f32[1,16]", "  const w = f32[16,32]{*1.0}\n  y = MatMul(x, w)")
		tensor.Data[float32](constant(t, dense, "w"))[3] = float32(math.Inf(1))
		if _, err := run(dense, "svd(error=0.1)"); err == nil || !strings.Contains(err.Error(), "element 3 is +Inf") {
			t.Errorf("an infinite weight of a product: %v", err)
		}
		clear(tensor.Data[float32](constant(t, m, "w")))
		if rep, err := run(m, method+"(error=0.5,pays=macs)"); err != nil || !rep.Layers[0].Skipped {
			t.Errorf("%s of zeros: %+v, %v", method, rep, err)
		}
	}
}

// TestOpenSizes: where sizes are open, parameters can be an amount, operations not.
func TestOpenSizes(t *testing.T) {
	m := parse(t, "f32[1,T,256]", "  const w = f32[256,256]{*1.0}\n  y = MatMul(x, w)")
	if _, err := run(m, "svd(macs=0.5)"); err == nil || !strings.Contains(err.Error(), "the sizes of 1 layers are left open") {
		t.Errorf("an amount of unknown operations: %v", err)
	} else if _, _, hint := fault.Describe(err); !strings.Contains(hint, "params=") {
		t.Errorf("hint %q", hint)
	}
	rep, err := run(m, "svd(params=0.5)")
	if err != nil || rep.Layers[0].Skipped || rep.After.Params > rep.Before.Params/2 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// TestNothingToDecompose: an amount cannot be reached where there are no layers.
func TestNothingToDecompose(t *testing.T) {
	m := parse(t, "f32[1,16]", "  y = Relu(x)")
	for _, recipe := range []string{"svd(macs=0.5)", "tucker(params=0.5)", "cp(macs=0.9)"} {
		if _, err := run(m, recipe); err == nil || !strings.Contains(err.Error(), "it makes no layer smaller") {
			t.Errorf("%s: %v", recipe, err)
		}
	}
}

// TestSameForAnyThreads: large matrices go through products that gonum spreads over
// processors.
func TestSameForAnyThreads(t *testing.T) {
	var first []byte
	for _, threads := range []int{1, 3} {
		m := parse(t, "f32[2,300]", "  const w = f32[320,300]{*1.0}\n  y = Gemm(x, w) {transB=1}")
		r, err := compress.Parse("svd(rank=64)")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Run(context.Background(), m, compress.Options{Threads: threads}); err != nil {
			t.Fatal(err)
		}
		b := constant(t, m, "y_basis_weight").Bytes()
		if first == nil {
			first = b
		} else if string(first) != string(b) {
			t.Errorf("the result depends on the number of threads")
		}
	}
}

// TestOldGemm: operator sets in which a Gemm must have a bias are left behind.
func TestOldGemm(t *testing.T) {
	m := parse(t, "f32[3,256]", "  const w = f32[256,256]{*1.0}\n  const b = f32[256]{*1.0}\n  y = Gemm(x, w, b)")
	m.SetOpset("", 9)
	if rep := compressed(t, m, "svd(rank=32)"); rep.Layers[0].Skipped || m.Opset("") < 11 {
		t.Errorf("operator set %d, %+v", m.Opset(""), rep.Layers[0])
	}
}
