package engine_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pare/internal/cpu"
	"pare/ir"
	"pare/tensor"
)

// fineness is how many steps lie between integers on the power grids here.
const fineness = 16

// powers is a grid of integer levels, uneven, that 0 is among.
type powers struct {
	levels []float32
	table  []uint8 // code by step
}

// newLevels makes a grid of n levels around the one numbered zero.
func newLevels(n, zero int, exponent, top float64) *powers {
	g, far := &powers{}, float64(max(zero, n-1-zero))
	for q := range n {
		d := float64(q - zero)
		g.levels = append(g.levels, float32(math.Copysign(math.Round(top*math.Pow(math.Abs(d)/far, 1/exponent)), d)+0))
	}
	for q, i := 0, fineness*int(g.levels[0]); i <= fineness*int(g.levels[n-1]); i++ {
		for q < n-1 && float32(i)/fineness >= (g.levels[q]+g.levels[q+1])/2 {
			q++
		}
		g.table = append(g.table, uint8(q))
	}
	return g
}

// declare writes the constants of a grid, whose tables fill sets later, and
// returns what powerForm takes.
func (g *powers) declare(name string, scale float32) string {
	return fmt.Sprintf(`const %[1]sf = f32[]{%[2]v}
		const %[1]so = f32[]{%[3]v}
		const %[1]slo = f32[]{0.0}
		const %[1]shi = f32[]{%[4]d.0}
		const %[1]st = u8[%[5]d]{*0}
		const %[1]sl = f32[%[6]d]{*0.0}
		const %[1]sone = f32[]{1.0}
		const %[1]ss = f32[]{%[7]v}
		`, name, fineness/scale, 0.5-fineness*g.levels[0], len(g.table)-1, len(g.table), len(g.levels), scale)
}

// fill sets the tables of the grid of that name.
func (g *powers) fill(m *ir.Model, name string) {
	m.Graph.Value(name + "t").Const = tensor.Of([]int{len(g.table)}, g.table)
	m.Graph.Value(name + "l").Const = tensor.Of([]int{len(g.levels)}, g.levels)
}

// powerForm brings v onto the grid of that name, as y; other values begin
// with p.
func powerForm(p, v, y, name string) string {
	return strings.NewReplacer("$p", p, "$v", v, "$y", y, "$g", name).Replace(`
		$p_a = Mul($v, $gf)
		$p_b = Add($p_a, $go)
		$p_c = Clip($p_b, $glo, $ghi)
		$p_d = Cast($p_c) {to=6}
		$p_q = Gather($gt, $p_d)
		$p_e = DequantizeLinear($p_q, $gone)
		$p_g = Cast($p_e) {to=6}
		$p_h = Gather($gl, $p_g)
		$y = Mul($p_h, $gs)`)
}

// newPowers declares a power grid.
func (g *intGraph) newPowers() string {
	name := g.name("z")
	n := 4 << g.r.IntN(4)
	p := newLevels(n, g.r.IntN(n-1), 0.4+0.6*g.r.Float64(), float64(max(n, 20+g.r.IntN(108))))
	g.head.WriteString(p.declare(name, 2.5/127))
	g.powers[name] = p
	return name
}

func (g *intGraph) fill(m *ir.Model) {
	for name, p := range g.powers {
		p.fill(m, name)
	}
}

// powerHead declares a signed grid and one without negative levels.
func powerHead() (string, func(m *ir.Model)) {
	u, v := newLevels(16, 5, 0.6, 127), newLevels(16, 0, 0.5, 127)
	return u.declare("U", 0.02) + v.declare("V", 0.03), func(m *ir.Model) { u.fill(m, "U"); v.fill(m, "V") }
}

// TestPowerIntegers: power grids of small integers run on codes throughout.
func TestPowerIntegers(t *testing.T) {
	head, fill := powerHead()
	onU := func(p, v, y string) string { return powerForm(p, v, y, "U") }
	onV := func(p, v, y string) string { return powerForm(p, v, y, "V") }
	const weights = `
		const q = i8[6,6,3,3]{*0}
		const cs = f32[6]{0.0011, 0.002, 0.0005, 0.0013, 0.0004, 0.001}
		w = DequantizeLinear(q, cs) {axis=0}
		`
	testPowerIntegers(t, head, fill, []intCase{
		{"chain", weights + onU("a", "x", "d") + `
			b = Conv(d, w) {pads=[1,1,1,1]}
			r = Relu(b)` + onV("c", "r", "e") + `
			m = MaxPool(e) {kernel_shape=[2,2], strides=[2,2]}` + onV("f", "m", "g") + `
			y = Conv(g, w)`,
			[]string{"to channels last", "quantize", "int8 conv 3x3", "int8 maxpool 2x2", "int8 conv 3x3", "to channels first"}},
		{"residual", weights + onU("a", "x", "d") + `
			b = Conv(d, w) {pads=[1,1,1,1]}
			s = Add(b, d)
			r = Relu(s)` + onV("c", "r", "e") + `
			y = Conv(e, w)`,
			[]string{"to channels last", "quantize", "int8 conv 3x3", "int8 conv 3x3", "to channels first"}},
		{"sum behind a grid", weights + onU("a", "x", "d") + `
			b = Conv(d, w) {pads=[1,1,1,1]}` + onU("c", "b", "e") + `
			s = Add(e, d)` + onV("g", "s", "h") + `
			y = Conv(h, w)`,
			[]string{"to channels last", "quantize", "int8 conv 3x3", "int8 add", "int8 conv 3x3", "to channels first"}},
		{"sums of reals", weights + onU("a", "x", "d") + `
			b = Conv(d, w) {pads=[1,1,1,1]}
			s = Add(b, x)
			r = Relu(s)` + onV("c", "r", "e") + `
			f = Conv(e, w) {pads=[1,1,1,1]}
			g = Add(r, f)` + onV("h", "g", "i") + `
			y = Conv(i, w) {pads=[1,1,1,1]}`,
			[]string{"to channels last", "quantize", "int8 conv 3x3", "int8 conv 3x3", "int8 conv 3x3", "to channels first"}},
		{"concatenation", `
			const q2 = i8[5,12,1,1]{*0}
			const ts = f32[]{0.001}
			w2 = DequantizeLinear(q2, ts)` + weights + onU("a", "x", "d") + `
			b = Conv(d, w) {pads=[1,1,1,1]}` + onU("c", "b", "e") + `
			j = Concat(d, e) {axis=1}` + onU("g", "j", "h") + `
			y = Conv(h, w2)`,
			[]string{"to channels last", "quantize", "int8 conv 3x3", "int8 concat", "int8 concat", "int8 conv 1x1", "to channels first"}},
	})
}

// testPowerIntegers compares networks of x [2,6,9,8], between the text of head
// and y, with the reference.
func testPowerIntegers(t *testing.T, head string, fill func(m *ir.Model), cases []intCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := model(t, "(x f32[2,6,9,8]) -> (y) {\n"+head+c.body+"\n}")
			fillCodes(m)
			fill(m)
			in := inputsOf(m, 2)
			want := byReference(t, m, in)["y"]
			var first *tensor.Tensor
			for _, level := range cpu.Levels() {
				for threads := 1; threads <= 2; threads++ {
					y, kernels := onLevel(t, m, in, level, threads)
					if first == nil {
						first = y
						if err := distance(y, want); err != nil {
							t.Fatal(err)
						}
					}
					if !tensor.Equal(y, first) {
						t.Errorf("%s with %d threads computes other bits", level, threads)
					}
					if !slices.Equal(kernels, c.kernels) {
						t.Errorf("computed by %q, want %q", kernels, c.kernels)
					}
				}
			}
		})
	}
}

// TestRandomPowerIntegers is TestRandomIntegers with power grids, of which a
// code may lie far from the next.
func TestRandomPowerIntegers(t *testing.T) {
	for seed := range uint64(120) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { testRandomIntegers(t, newPowerGraph(seed, 8), seed, 6) })
	}
}

// newPowerGraph grows a network with power grids.
func newPowerGraph(seed, stream uint64) *intGraph {
	return &intGraph{r: rand.New(rand.NewPCG(seed, stream)), older: map[[4]int]string{}, reals: map[[4]int]string{}, powers: map[string]*powers{}}
}
