package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Every layer's gradients equal central differences of a random linear function
// of its result.
func TestGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 0))
	norm := newBatchNorm(3)
	norm.scale.normal(r, 1)
	norm.shift.normal(r, 1)
	for _, c := range []struct {
		name  string
		layer layer
		x     *maps
	}{
		{"conv 3x3", newConv(r, 3, 5, 3, 1), (&maps{}).sized(9, 3, 4, 5)},
		{"conv 3x3 by 2", newConv(r, 2, 3, 3, 2), (&maps{}).sized(3, 2, 6, 5)},
		{"conv 1x1", newConv(r, 6, 3, 1, 1), (&maps{}).sized(2, 6, 3, 3)},
		{"conv 1x1 by 2", newConv(r, 2, 2, 1, 2), (&maps{}).sized(2, 2, 5, 4)},
		{"depthwise", newDepthwise(r, 3, 3, 1), (&maps{}).sized(9, 3, 4, 3)},
		{"depthwise by 2", newDepthwise(r, 2, 3, 2), (&maps{}).sized(2, 2, 5, 6)},
		{"batch-norm", norm, (&maps{}).sized(5, 3, 2, 3)},
		{"relu", newReLU(), (&maps{}).sized(2, 3, 4, 4)},
		{"relu6", newReLU6(), (&maps{}).sized(2, 3, 4, 4)},
		{"pool", &pool{}, (&maps{}).sized(3, 4, 3, 2)},
		{"dense", newDense(r, 7, 5), (&maps{}).sized(9, 7, 1, 1)},
		{"residual", &residual{body: sequence{newConv(r, 2, 2, 3, 1), newDepthwise(r, 2, 3, 1)}}, (&maps{}).sized(2, 2, 3, 3)},
	} {
		t.Run(c.name, func(t *testing.T) {
			scatter(c.x, r)
			g := &maps{}
			scatter(g.like(c.layer.forward(c.x, true)), r)
			dx := append([]float32{}, c.layer.backward(g).v...)
			value := func() float64 { return inner(g.v, c.layer.forward(c.x, true).v) }
			same(t, "operand", c.x.v, dx, value)
			for i, p := range c.layer.params() {
				same(t, "parameter "+string(rune('0'+i)), p.v, p.grad, value)
			}
		})
	}
}

func TestGradientOfLoss(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 0))
	z, d := (&maps{}).sized(4, 6, 1, 1), &maps{}
	scatter(z, r)
	labels := []int{0, 5, 2, 2}
	crossEntropy(d, z, labels)
	grad := append([]float32{}, d.v...)
	same(t, "logits", z.v, grad, func() float64 {
		loss, _ := crossEntropy(d, z, labels)
		return loss
	})
}

// step is that of the differences. Values keep a distance from the cut-offs of
// relu that is larger.
const step = 1.0 / 64

// scatter fills x with random values at least 2 steps away from 0 and 6.
func scatter(x *maps, r *rand.Rand) {
	for i := range x.v {
		v := 4 * r.NormFloat64()
		for math.Abs(v) < 2*step || math.Abs(v-6) < 2*step {
			v = 4 * r.NormFloat64()
		}
		x.v[i] = float32(v)
	}
}

// same compares gradients with central differences of value by each of v.
func same(t *testing.T, what string, v, grad []float32, value func() float64) {
	t.Helper()
	if len(v) != len(grad) {
		t.Fatalf("%s: %d gradients of %d values", what, len(grad), len(v))
	}
	var norm float64
	for _, g := range grad {
		norm = max(norm, math.Abs(float64(g)))
	}
	if norm == 0 {
		t.Fatalf("%s: no gradient", what)
	}
	for i, old := range v {
		v[i] = old + step
		up := value()
		v[i] = old - step
		down := value()
		v[i] = old
		want := (up - down) / (2 * step)
		if got := float64(grad[i]); math.Abs(got-want) > 2e-3*norm {
			t.Errorf("%s, element %d: gradient %g, difference %g", what, i, got, want)
		}
	}
}

func inner(a, b []float32) (s float64) {
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}
