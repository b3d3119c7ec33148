package grad_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pare/grad"
)

// reals are normal numbers times f.
func reals(seed uint64, n int, f float64) []float32 {
	r := rand.New(rand.NewPCG(seed, 80))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(f * r.NormFloat64())
	}
	return x
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// logSoftmax is the definition.
func logSoftmax(x []float64, t float64) []float64 {
	top, sum := slices.Max(x), 0.0
	for _, v := range x {
		sum += math.Exp((v - top) / t)
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = (v-top)/t - math.Log(sum)
	}
	return out
}

// lossCase is a loss beside its definition in float64.
type lossCase struct {
	name string
	y    []float32
	loss func(dy, y []float32) float64
	want func(y []float64) float64
}

func lossCases() []lossCase {
	const rows, classes = 7, 5
	labels := []int{0, 4, -1, 2, 2, -1, 3}
	logits, teacher := reals(1, rows*classes, 3), reals(2, rows*classes, 3)
	y, target, g := reals(3, 3000, 1), reals(4, 3000, 1), reals(5, 3000, 1)
	smooth := func(s float64) func(y []float64) float64 {
		return func(y []float64) (mean float64) {
			for i, l := range labels {
				if l < 0 {
					continue
				}
				log := logSoftmax(y[i*classes:(i+1)*classes], 1)
				mean -= (1 - s) * log[l] / 5
				for _, v := range log {
					mean -= s * v / classes / 5
				}
			}
			return mean
		}
	}
	power := func(p float64, scale float64, g []float32) func(y []float64) float64 {
		return func(y []float64) (sum float64) {
			for i, v := range y {
				w := 1.0
				if g != nil {
					w = float64(g[i]) * float64(g[i])
				}
				sum += scale * w * math.Pow(math.Abs(v-float64(target[i])), p)
			}
			return sum
		}
	}
	return []lossCase{
		{"cross-entropy", logits, func(dy, y []float32) float64 { return grad.CrossEntropy(dy, y, classes, labels) }, smooth(0)},
		{"smoothed", logits, func(dy, y []float32) float64 { return grad.SmoothCrossEntropy(dy, y, classes, labels, 0.1) }, smooth(0.1)},
		{"KL", logits, func(dy, y []float32) float64 { return grad.KL(dy, y, teacher, classes, 4) }, func(y []float64) (mean float64) {
			for i := range rows {
				p, q := logSoftmax(wide(teacher[i*classes:(i+1)*classes]), 4), logSoftmax(y[i*classes:(i+1)*classes], 4)
				for k := range p {
					mean += 16 * math.Exp(p[k]) * (p[k] - q[k]) / rows
				}
			}
			return mean
		}},
		{"MSE", y, func(dy, y []float32) float64 { return grad.MSE(dy, y, target, 1) }, power(2, 1.0/3000, nil)},
		{"MSE over channels", y, func(dy, y []float32) float64 { return grad.MSE(dy, y, target, 30) }, power(2, 30.0/3000, nil)},
		{"Fisher", y, func(dy, y []float32) float64 { return grad.FisherMSE(dy, y, target, g, 30) }, power(2, 30.0/3000, g)},
		{"L2.4", y, func(dy, y []float32) float64 { return grad.LP(dy, y, target, 2.4, 10) }, power(2.4, 10.0/3000, nil)},
		{"cosine", y, func(dy, y []float32) float64 { return grad.Cosine(dy, y, target, 300) }, func(y []float64) (mean float64) {
			for i := 0; i < len(y); i += 300 {
				ab, aa, bb := 0.0, 0.0, 0.0
				for k := i; k < i+300; k++ {
					t := float64(target[k])
					ab, aa, bb = ab+y[k]*t, aa+y[k]*y[k], bb+t*t
				}
				mean += (1 - ab/math.Sqrt(aa*bb)) / 10
			}
			return mean
		}},
		{"rounding term", y, func(dy, y []float32) float64 {
			clear(dy)
			return grad.RoundingTerm(dy, y, 0.01, 7)
		}, func(y []float64) (sum float64) {
			for _, v := range y {
				h := min(max(1.2/(1+math.Exp(-v))-0.1, 0), 1)
				sum += 0.01 * (1 - math.Pow(math.Abs(2*h-1), 7))
			}
			return sum
		}},
	}
}

// TestLosses compares values with the definitions, and gradients with central
// differences of the definitions.
func TestLosses(t *testing.T) {
	for _, k := range lossCases() {
		dy := reals(9, len(k.y), 1) // must be overwritten
		y := wide(k.y)
		if got, want := k.loss(dy, k.y), k.want(y); math.Abs(got-want) > 2e-6*math.Abs(want) {
			t.Errorf("%s: %v, want %v", k.name, got, want)
		}
		scale := 0.0
		for _, v := range dy {
			scale = max(scale, math.Abs(float64(v)))
		}
		for i := 0; i < len(y); i += 1 + len(y)/100 {
			const h = 1e-5
			x := y[i]
			y[i] = x + h
			up := k.want(y)
			y[i] = x - h
			want := (up - k.want(y)) / (2 * h)
			y[i] = x
			if math.Abs(float64(dy[i])-want) > 1e-5*scale {
				t.Errorf("%s: gradient %d is %v, want %v", k.name, i, dy[i], want)
			}
		}
	}
}

// TestLossesAtTheirEnds expects no NaN where there is nothing to learn.
func TestLossesAtTheirEnds(t *testing.T) {
	dy := reals(1, 6, 1)
	if l := grad.CrossEntropy(dy, reals(2, 6, 1), 3, []int{-1, -1}); l != 0 || slices.Max(dy) != 0 || slices.Min(dy) != 0 {
		t.Errorf("no labels: %v, %v", l, dy)
	}
	if l := grad.CrossEntropy(dy, []float32{1000, 0, 0, 0, 2000, 0}, 3, []int{0, 1}); l != 0 {
		t.Errorf("sure and right: %v", l)
	}
	if l := grad.CrossEntropy(dy, []float32{1000, 0, 0, 0, 2000, 0}, 3, []int{1, 1}); l != 500 {
		t.Errorf("sure and wrong: %v", l)
	}
	y := reals(3, 6, 1)
	for name, l := range map[string]float64{
		"KL": grad.KL(dy, y, y, 3, 2), "MSE": grad.MSE(dy, y, y, 1), "LP": grad.LP(dy, y, y, 2.4, 1),
	} {
		if l != 0 || slices.Max(dy) != 0 {
			t.Errorf("%s of equals: %v, %v", name, l, dy)
		}
	}
	if l := grad.Cosine(dy, make([]float32, 6), y, 6); l != 1 || dy[0] != dy[0] {
		t.Errorf("cosine of nothing: %v, %v", l, dy)
	}
	if l := grad.RoundingTerm(dy, []float32{0, 100, -100, 50, -50, 8}, 1, 20); l != 1 {
		t.Errorf("five decided, one undecided: %v", l)
	}
	nan := []float32{float32(math.NaN()), 0, 0, 0, 0, 0}
	for name, l := range map[string]float64{
		"cross-entropy": grad.CrossEntropy(dy, nan, 6, []int{1}), "KL": grad.KL(dy, nan, y, 6, 1), "MSE": grad.MSE(dy, nan, y, 1),
		"LP": grad.LP(dy, nan, y, 2.4, 1), "cosine": grad.Cosine(dy, nan, y, 6),
		"rounding term": grad.RoundingTerm(make([]float32, 6), nan, 1, 20),
	} {
		if l == l {
			t.Errorf("%s hides NaN: %v", name, l)
		}
	}
}

func BenchmarkLosses(b *testing.B) {
	y, target := reals(1, 1<<20, 1), reals(2, 1<<20, 1)
	dy := make([]float32, len(y))
	for name, f := range map[string]func(){
		"MSE":      func() { grad.MSE(dy, y, target, 16) },
		"LP":       func() { grad.LP(dy, y, target, 2.4, 16) },
		"Cosine":   func() { grad.Cosine(dy, y, target, 1024) },
		"KL":       func() { grad.KL(dy, y, target, 1024, 4) },
		"Rounding": func() { grad.RoundingTerm(dy, y, 0.01, 20) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(4 << 20)
			for b.Loop() {
				f()
			}
		})
	}
}
