package engine_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pare/internal/cpu"
	"pare/tensor"
)

// intGraph grows a random quantised network of values of about unit size.
type intGraph struct {
	r          *rand.Rand
	head, body strings.Builder
	k          int
	x          string // the latest value, decoded
	grid       string
	shape      [4]int
	older      map[[4]int]string  // decoded values by shape
	reals      map[[4]int]string  // values before they were encoded
	powers     map[string]*powers // power grids by operands; nil for none
	expands    bool               // data get second orders, too
}

func (g *intGraph) name(base string) string { g.k++; return fmt.Sprint(base, g.k) }

func (g *intGraph) line(format string, a ...any) { fmt.Fprintf(&g.body, format+"\n", a...) }

// newGrid declares a grid and returns its operands.
func (g *intGraph) newGrid() string {
	if g.powers != nil && g.r.IntN(2) == 0 {
		return g.newPowers()
	}
	s, z := g.name("s"), g.name("z")
	t, zero := "u8", g.r.IntN(256)
	if g.r.IntN(3) == 0 {
		t, zero = "i8", zero-128
	}
	fmt.Fprintf(&g.head, "const %s = f32[]{%v}\nconst %s = %s[]{%d}\n", s, 0.01+0.03*g.r.Float32(), z, t, zero)
	return s + ", " + z
}

// encode quantises v on the grid.
func (g *intGraph) encode(v, grid string) {
	q, d := g.name("e"), g.name("d")
	g.reals[g.shape] = v
	if g.powers[grid] != nil {
		g.line("%s", powerForm(q, v, d, grid))
		g.x, g.grid, g.older[g.shape] = d, grid, d
		return
	}
	g.line("%s = QuantizeLinear(%s, %s)", q, v, grid)
	g.line("%s = DequantizeLinear(%s, %s)", d, q, grid)
	g.x, g.grid = d, grid
	g.older[g.shape] = d
}

func (g *intGraph) conv() {
	c, o, group := g.shape[1], 1+g.r.IntN(20), 1
	switch g.r.IntN(4) {
	case 0:
		group, o = c, c
	case 1:
		o = c
	case 2:
		group, o = 2, 2*(1+g.r.IntN(20))
		if c%2 != 0 {
			group = 1
		}
	}
	kh, kw := 1+g.r.IntN(3), 1+g.r.IntN(3)
	ph, pw, sh, sw := g.r.IntN(kh), g.r.IntN(kw), 1+g.r.IntN(2), 1+g.r.IntN(2)
	h, w := (g.shape[2]+2*ph-kh)/sh+1, (g.shape[3]+2*pw-kw)/sw+1
	if g.shape[2]+2*ph < kh || g.shape[3]+2*pw < kw {
		return
	}
	q, s, f, y := g.name("q"), g.name("s"), g.name("f"), g.name("y")
	fmt.Fprintf(&g.head, "const %s = i8[%d,%d,%d,%d]{*0}\nconst %s = f32[]{%v}\n", q, o, c/group, kh, kw, s, 1/(74*math.Sqrt(float64(c/group*kh*kw))))
	g.line("%s = DequantizeLinear(%s, %s)", f, q, s)
	if g.r.IntN(3) == 0 {
		f = g.order(f, o, c/group, kh, kw)
	}
	x := g.x
	if g.expands && g.r.IntN(2) == 0 {
		x = g.rest()
	}
	g.line("%s = Conv(%s, %s) {group=%d, strides=[%d,%d], pads=[%d,%d,%d,%d]}", y, x, f, group, sh, sw, ph, pw, ph, pw)
	g.shape = [4]int{g.shape[0], o, h, w}
	if g.r.IntN(3) == 0 {
		g.encode(y, g.newGrid())
		y = g.x
	}
	if d := g.older[g.shape]; d != "" && d != y && g.r.IntN(2) == 0 {
		a := g.name("a")
		g.line("%s = Add(%s, %s)", a, y, d)
		y = a
	}
	if v := g.reals[g.shape]; v != "" && g.r.IntN(3) == 0 {
		a := g.name("a")
		g.line("%s = Add(%s, %s)", a, v, y)
		y = a
	}
	if g.r.IntN(2) == 0 {
		a := g.name("a")
		g.line("%s = Relu(%s)", a, y)
		y = a
	}
	g.encode(y, g.newGrid())
}

// order adds a term to weights f, on one to all of the output channels.
func (g *intGraph) order(f string, shape ...int) string {
	o := shape[0]
	kept := 1 + g.r.IntN(o)
	q, s, p, half, one, t := g.name("q"), g.name("s"), g.name("p"), g.name("h"), g.name("o"), g.name("t")
	var scales, places []string
	for i := range o {
		scale, place := "0.0", 0
		if i >= o-kept {
			scale, place = fmt.Sprintf("%v", 0.0005+0.001*g.r.Float32()), i-(o-kept)
		}
		scales, places = append(scales, scale), append(places, fmt.Sprint(place))
	}
	fmt.Fprintf(&g.head, "const %s = i8[%d,%d,%d,%d]{*0}\nconst %s = f32[%d,1,1,1]{%s}\nconst %s = u8[%d]{%s}\nconst %s = f32[]{0.0}\nconst %s = f32[]{1.0}\n",
		q, kept, shape[1], shape[2], shape[3], s, o, strings.Join(scales, ", "), p, o, strings.Join(places, ", "), half, one)
	g.line("%s1 = DequantizeLinear(%s, %s)", t, q, one)
	g.line("%s2 = Add(%s1, %s)", t, t, half)
	g.line("%s3 = Cast(%s) {to=6}", t, p)
	g.line("%s4 = Gather(%s2, %s3) {axis=0}", t, t, t)
	g.line("%s5 = Mul(%s4, %s)", t, t, s)
	g.line("%s6 = Add(%s, %s5)", t, f, t)
	return t + "6"
}

// rest is the latest value in two orders: the second one encodes what the first
// leaves.
func (g *intGraph) rest() string {
	r, s, z := g.name("r"), g.name("s"), g.name("z")
	fmt.Fprintf(&g.head, "const %s = f32[]{0.0012}\nconst %s = u8[]{128}\n", s, z)
	g.line("%s = Sub(%s, %s)", r, g.reals[g.shape], g.x)
	g.line("%sq = QuantizeLinear(%s, %s, %s)", r, r, s, z)
	g.line("%sd = DequantizeLinear(%sq, %s, %s)", r, r, s, z)
	g.line("%se = Add(%s, %sd)", r, g.x, r)
	return r + "e"
}

func (g *intGraph) pool() {
	if g.shape[2] < 2 || g.shape[3] < 2 {
		return
	}
	m := g.name("m")
	g.line("%s = MaxPool(%s) {kernel_shape=[2,2]}", m, g.x)
	g.shape[2]--
	g.shape[3]--
	g.encode(m, g.grid)
}

// move changes the shape without changing codes.
func (g *intGraph) move() {
	v, list, s := g.name("v"), g.name("l"), &g.shape
	switch k := g.r.IntN(3); {
	case k == 0:
		fmt.Fprintf(&g.head, "const %s = i64[8]{0, 1, %d, 0, 0, %d, 0, 1}\n", list, k, k+1)
		g.line("%s = Pad(%s, %s)", v, g.x, list)
		s[1], s[2], s[3] = s[1]+k+2, s[2]+k, s[3]+1
	case k == 1 && s[1] < 30:
		axis := 1 + g.r.IntN(3)
		g.line("%s = Concat(%s, %s) {axis=%d}", v, g.x, g.x, axis)
		s[axis] *= 2
	default:
		perm := [][3]int{{2, 3, 1}, {3, 2, 1}, {1, 3, 2}}[g.r.IntN(3)]
		g.line("%s = Transpose(%s) {perm=[0,%d,%d,%d]}", v, g.x, perm[0], perm[1], perm[2])
		s[1], s[2], s[3] = s[perm[0]], s[perm[1]], s[perm[2]]
	}
	g.encode(v, g.grid)
}

// function computes element by element, with a grid on the way or not.
func (g *intGraph) function() {
	v, x := g.name("v"), g.x
	g.line("%s = %s(%s)", v, []string{"Sigmoid", "Tanh", "HardSigmoid", "Softsign"}[g.r.IntN(4)], x)
	if g.r.IntN(2) == 0 {
		g.encode(v, g.newGrid())
		v = g.x
	}
	if g.r.IntN(2) == 0 {
		h := g.name("h")
		g.line("%s = Mul(%s, %s)", h, x, v)
		v = h
	}
	g.encode(v, g.newGrid())
}

// TestRandomIntegers compares random quantised networks with the reference:
// ties may flip codes, and what follows them.
func TestRandomIntegers(t *testing.T) {
	for seed := range uint64(240) {
		g := &intGraph{r: rand.New(rand.NewPCG(seed, 5)), older: map[[4]int]string{}, reals: map[[4]int]string{}}
		// Three steps of the coarsest grid.
		t.Run(fmt.Sprint(seed), func(t *testing.T) { testRandomIntegers(t, g, seed, 0.13) })
	}
}

// grow makes a network and returns its text.
func (g *intGraph) grow(seed uint64) string {
	g.shape = [4]int{1 + g.r.IntN(2), 1 + g.r.IntN(20), 2 + g.r.IntN(9), 2 + g.r.IntN(9)}
	shape := g.shape
	g.encode("x", g.newGrid())
	for range 1 + seed%5 {
		switch g.r.IntN(7) {
		case 6:
			g.function()
		case 0:
			g.pool()
		case 1:
			g.move()
		default:
			g.conv()
		}
	}
	return fmt.Sprintf("(x f32[%d,%d,%d,%d]) -> (%s) {\n%s%s}", shape[0], shape[1], shape[2], shape[3], g.x, g.head.String(), g.body.String())
}

// testRandomIntegers compares one network; results may differ by far where a
// code flips.
func testRandomIntegers(t *testing.T, g *intGraph, seed uint64, far float64) {
	body := g.grow(seed)
	defer func() {
		if t.Failed() {
			t.Log(body)
		}
	}()
	m := model(t, body)
	fillCodes(m)
	g.fill(m)
	in := inputsOf(m, 1)
	want := tensor.Float64s(byReference(t, m, in)[g.x])
	var first []float64
	for i, level := range cpu.Levels() {
		y, _ := onLevelOf(t, m, in, level, 1+(i+int(seed))%2, g.x)
		got := tensor.Float64s(y)
		if first == nil {
			first = got
		}
		if !slices.Equal(got, first) {
			t.Fatalf("%s, or another number of threads, computes other bits", level)
		}
	}
	differ := 0
	for i, w := range want {
		d := math.Abs(w - first[i])
		if d > far {
			t.Fatalf("element %d is %v, want %v", i, first[i], w)
		}
		if d > 1e-6 {
			differ++
		}
	}
	if differ > 2+len(want)/50 {
		t.Errorf("%d of %d codes differ", differ, len(want))
	}
}
