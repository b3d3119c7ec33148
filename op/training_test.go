package op_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pare/format"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

func training(name string, pairs ...any) *ir.Node {
	return &ir.Node{Name: "node", Op: name, Domain: op.TrainingDomain, Attrs: attrs(pairs...)}
}

// noise32 are normal numbers times f, with the limits between codes of the scale
// among them.
func noise32(r *rand.Rand, n int, f, scale float32) *tensor.Tensor {
	x := make([]float32, n)
	for i := range x {
		x[i] = f * float32(r.NormFloat64())
		if i%5 == 0 {
			x[i] = (float32(r.IntN(40)-20) + 0.5) * scale
		}
	}
	return tensor.Of([]int{n}, x)
}

// TestFakeQuantizersAreWhatIsDeployed compares with the formats, bit for bit.
func TestFakeQuantizersAreWhatIsDeployed(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 70))
	for bits := 2; bits <= 8; bits++ {
		for _, lo := range []float64{0, -1.7} {
			a := format.NewActivation(lo, 3.1, bits)
			x := noise32(r, 500, 2, a.Scale)
			got := must(t, 21, training("FakeQuantize", "hi", 1<<bits-1), 1, x, tensor.Scalar(a.Scale), tensor.Scalar(float32(a.Zero)))[0]
			sameBits(t, a.String(), got, x, a.Rounder())

			for _, by := range []format.Rounding{format.NearestLevel, format.PowerDomain} {
				a := format.NewPowerActivation(lo, 3.1, bits, 0.55, by, 0)
				codes, levels := a.Tables()
				got := must(t, 21, training("FakePowerQuantize"), 1, x, tensor.Scalar(a.Scale), codes, levels)[0]
				sameBits(t, a.String(), got, x, a.Rounder())
			}
		}
	}
}

func sameBits(t *testing.T, what string, got, x *tensor.Tensor, f func(float32) float32) {
	t.Helper()
	for i, v := range tensor.Data[float32](x) {
		if g, w := tensor.Data[float32](got)[i], f(v); math.Float32bits(g) != math.Float32bits(w) {
			t.Fatalf("%s of %v: got %v, want %v", what, v, g, w)
		}
	}
}

// TestFakeQuantizeIsThePair compares with QuantizeLinear and DequantizeLinear for
// scales along axes and in blocks.
func TestFakeQuantizeIsThePair(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 70))
	x := noise32(r, 6*8, 2, 0.25).Reshape(6, 8)
	for _, k := range []struct {
		scale []int
		pairs []any
	}{
		{[]int{1}, nil},
		{[]int{6}, []any{"axis", 0}},
		{[]int{8}, []any{"axis", -1}},
		{[]int{6, 2}, []any{"axis", 1, "block_size", 4}},
	} {
		scale, zero := tensor.New(tensor.Float32, k.scale...), tensor.New(tensor.Int8, k.scale...)
		wide := tensor.New(tensor.Float32, k.scale...)
		for i := range scale.Len() {
			tensor.Data[float32](scale)[i] = 0.01 + r.Float32()/8
			z := r.IntN(9) - 4
			tensor.Data[int8](zero)[i], tensor.Data[float32](wide)[i] = int8(z), float32(z)+0.3
		}
		codes := must(t, 21, &ir.Node{Op: "QuantizeLinear", Attrs: attrs(k.pairs...)}, 1, x, scale, zero)[0]
		want := must(t, 21, &ir.Node{Op: "DequantizeLinear", Attrs: attrs(k.pairs...)}, 1, codes, scale, zero)[0]
		got := must(t, 21, training("FakeQuantize", append(k.pairs, "lo", -128, "hi", 127)...), 1, x, scale, wide)[0]
		if !slices.Equal(tensor.Data[float32](got), tensor.Data[float32](want)) {
			t.Errorf("scales %v: not the pair", k.scale)
		}
	}
}

func TestSoftRoundLiesBetweenLevels(t *testing.T) {
	below, above := vector(-3.0, 0, 2, 7), vector(-2.0, 1, 5, 7)
	scale := tensor.Scalar(0.5)
	at := func(v float64, pairs ...any) *tensor.Tensor {
		return must(t, 21, training("SoftRound", pairs...), 1, below, above, vector(v, v, v, v), scale)[0]
	}
	near(t, "all below", at(-20), vector(-1.5, 0, 1, 3.5), 0)
	near(t, "half way", at(0), vector(-1.25, 0.25, 1.75, 3.5), 1e-15)
	near(t, "all above", at(20), vector(-1, 0.5, 2.5, 3.5), 0)
	near(t, "hard, above", at(0, "hard", 1), vector(-1, 0.5, 2.5, 3.5), 0)
	near(t, "hard, below", at(-1e-9, "hard", 1), vector(-1.5, 0, 1, 3.5), 0)
	// The start that AdaRound prescribes gives the weights themselves.
	frac := 0.3
	v := -math.Log(1.2/(frac+0.1) - 1)
	near(t, "start", at(v), vector(-1.35, 0.15, 1.45, 3.5), 1e-12)
}

func TestPowerLatentIsThePowerGrid(t *testing.T) {
	const exponent = 0.6
	alpha := tensor.Scalar(math.Log((exponent - 0.2) / (1 - exponent)))
	levels := format.Table(4, exponent)
	v, want := make([]float64, 17), make([]float64, 17)
	for i := range v {
		v[i] = float64(i-8) + 0.4
		q := max(i-8, -7)
		q = min(q, 7)
		want[i] = 0.01 * math.Copysign(float64(levels[max(q, -q)]), float64(q))
	}
	scale := tensor.Scalar(0.01)
	got := must(t, 21, training("PowerLatent", "n", 7, "top", 127), 1, vector(v...), scale, alpha)[0]
	near(t, "levels", got, vector(want...), 1e-12)
	for i, q := range v {
		want[i] = 1.27 * math.Copysign(math.Pow(min(math.Abs(q)/7, 1), 1/exponent), q)
	}
	scale = tensor.Scalar(1.27)
	smooth := must(t, 21, training("PowerLatent", "n", 7, "beta", float32(0.01)), 1, vector(v...), scale, alpha)[0]
	near(t, "the identity", smooth, vector(want...), 1e-4)
	steep := must(t, 21, training("PowerLatent", "n", 7, "beta", float32(500)), 1, vector(v...), scale, alpha)[0]
	near(t, "rounding", steep, must(t, 21, training("PowerLatent", "n", 7), 1, vector(v...), scale, alpha)[0], 1e-9)
}

func TestMixDrawsByProbability(t *testing.T) {
	const n = 40000
	x, y := tensor.New(tensor.Float32, n), tensor.New(tensor.Float32, n)
	for i := range n {
		tensor.Data[float32](x)[i] = 1
	}
	share := func(pairs ...any) (got float64, all []float32) {
		all = tensor.Data[float32](must(t, 21, training("Mix", pairs...), 1, x, y)[0])
		for _, v := range all {
			got += float64(v) / n
		}
		return got, all
	}
	for _, p := range []float32{0, 0.125, 0.5, 0.75, 1} {
		// Four standard deviations of a mean of n draws.
		if got, _ := share("p", p); math.Abs(got-float64(p)) > 4*math.Sqrt(float64(p*(1-p))/n)+1e-9 {
			t.Errorf("share of x is %v, want %v", got, p)
		}
	}
	_, a := share()
	_, again := share()
	_, other := share("seed", 1)
	both := 0
	for i := range a {
		if a[i] == other[i] {
			both++
		}
	}
	if !slices.Equal(a, again) || math.Abs(float64(both)/n-0.5) > 0.02 {
		t.Errorf("draws repeat: %v; draws of two seeds agree in %d of %d", slices.Equal(a, again), both, n)
	}
	if op.NewDraws(1, "a", 0) == op.NewDraws(1, "b", 0) || op.NewDraws(1, "a", 0) == op.NewDraws(1, "a", 1) {
		t.Error("nodes or steps draw alike")
	}
}

// TestTrainingOperatorsRefuse expects errors, and NaN to be passed on.
func TestTrainingOperatorsRefuse(t *testing.T) {
	x, one := vector[float32](1, 2, 3), tensor.Scalar(float32(1))
	nan := float32(math.NaN())
	codes, levels := vector[uint8](0, 0, 1, 1), vector[float32](-1, 1)
	for what, k := range map[string]struct {
		n  *ir.Node
		in []op.Val
	}{
		"zero scale":          {training("FakeQuantize"), []op.Val{x, tensor.Scalar(float32(0))}},
		"NaN scale":           {training("FakeQuantize"), []op.Val{x, tensor.Scalar(nan)}},
		"no codes":            {training("FakeQuantize", "lo", 3, "hi", 3), []op.Val{x, one}},
		"zeros do not fit":    {training("FakeQuantize"), []op.Val{x, one, vector[float32](0, 0)}},
		"integers":            {training("FakeQuantize"), []op.Val{vector[int32](1), one}},
		"code without level":  {training("FakePowerQuantize"), []op.Val{x, one, vector[uint8](0, 2), levels}},
		"levels descend":      {training("FakePowerQuantize"), []op.Val{x, one, codes, vector[float32](1, -1)}},
		"levels are one":      {training("FakePowerQuantize"), []op.Val{x, one, codes, vector[float32](1, 1)}},
		"scales along axis":   {training("FakePowerQuantize"), []op.Val{x, x, codes, levels}},
		"shapes differ":       {training("SoftRound"), []op.Val{x, x, vector[float32](1), one}},
		"two exponents":       {training("PowerLatent"), []op.Val{x, one, x}},
		"no grid":             {training("PowerLatent", "n", 0), []op.Val{x, one, one}},
		"mixed types":         {training("Mix"), []op.Val{x, vector(1.0, 2, 3)}},
		"not a probability":   {training("Mix", "p", nan), []op.Val{x, x}},
		"mixed shapes":        {training("Mix"), []op.Val{x, vector[float32](1)}},
		"blocks of no length": {training("FakeQuantize", "block_size", -1), []op.Val{x, x}},
	} {
		if _, err := evaluate(21, k.n, 1, k.in...); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	for _, y := range []*tensor.Tensor{
		must(t, 21, training("FakeQuantize"), 1, vector(nan), one)[0],
		must(t, 21, training("FakePowerQuantize"), 1, vector(nan), one, codes, levels)[0],
		must(t, 21, training("SoftRound", "hard", 1), 1, vector[float32](0), vector[float32](1), vector(nan), one)[0],
		must(t, 21, training("PowerLatent"), 1, vector(nan), one, one)[0],
	} {
		if v := tensor.Data[float32](y)[0]; v == v {
			t.Errorf("NaN became %v", v)
		}
	}
}
