package quant_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// fill gives constants of a graph the same normally distributed numbers.
func fill(m *ir.Model, names ...string) {
	for _, name := range names {
		r, x := rand.New(rand.NewPCG(1, 2)), tensor.Data[float32](m.Graph.Value(name).Const)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
	}
}

// widthsOf are the bits that a report says of the layers.
func widthsOf(rep *compress.Report) map[string]int {
	out := map[string]int{}
	for _, l := range rep.Layers {
		if strings.HasPrefix(l.Step, "mixed") {
			out[l.Name] = l.Bits
		}
	}
	return out
}

// TestMixedWeighs: of layers with equal weights, bits go to the one whose results
// vary least beside the same noise.
func TestMixedWeighs(t *testing.T) {
	stats := func(n int, std string) string {
		return fmt.Sprintf(`#stats(1, "batch-norm", mean=[%s], std=[%s])`, strings.Repeat(", 0.0", n)[2:], strings.Repeat(", "+std, n)[2:])
	}
	m := parse(t, "x f32[1,8,8,8]", "  const u = f32[8,8,1,1]{*0.1}\n  const w = f32[8,8,1,1]{*0.1}\n"+
		"  r f32[1,8,8,8] "+stats(8, "1.0")+" = Tanh(x)\n"+
		"  p f32[1,8,8,8] "+stats(8, "9.0")+" = Conv(r, u)\n  q f32[1,8,8,8] "+stats(8, "0.5")+" = Conv(r, w)\n  y = Add(p, q)")
	fill(m, "u", "w")
	got := widthsOf(compressed(t, m, "mixed(least=4,budget=6)"))
	if got["p"] != 4 || got["q"] != 8 {
		t.Errorf("widths %v, want 4 for p and 8 for q", got)
	}
}

// TestMixedTables: a table counts as often as something is multiplied with it.
func TestMixedTables(t *testing.T) {
	const body = `  const u = f32[64,8]{*0.1}
  const w = f32[64,8]{*0.1}
  const axes = i64[1]{0}
  q = Gather(u, i)
  g = Gather(w, i)
  p = Unsqueeze(g, axes)
  r = Relu(x)
  a = Mul(x, p)
  b = Mul(p, r)
  c = Add(a, b)
  y = Add(c, q)`
	m := parse(t, "i i64[4], x f32[4,8]", body)
	fill(m, "u", "w")
	got := widthsOf(compressed(t, m, "mixed(least=4,budget=6)"))
	if got["q"] != 4 || got["g"] != 8 {
		t.Errorf("widths %v, want 4 for q, which is added, and 8 for g", got)
	}
}

// TestMixedData: 8 bits go to data, too, the network's input first, within the
// bit-operations that the budget allows; the recipe's own widths stay.
func TestMixedData(t *testing.T) {
	for _, base := range []string{"uniform(a=4)", "powerquant(a=4)"} {
		m := load(t, "cifar10/resnet20.onnx")
		r, err := compress.Parse("fold+mixed(base=" + base + ",least=4,budget=5,abudget=5);/layer2/*conv1*:a=4")
		if err != nil {
			t.Fatal(err)
		}
		input := compress.InputRange{Lo: []float64{-2}, Hi: []float64{2}}
		rep, err := r.Run(context.Background(), m, compress.Options{Threads: 1, Input: input})
		if err != nil {
			t.Fatal(err)
		}
		bits, ops := meanWidths(m, rep)
		first, wide := 0, 0
		for _, l := range rep.Layers {
			if !strings.HasPrefix(l.Step, "mixed") {
				continue
			}
			if first == 0 {
				first = l.ActivationBits
			}
			if l.ActivationBits == 8 {
				wide++
			}
			if strings.HasPrefix(l.Name, "/layer2/") && strings.Contains(l.Name, "conv1") && l.ActivationBits != 4 {
				t.Errorf("%s: %s has %d bits, 4 are asked for", base, l.Name, l.ActivationBits)
			}
			if l.Bits == 8 && strings.Contains(l.Format, "power") {
				t.Errorf("%s: %s has %s, evenly spaced levels are for 8 bits", base, l.Name, l.Format)
			}
		}
		if ops > 5 || ops < 4.5 || bits > 5 || bits < 4.9 || first != 8 || wide < 3 {
			t.Errorf("%s: %.2f bits of weights and %.2f of data on average, %d for the input, 8 for %d layers", base, bits, ops, first, wide)
		}
	}
}

// meanWidths are the bits of weights on average, and those of data, counting
// multiply-accumulates times the bits of weights.
func meanWidths(m *ir.Model, rep *compress.Report) (weights, data float64) {
	macs := map[string]float64{}
	for _, l := range compress.Layers(m) {
		n, _ := op.MACs(l.Node)
		macs[l.Name] = float64(n)
	}
	size, params, ops, narrow := 0.0, 0.0, 0.0, 0.0
	for _, l := range rep.Layers {
		if strings.HasPrefix(l.Step, "mixed") {
			size, params = size+float64(l.Bits*l.Params), params+float64(l.Params)
			narrow += macs[l.Name] * float64(l.Bits)
			ops += macs[l.Name] * float64(l.Bits*l.ActivationBits)
		}
	}
	return size / params, ops / narrow
}

// TestMixedKeeps the widths that a recipe singles out and those of edges.
func TestMixedKeeps(t *testing.T) {
	_, rep := shrink(t, "mixed(base=uniform(edges=6),budget=3);pw:w=5")
	if got := widthsOf(rep); got["conv1"] != 6 || got["fc"] != 6 || got["pw"] != 5 {
		t.Errorf("widths %v", got)
	}
}

func TestMixedRefuses(t *testing.T) {
	for recipe, want := range map[string]string{
		"mixed(base=fold)":                   "choose uniform",
		"mixed(base=ternary)":                "choose uniform",
		"mixed(abudget=5)":                   "quantises data",
		"mixed(base=uniform(a=6),abudget=5)": "6..8",
		"mixed(base=uniform(a=4),abudget=9)": "4..8",
		"mixed(base=powerquant(a=9))":        "2..8",
		"mixed(least=3)":                     "2, 4 nor 6",
		"mixed(least=4,budget=3)":            "4..8",
		"mixed(budget=9)":                    "2..8",
		"mixed(base=codebook(w=9))":          "2..6",
		"codebook(rounding=power)":           "nearest, squant",
		"mixed(base=mixed(base=fold))":       "choose uniform",
		"mixed(base=rex(order=2,bits=2))":    "choose uniform",
	} {
		if _, err := compress.Parse(recipe); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q in it", recipe, err, want)
		}
	}
}

// TestGain: 2-bit codes vary as much as the weights do, channel by channel,
// where without gain they vary less.
func TestGain(t *testing.T) {
	loss := func(recipe string) (least, most float64) {
		m := parse(t, "x f32[4,64]", "  const w = f32[8,64]{*0.1}\n  y = Gemm(x, w) {transB=1}")
		fill(m, "w")
		w := m.Graph.Value("w").Const
		compressed(t, m, recipe)
		e, ok := format.MatchWeight(m, m.Graph.Outputs[0].Producer().In[1])
		if !ok {
			t.Fatalf("%s: the weights are not encoded", recipe)
		}
		now, err := e.Decode(1)
		if err != nil {
			t.Fatal(err)
		}
		least = math.Inf(1)
		for r := range 8 {
			a, b := energyOf(w, r, 8), energyOf(now, r, 8)
			least, most = min(least, b/a), max(most, b/a)
		}
		return least, most
	}
	if least, most := loss("codebook(w=2)"); least < 0.999 || most > 1.001 {
		t.Errorf("with gain energies are %v to %v of the original", least, most)
	}
	if _, most := loss("codebook(w=2,gain=false)"); most > 0.97 {
		t.Errorf("without gain a channel has %v of its energy", most)
	}
}

// energyOf sums the squares of one of so many equal rows.
func energyOf(x *tensor.Tensor, row, rows int) (sum float64) {
	data := tensor.Data[float32](x)
	n := len(data) / rows
	for _, v := range data[row*n : (row+1)*n] {
		sum += float64(v) * float64(v)
	}
	return sum
}

// TestMixedClaims: at equal bytes widths by layer follow the original more closely
// than one width with residual rows, and the mean width is what was asked for.
func TestMixedClaims(t *testing.T) {
	if testing.Short() {
		t.Skip("measures a real network")
	}
	g := golden[0]
	m, set := load(t, g.network), open(t, g.data, g.samples)
	ref := session(t, m)
	const recipe, rows = "fold+mixed(budget=2.7)", "fold+rex(base=codebook(w=2),bits=4,order=2,budget=1.35,count=bytes,spread=sensitivity)"
	a, bytes := measure(t, m, recipe, compress.Options{Input: g.input}, set, ref)
	b, more := measure(t, m, rows, compress.Options{Input: g.input}, set, ref)
	if a.SNR < b.SNR+1 || bytes > more {
		t.Errorf("%s: %.1f dB in %d bytes; %s: %.1f dB in %d", recipe, a.SNR, bytes, rows, b.SNR, more)
	}
	bits, params := 0, 0
	for _, l := range compressed(t, ir.CloneModel(m), recipe).Layers {
		if strings.HasPrefix(l.Step, "mixed") {
			bits, params = bits+l.Bits*l.Params, params+l.Params
		}
	}
	if mean := float64(bits) / float64(params); mean > 2.7 || mean < 2.5 {
		t.Errorf("%.2f bits on average, asked for 2.7", mean)
	}
}
