package format_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pare/format"
	"pare/ir"
	"pare/tensor"
)

func normal(seed uint64, shape ...int) *tensor.Tensor {
	r := rand.New(rand.NewPCG(seed, 1))
	t := tensor.New(tensor.Float32, shape...)
	x := tensor.Data[float32](t)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return t
}

// spec is the format of a row with one scale per index of axis 0.
func spec(r format.Row) format.Spec {
	return format.Spec{Kind: r.Kind, Bits: r.Bits, Asymmetric: r.Asymmetric, Grain: format.PerChannel, Exponent: 0.7}
}

func encode(t *testing.T, w *tensor.Tensor, s format.Spec, o format.Options) (*format.Encoded, format.Error) {
	t.Helper()
	e, err, fail := format.Encode(w, s, o)
	if fail != nil {
		t.Fatalf("%v: %v", s, fail)
	}
	return e, err
}

func decode(t *testing.T, e *format.Encoded) []float32 {
	t.Helper()
	d, err := e.Decode(1)
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Data[float32](d)
}

// TestRows holds every row to its budget, to the type that it names, and to
// the bound of nearest rounding: half the widest step.
func TestRows(t *testing.T) {
	w := normal(1, 64, 256)
	for _, r := range format.Rows {
		s := spec(r)
		e, cost := encode(t, w, s, format.Options{})
		if e.Codes.Type != r.Type {
			t.Errorf("%v is stored as %v, its row says %v", s, e.Codes.Type, r.Type)
		}
		got := decode(t, e)
		if d := format.Difference(tensor.Data[float32](w), got); math.Abs(d.Square-cost.Square) > 1e-9*d.Square || d.Max != cost.Max {
			t.Errorf("%v: Encode reports %+v, decoding gives %+v", s, cost, d)
		}
		if snr := cost.SNR(); snr < r.SNR {
			t.Errorf("%v: %.2f dB, its row promises %v", s, snr, r.SNR)
		}
		if r.Kind == format.Codebook {
			continue // its levels lie where the weights do
		}
		scales := tensor.Data[float32](e.Scale)
		for i, x := range tensor.Data[float32](w) {
			step := float64(1)
			if r.Kind == format.Power {
				n := len(e.Levels)
				step = float64(e.Levels[n-1] - e.Levels[n-2])
			}
			if limit := step / 2 * float64(scales[i/256]) * 1.0001; math.Abs(float64(x-got[i])) > limit {
				t.Fatalf("%v: element %d is off by %v, the bound is %v", s, i, x-got[i], limit)
			}
		}
	}
}

// TestGrains checks which elements share a scale, against the definition.
func TestGrains(t *testing.T) {
	shape := []int{6, 10, 3, 2}
	w := normal(2, shape...)
	x := tensor.Data[float32](w)
	for _, s := range []format.Spec{
		{Bits: 4}, {Bits: 8},
		{Bits: 4, Grain: format.PerChannel, Axis: 0},
		{Bits: 4, Grain: format.PerChannel, Axis: 1},
		{Bits: 2, Grain: format.PerChannel, Axis: 3},
		{Bits: 4, Grain: format.PerBlock, Axis: 1, Block: 4},
		{Bits: 8, Grain: format.PerBlock, Axis: 0, Block: 6},
		{Bits: 3, Grain: format.PerBlock, Axis: 3, Block: 8, Asymmetric: true},
		{Bits: 4, Grain: format.PerChannel, Axis: 2, Asymmetric: true},
	} {
		e, _ := encode(t, w, s, format.Options{})
		got := decode(t, e)
		lo, hi := map[string]float32{}, map[string]float32{}
		for i, v := range x {
			k := groupOf(s, shape, i)
			lo[k], hi[k] = min(lo[k], v), max(hi[k], v)
		}
		if len(lo) != e.Scale.Len() {
			t.Errorf("%v on axis %d: %d scales for %d groups", s, s.Axis, e.Scale.Len(), len(lo))
		}
		for i, v := range x {
			k := groupOf(s, shape, i)
			step := max(hi[k], -lo[k]) / float32(s.Levels())
			if s.Asymmetric {
				step = (hi[k] - lo[k]) / float32(s.Levels())
			}
			// An asymmetric zero point is rounded, which may clip half a step.
			if d := v - got[i]; d > 1.01*step || (!s.Asymmetric && max(d, -d) > step*0.5001) {
				t.Fatalf("%v on axis %d: element %d is off by %v, a step is %v", s, s.Axis, i, v-got[i], step)
			}
		}
	}
}

func groupOf(s format.Spec, shape []int, i int) string {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d], i = i%shape[d], i/shape[d]
	}
	switch s.Grain {
	case format.PerTensor:
		return ""
	case format.PerChannel:
		return fmt.Sprint(at[s.Axis])
	}
	at[s.Axis] /= s.Block
	return fmt.Sprint(at)
}

// TestThreads checks that bytes and error do not depend on the number of
// threads.
func TestThreads(t *testing.T) {
	w := normal(3, 100, 37, 41)
	for _, s := range []format.Spec{
		{Bits: 4, Grain: format.PerChannel, Axis: 1},
		{Kind: format.Power, Bits: 3, Exponent: .6, Grain: format.PerChannel},
		{Bits: 4, Grain: format.PerBlock, Axis: 2, Block: 16},
	} {
		a, ea := encode(t, w, s, format.Options{Threads: 1, Range: format.MSERange})
		b, eb := encode(t, w, s, format.Options{Threads: 7, Range: format.MSERange})
		if !tensor.Equal(a.Codes, b.Codes) || !tensor.Equal(a.Scale, b.Scale) || ea != eb {
			t.Errorf("%v depends on the number of threads", s)
		}
		h1, _ := format.NewHistogram(w, s, format.Squared, 1)
		h7, _ := format.NewHistogram(w, s, format.Squared, 7)
		if *h1 != *h7 {
			t.Errorf("%v: the histogram depends on the number of threads", s)
		}
	}
}

// TestClipping checks that the least-squares range is never worse than the
// maximum and better where there is an outlier.
func TestClipping(t *testing.T) {
	w := normal(4, 16, 400)
	x := tensor.Data[float32](w)
	for g := range 16 {
		x[g*400] = 12
	}
	for _, bits := range []int{3, 4} {
		for _, k := range []format.Kind{format.Uniform, format.Power} {
			s := format.Spec{Kind: k, Bits: bits, Grain: format.PerChannel, Exponent: 0.8}
			_, full := encode(t, w, s, format.Options{})
			_, mse := encode(t, w, s, format.Options{Range: format.MSERange})
			if mse.Square > 0.9*full.Square {
				t.Errorf("%v: clipping leaves %v of the error", s, mse.Square/full.Square)
			}
		}
	}
}

func TestHardCases(t *testing.T) {
	for name, x := range map[string][]float32{
		"zeros":  {0, 0, 0, 0},
		"tiny":   {1e-38, -1e-40, 0, 1e-44},
		"huge":   {1e38, -1e38, 1, 0},
		"signed": {float32(math.Copysign(0, -1)), 1, -1, .5},
	} {
		for _, r := range format.Rows {
			s := spec(r)
			e, _ := encode(t, tensor.Of([]int{1, 4}, x), s, format.Options{Range: format.MSERange})
			for i, y := range decode(t, e) {
				if d := float64(x[i]) - float64(y); !(math.Abs(d) <= math.Max(1e-30, float64(max(x[0], x[1], -x[1])))) {
					t.Errorf("%s, %v: %v became %v", name, s, x[i], y)
				}
			}
		}
	}
	bad := tensor.Of([]int{2, 2}, []float32{1, 2, float32(math.NaN()), 4})
	var nf *format.NotFiniteError
	if _, _, err := format.Encode(bad, format.Spec{Bits: 8}, format.Options{}); !asNotFinite(err, &nf) || nf.Index != 2 {
		t.Errorf("a NaN weight gives %v", err)
	}
}

func asNotFinite(err error, to **format.NotFiniteError) bool {
	e, ok := err.(*format.NotFiniteError)
	*to = e
	return ok
}

// TestMatch writes every row into a graph and finds it again.
func TestMatch(t *testing.T) {
	w := normal(5, 12, 7, 3)
	for _, r := range format.Rows {
		for _, s := range []format.Spec{spec(r), {Kind: r.Kind, Bits: r.Bits, Asymmetric: r.Asymmetric, Exponent: .55, Wide: true}} {
			e, _ := encode(t, w, s, format.Options{})
			m := &ir.Model{Graph: &ir.Graph{}, Opsets: []ir.Opset{{Version: s.Row().Opset}}}
			p := ir.NewPatch(m.Graph, "test")
			v := format.Emit(p, m, "w", e, tensor.Float32)
			if err := p.Apply(); err != nil {
				t.Fatal(err)
			}
			got, ok := format.MatchWeight(m, v)
			if !ok {
				t.Errorf("%v is not recognised", s)
				continue
			}
			want := e.Spec
			if want.Kind != format.Power {
				want.Exponent = 0
			}
			if want.Wide = got.Codes.Type.Bits() == 8 && want.Bits <= 4; got.Spec != want {
				t.Errorf("%+v is recognised as %+v", want, got.Spec)
			}
			a, b := decode(t, e), decode(t, got)
			for i := range a {
				if a[i] != b[i] {
					t.Fatalf("%v: element %d is %v, recognised as %v", s, i, a[i], b[i])
				}
			}
		}
	}
}
