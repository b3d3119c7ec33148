package format_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pare/format"
	"pare/tensor"
)

func draw(kind string, n int) *tensor.Tensor {
	r := rand.New(rand.NewPCG(7, 42))
	t := tensor.New(tensor.Float32, n)
	for i, x := 0, tensor.Data[float32](t); i < n; i++ {
		switch kind {
		case "normal":
			x[i] = float32(r.NormFloat64())
		case "laplace":
			x[i] = float32(r.ExpFloat64() * float64(1-2*r.IntN(2)))
		case "uniform":
			x[i] = float32(2*r.Float64() - 1)
		}
	}
	return t
}

// TestExponent checks the optimum on known laws and that the histogram predicts
// the error that Encode measures.
func TestExponent(t *testing.T) {
	for kind, want := range map[string]struct{ a, gain float64 }{
		"normal": {0.67, 1.19}, "laplace": {0.54, 1.49}, "uniform": {1, 1},
	} {
		w := draw(kind, 20_000)
		h, err := format.NewHistogram(w, format.Spec{Bits: 4}, format.Squared, 2)
		if err != nil {
			t.Fatal(err)
		}
		if a := h.Asymptotic(); math.Abs(a-want.a) > 0.05 {
			t.Errorf("%s: asymptotic exponent %.3f, expected %.2f", kind, a, want.a)
		}
		a, border := format.Search([]format.Part{{h, 4}}, 2, format.NearestLevel, format.Golden)
		if math.Abs(a-want.a) > 0.1 || border {
			t.Errorf("%s: exponent %.3f (border: %v), expected %.2f", kind, a, border, want.a)
		}
		s, _ := format.Search([]format.Part{{h, 4}}, 2, format.NearestLevel, format.NelderMead)
		if got, best := h.Error(4, s, 2, format.NearestLevel), h.Error(4, a, 2, format.NearestLevel); got > 1.01*best {
			t.Errorf("%s: the simplex ends at %.3f with error %v, golden section at %.3f with %v", kind, s, got, a, best)
		}
		_, e := encode(t, w, format.Spec{Kind: format.Power, Bits: 4, Exponent: a}, format.Options{})
		if p := h.Error(4, a, 2, format.NearestLevel); math.Abs(p-e.Square) > 0.002*e.Square {
			t.Errorf("%s: the histogram predicts %v, Encode measures %v", kind, p, e.Square)
		}
		_, u := encode(t, w, format.Spec{Bits: 4}, format.Options{})
		if gain := math.Sqrt(u.Square / e.Square); gain < want.gain-0.03 {
			t.Errorf("%s: gain over uniform %.3f, expected %.2f", kind, gain, want.gain)
		}
		for _, b := range []float64{a - .1, a + .1} {
			if h.Error(4, b, 2, format.NearestLevel) < h.Error(4, a, 2, format.NearestLevel) {
				t.Errorf("%s: exponent %.3f is better than %.3f", kind, b, a)
			}
		}
	}
}

// TestTernary: with the levels 0 and ±max, no exponent beats rounding at max/2.
func TestTernary(t *testing.T) {
	h, _ := format.NewHistogram(draw("normal", 20_000), format.Spec{Bits: 2}, format.Squared, 1)
	if a, _ := format.Search([]format.Part{{h, 2}}, 2, format.NearestLevel, format.Golden); a != 1 {
		t.Errorf("exponent %v at 2 bits", a)
	}
	for _, a := range []float64{.4, .7, 1.2} {
		if h.Error(2, a, 2, format.PowerDomain) < h.Error(2, 1, 2, format.PowerDomain)*(1-1e-9) {
			t.Errorf("exponent %v beats 1 at 2 bits", a)
		}
	}
}

// TestTable: exponent 1/2 gives squares, and byte tables keep levels apart
// where the kernels rely on it.
func TestTable(t *testing.T) {
	for j, v := range format.Table(4, 0.5) {
		if want := math.RoundToEven(127 * float64(j*j) / 49); float64(v) != want {
			t.Errorf("level %d of a = 1/2 is %v, want %v", j, v, want)
		}
	}
	for bits, a := range map[int]float64{3: .45, 4: .45, 5: .5, 8: .5} {
		l := format.Table(bits, a)
		for j := 1; j < len(l); j++ {
			if l[j] <= l[j-1] {
				t.Errorf("%d bits, a = %v: levels %d and %d coincide", bits, a, j-1, j)
			}
		}
	}
}
