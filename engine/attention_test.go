package engine_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pare/tensor"
)

// TestAttention compares attentions, with all that may stand around their products,
// with the reference.
func TestAttention(t *testing.T) {
	const end = ` c = Softmax(b)
		y = MatMul(c, v) }`
	one := []string{"attention"}
	check(t, []rowCase{
		{"plain", `(q f32[N,3,70,16], k f32[N,3,16,45], v f32[N,3,45,8]) -> (y) { b = MatMul(q, k)` + end, one},
		{"one matrix", `(q f32[5,N], k f32[N,9], v f32[9,4]) -> (y) { b = MatMul(q, k)` + end, one},
		{"mask of keys", `(q f32[N,2,7,4], k f32[N,2,4,6], v f32[N,2,6,5], m f32[N,1,1,6]) -> (y) { const d = f32[]{3.0}
			a = MatMul(q, k)
			s = Div(a, d)
			b = Add(s, m)` + end, one},
		{"mask of pairs first", `(q f32[N,2,7,4], k f32[N,2,4,6], v f32[N,2,6,5], m f32[7,6]) -> (y) { a = MatMul(q, k)
			b = Add(m, a)` + end, one},
		{"mask of one row", `(q f32[N,7,4], k f32[N,4,6], v f32[N,6,5], m f32[6]) -> (y) { a = MatMul(q, k)
			b = Add(a, m)` + end, one},
		{"scaled operands", `(q f32[N,2,7,4], k0 f32[N,2,6,4], v f32[N,2,6,5]) -> (y) { const d = f32[]{0.7}
			p = Mul(q, d)
			k1 = Transpose(k0) {perm=[0,1,3,2]}
			k = Mul(d, k1)
			b = MatMul(p, k)` + end, one},
		{"batch of keys only", `(q f32[7,4], k f32[N,4,6], v f32[1,6,5]) -> (y) { b = MatMul(q, k)` + end, nil},
		{"long rows", `(q f32[2,130,4], k f32[2,4,300], v f32[2,300,33]) -> (y) { b = MatMul(q, k)` + end, one},
	})
}

// TestAttentionShared: what else reads the scores or shares still gets them.
func TestAttentionShared(t *testing.T) {
	for _, extra := range []string{"b", "c"} {
		m := model(t, fmt.Sprintf(`(q f32[N,7,4], k f32[N,4,6], v f32[N,6,5]) -> (y, %s) { b = MatMul(q, k)
			c = Softmax(b)
			y = MatMul(c, v) }`, extra))
		if got := compare(t, m, inputsOf(m, 2)); slices.Contains(got, "attention") {
			t.Errorf("%s is an output, but computed by %q", extra, got)
		}
	}
}

// attentionOnCodes is an attention with every operand on a grid; %s stands for the
// zero of V and the step of the shares.
const attentionOnCodes = `(x f32[N,50,2,12], u f32[N,33,2,12], w0 f32[N,2,33,9], m f32[N,1,1,33]) -> (y) {
	const qs = f32[]{0.015}
	const qz = u8[]{117}
	const ks = f32[]{0.011}
	const kz = i8[]{20}
	const vs = f32[]{0.02}
	const vz = u8[]{%d}
	const ps = f32[]{%v}
	const pz = u8[]{%d}
	const ys = f32[]{0.002}
	const yz = u8[]{128}
	const f = f32[]{0.5}
	const d = f32[]{0.3}
	q0 = Transpose(x) {perm=[0,2,1,3]}
	q1 = Mul(q0, f)
	q2 = QuantizeLinear(q1, qs, qz)
	q = DequantizeLinear(q2, qs, qz)
	k0 = Transpose(u) {perm=[0,2,3,1]}
	k2 = QuantizeLinear(k0, ks, kz)
	k = DequantizeLinear(k2, ks, kz)
	a = MatMul(q, k)
	s = Div(a, d)
	b = Add(s, m)
	c = Softmax(b)
	c2 = QuantizeLinear(c, ps, pz)
	c3 = DequantizeLinear(c2, ps, pz)
	v2 = QuantizeLinear(w0, vs, vz)
	v = DequantizeLinear(v2, vs, vz)
	p = MatMul(c3, v)
	yq = QuantizeLinear(p, ys, yz)
	y = DequantizeLinear(yq, ys, yz)
}`

// TestAttentionOnCodes: the sums are those of the codes, on every kind of machine
// and for any number of threads; a share may fall on the other side of the middle
// between two codes, as exponentials differ in the last bits.
func TestAttentionOnCodes(t *testing.T) {
	for _, c := range []struct {
		zero, shareZero int
		step            float64
	}{{128, 0, 1.0 / 255}, {90, 0, 1.0 / 255}, {200, 0, 1.0 / 600}, {0, 0, 1.0 / 255}, {101, 3, 1.0 / 200}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			m := model(t, fmt.Sprintf(attentionOnCodes, c.zero, c.step, c.shareZero))
			in := inputsOf(m, 2)
			want := tensor.Float64s(byReference(t, m, in)["y"])
			for _, level := range []string{"generic", "avx2", "avx512"} {
				y, kernels := onLevel(t, m, in, level, 2)
				if !slices.ContainsFunc(kernels, func(s string) bool { return strings.Contains(s, "attention") }) {
					t.Fatalf("%s: computed by %q", level, kernels)
				}
				one, _ := onLevel(t, m, in, level, 1)
				if !tensor.Equal(y, one) {
					t.Errorf("%s: one thread and two differ", level)
				}
				// One code of a share is worth c.step times an element of V.
				far := 0
				for i, got := range tensor.Float64s(y) {
					if math.Abs(got-want[i]) > 0.002+2.6*c.step {
						t.Fatalf("%s: element %d is %v, want %v", level, i, got, want[i])
					}
					if math.Abs(got-want[i]) > 0.001 {
						far++
					}
				}
				if far > len(want)/50 {
					t.Errorf("%s: %d of %d codes differ", level, far, len(want))
				}
			}
		})
	}
}
