package engine_test

import (
	"fmt"
	"testing"
)

// terms are weights w of two terms, the second one on some rows, for 3x3
// convolutions, and weights v of one term.
const terms = `
	const q = i8[6,6,3,3]{*0}
	const cs = f32[6]{0.0011, 0.002, 0.0005, 0.0013, 0.0004, 0.001}
	const q2 = i8[3,6,3,3]{*0}
	const p2 = u8[6]{0, 0, 1, 0, 2, 0}
	const s2 = f32[6,1,1,1]{0.0, 0.0007, 0.0002, 0.0, 0.0003, 0.0}
	const one = f32[]{1.0}
	const none = f32[]{0.0}
	v = DequantizeLinear(q, cs) {axis=0}
	t1 = DequantizeLinear(q2, one)
	t2 = Add(t1, none)
	i2 = Cast(p2) {to=6}
	t3 = Gather(t2, i2) {axis=0}
	t4 = Mul(t3, s2)
	w = Add(v, t4)
`

// orders is x in two orders, d on a power grid and what it leaves of x, as e.
const orders = `
	const rs = f32[]{0.002}
	const rz = u8[]{128}
	r = Sub(x, d)
	rq = QuantizeLinear(r, rs, rz)
	rd = DequantizeLinear(rq, rs, rz)
	e = Add(d, rd)
`

// TestPowerStacks: weights and data in several terms meet power grids: data lie on
// them, results come to them, real sums lie between.
func TestPowerStacks(t *testing.T) {
	head, fill := powerHead()
	onU := func(p, v, y string) string { return powerForm(p, v, y, "U") }
	onV := func(p, v, y string) string { return powerForm(p, v, y, "V") }
	const padded = " {pads=[1,1,1,1]}"
	testPowerIntegers(t, head, fill, []intCase{
		{"rows onto a power grid", terms + onU("a", "x", "d") + `
			b = Conv(d, w)` + padded + `
			r = Relu(b)` + onV("c", "r", "g") + `
			y = Conv(g, w)`,
			[]string{"to channels last", "quantize", "int8 conv 3x3 +3 rows", "int8 conv 3x3 +3 rows", "to channels first"}},
		{"codes added", terms + onU("a", "x", "d") + `
			b = Conv(d, w)` + padded + `
			s = Add(b, d)
			r = Relu(s)` + onV("c", "r", "g") + `
			y = Conv(g, v)`,
			[]string{"to channels last", "quantize", "int8 conv 3x3 +3 rows", "int8 conv 3x3", "to channels first"}},
		{"real sums", terms + onU("a", "x", "d") + `
			b = Conv(d, w)` + padded + `
			s = Add(b, x)
			r = Relu(s)` + onV("c", "r", "g") + `
			f = Conv(g, w)` + padded + `
			h = Add(r, f)` + onV("j", "h", "k") + `
			y = Conv(k, w)`,
			[]string{"to channels last", "quantize", "int8 conv 3x3 +3 rows", "int8 conv 3x3 +3 rows", "int8 conv 3x3 +3 rows", "to channels first"}},
		{"expanded data", terms + onU("a", "x", "d") + orders + `
			b = Conv(e, w)` + padded + `
			m = Relu(b)` + onV("c", "m", "g") + `
			y = Conv(g, w)`,
			[]string{"to channels last", "quantize", "dequantize", "sub", "quantize", "int8 conv 3x3 +3 rows of the rest", "int8 conv 3x3 +3 rows",
				"int8 conv 3x3 +3 rows", "to channels first"}},
		{"expanded data, a real sum", terms + onU("a", "x", "d") + orders + `
			b = Conv(e, w)` + padded + `
			s = Add(b, x)
			m = Relu(s)` + onV("c", "m", "g") + `
			f = Conv(g, v)` + padded + `
			h = Add(m, f)` + onU("j", "h", "k") + `
			y = Conv(k, w)`,
			[]string{"to channels last", "quantize", "dequantize", "sub", "quantize", "int8 conv 3x3 +3 rows of the rest", "int8 conv 3x3 +3 rows",
				"int8 conv 3x3", "int8 conv 3x3 +3 rows", "to channels first"}},
	})
}

// TestRandomPowerStacks is TestRandomPowerIntegers with data in two orders.
func TestRandomPowerStacks(t *testing.T) {
	for seed := range uint64(80) {
		g := newPowerGraph(seed, 12)
		g.expands = true
		t.Run(fmt.Sprint(seed), func(t *testing.T) { testRandomIntegers(t, g, seed, 6) })
	}
}
