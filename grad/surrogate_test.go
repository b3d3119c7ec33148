package grad_test

import "math"

// learned are the numbers of a training operator's operands by name.
type learned map[string][]float64

// surrogate is what a straight-through gradient is the gradient of: the function with
// the rounding as it is at base, near which at lies.
type surrogate func(base, at learned) []float64

type trainingCase struct {
	name, text string
	f          surrogate
}

func clip(x, lo, hi float64) float64 { return min(max(x, lo), hi) }

// fakeSurrogate is x plus what rounding added in units of the scale, or the end of the
// range, in which elements per scale follow each other, or scales repeat if last.
func fakeSurrogate(lo, hi float64, per int, last bool) surrogate {
	return func(base, at learned) []float64 {
		y := make([]float64, len(at["x"]))
		for i := range y {
			k := i / per % len(at["s"])
			if last {
				k = i % len(at["s"])
			}
			z0, z := 0.0, 0.0
			if at["z"] != nil {
				z0 = math.RoundToEven(base["z"][k])
				z = z0 + at["z"][k] - base["z"][k]
			}
			q := base["x"][i] / base["s"][k]
			moved := at["x"][i]/at["s"][k] + math.RoundToEven(q) - q
			if q < lo-z0 {
				moved = lo - z
			} else if q > hi-z0 {
				moved = hi - z
			}
			y[i] = moved * at["s"][k]
		}
		return y
	}
}

// powerSurrogate is the level plus what x moves, between the ends of the grid.
func powerSurrogate(codes []uint8, levels []float64) surrogate {
	return func(base, at learned) []float64 {
		y := make([]float64, len(at["x"]))
		last := len(levels) - 1
		for i := range y {
			s0, s := base["s"][0], at["s"][0]
			step := (levels[last] - levels[0]) / float64(len(codes)-1)
			u := base["x"][i]/(step*s0) + math.RoundToEven(-levels[0]/step) + 0.5
			level := levels[codes[int(clip(u, 0, float64(len(codes)-1)))]]
			switch q := base["x"][i] / s0; {
			case q < levels[0] || q > levels[last]:
				y[i] = level * s
			default:
				y[i] = (at["x"][i]/s + level - q) * s
			}
		}
		return y
	}
}

func h(v float64) float64 { return clip(1.2/(1+math.Exp(-v))-0.1, 0, 1) }

func roundSurrogate(hard bool) surrogate {
	return func(base, at learned) []float64 {
		y := make([]float64, len(at["v"]))
		for i := range y {
			r := h(at["v"][i])
			if hard { // its value is rounded, its slope that of the soft form
				r += math.Round(h(base["v"][i])) - h(base["v"][i])
				if base["v"][i] >= 0 {
					r = h(at["v"][i]) + 1 - h(base["v"][i])
				}
			}
			below, above := base["below"][i], base["above"][i]
			y[i] = at["s"][i/4] * (below + r*(above-below))
		}
		return y
	}
}

// latentSurrogate moves the code with the latent, by the slope at half a step at least.
func latentSurrogate(beta float64) surrogate {
	return func(base, at learned) []float64 {
		const n = 7
		y := make([]float64, len(at["v"]))
		exponent := func(l learned) float64 { return 0.2 + 0.8/(1+math.Exp(-l["alpha"][0])) }
		for i := range y {
			v0, s, a := base["v"][i], at["s"][i/4], exponent(at)
			q := math.RoundToEven(v0)
			slope := 1.0
			if beta > 0 {
				f := math.Floor(v0)
				sg := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
				low := sg(-beta / 2)
				p := sg(beta * (v0 - f - 0.5))
				q, slope = f+(p-low)/(1-2*low), beta*p*(1-p)/(1-2*low)
			}
			if math.Abs(v0) > n {
				slope = 0
			}
			u := math.Abs(clip(q, -n, n)) / n
			level := math.Copysign(math.Pow(u, 1/a), q)
			if u == 0 {
				level = 0
			}
			a0 := exponent(base)
			bend := slope / (a0 * n) * math.Pow(max(u, 1.0/(2*n)), 1/a0-1)
			y[i] = s * (level + bend*(at["v"][i]-v0))
		}
		return y
	}
}

func trainingCases() []trainingCase {
	head := "opset 21\nopset pare.training 1\n"
	codes := []uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4}
	levels := []float64{-4, -1, 0, 2, 6}
	text := func(vars, body string) string { return head + "graph g() -> (y) {\n" + vars + "\n" + body + "\n}" }
	x := "  const x = f32[3,2,4]{random}\n"
	return []trainingCase{
		{"one scale", text(x+"  const s = f32[]{0.13}\n", "  y = pare.training::FakeQuantize(x, s) {lo=-3, hi=3}"), fakeSurrogate(-3, 3, 24, false)},
		{"one scale, zero", text(x+"  const s = f32[]{0.09}\n  const z = f32[]{5.4}\n", "  y = pare.training::FakeQuantize(x, s, z) {hi=15}"), fakeSurrogate(0, 15, 24, false)},
		{"scales in front", text(x+"  const s = f32[3]{0.13, 0.2, 0.05}\n  const z = f32[3]{0.0, 2.0, 1.7}\n",
			"  y = pare.training::FakeQuantize(x, s, z) {axis=0, lo=-4, hi=6}"), fakeSurrogate(-4, 6, 8, false)},
		{"scales behind", text(x+"  const s = f32[4]{0.13, 0.2, 0.05, 0.4}\n  const z = f32[4]{0.0, 2.0, 1.7, -1.0}\n",
			"  y = pare.training::FakeQuantize(x, s, z) {axis=-1, lo=-4, hi=6}"), fakeSurrogate(-4, 6, 1, true)},
		{"blocks", text(x+"  const s = f32[3,2,2]{0.13, 0.2, 0.05, 0.4, 0.1, 0.3, 0.12, 0.06, 0.4, 0.2, 0.1, 0.2}\n",
			"  y = pare.training::FakeQuantize(x, s) {axis=2, block_size=2, lo=-4, hi=3}"), fakeSurrogate(-4, 3, 2, false)},
		{"power grid", text(x+"  const s = f32[]{0.15}\n  const c = u8[16]{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4}\n  const l = f32[5]{-4.0, -1.0, 0.0, 2.0, 6.0}\n",
			"  y = pare.training::FakePowerQuantize(x, s, c, l)"), powerSurrogate(codes, levels)},
		{"soft rounding", text("  const v = f32[3,4]{3.1, -2.0, 0.5, -0.2, 9.0, -9.0, 1.0, 2.0, 0.0, 0.3, -0.6, -1.4}\n  const below = f32[3,4]{random}\n  const above = f32[3,4]{positive}\n  const s = f32[3]{positive}\n",
			"  y = pare.training::SoftRound(below, above, v, s) {axis=0}"), roundSurrogate(false)},
		{"hard rounding", text("  const v = f32[3,4]{3.1, -2.0, 0.5, -0.2, 9.0, -9.0, 1.0, 2.0, 0.0, 0.3, -0.6, -1.4}\n  const below = f32[3,4]{random}\n  const above = f32[3,4]{positive}\n  const s = f32[3]{positive}\n",
			"  y = pare.training::SoftRound(below, above, v, s) {axis=0, hard=1}"), roundSurrogate(true)},
		{"latent", text("  const v = f32[3,4]{3.1, -2.0, 0.4, -0.2, 9.0, -9.0, 1.4, 2.2, 0.1, 6.7, -6.6, -1.4}\n  const s = f32[3]{positive}\n  const alpha = f32[]{0.3}\n",
			"  y = pare.training::PowerLatent(v, s, alpha) {axis=0}"), latentSurrogate(0)},
		{"smooth latent", text("  const v = f32[3,4]{3.1, -2.1, 0.4, -0.2, 9.0, -9.0, 1.4, 2.2, 0.1, 6.7, -6.6, -1.4}\n  const s = f32[3]{positive}\n  const alpha = f32[]{0.3}\n",
			"  y = pare.training::PowerLatent(v, s, alpha) {axis=0, beta=4.0}"), latentSurrogate(4)},
	}
}

// params are the constants that are learned.
