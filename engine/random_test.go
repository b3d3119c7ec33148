package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pare/internal/cpu"
)

// grower writes random graphs over values of known shapes.
type grower struct {
	r      *rand.Rand
	head   strings.Builder // constants
	body   strings.Builder
	names  []string
	shapes [][]int
	n      int
}

func (g *grower) weight(shape ...int) string {
	g.n++
	name := fmt.Sprintf("w%d", g.n)
	fmt.Fprintf(&g.head, "const %s = f32%s{*0.0}\n", name, dimsText(shape))
	return name
}

func (g *grower) ints(list ...int) string {
	g.n++
	name := fmt.Sprintf("i%d", g.n)
	var s []string
	for _, x := range list {
		s = append(s, fmt.Sprint(x))
	}
	fmt.Fprintf(&g.head, "const %s = i64[%d]{%s}\n", name, len(list), strings.Join(s, ", "))
	return name
}

func dimsText(shape []int) string {
	var s []string
	for _, d := range shape {
		s = append(s, fmt.Sprint(d))
	}
	return "[" + strings.Join(s, ",") + "]"
}

func (g *grower) add(shape []int, format string, args ...any) {
	g.n++
	name := fmt.Sprintf("v%d", g.n)
	fmt.Fprintf(&g.body, "%s = %s\n", name, fmt.Sprintf(format, args...))
	g.names, g.shapes = append(g.names, name), append(g.shapes, shape)
}

// pick is a value with its shape, mostly a late one.
func (g *grower) pick(ok func(s []int) bool) (string, []int) {
	for range 40 {
		i := len(g.names) - 1 - min(g.r.IntN(len(g.names)), g.r.IntN(len(g.names)))
		if ok(g.shapes[i]) {
			return g.names[i], g.shapes[i]
		}
	}
	if i := slices.IndexFunc(g.shapes, ok); i >= 0 {
		return g.names[i], g.shapes[i]
	}
	return "", nil
}

func image(s []int) bool { return len(s) == 4 }
func any4(s []int) bool  { return len(s) >= 2 }

// growths add one node or a usual group of nodes, where a value fits.
var growths = []func(g *grower){
	func(g *grower) { // convolution
		x, s := g.pick(image)
		if x == "" {
			return
		}
		k, o, stride := 1+2*g.r.IntN(2), 1+g.r.IntN(9), 1+g.r.IntN(2)
		if g.r.IntN(3) == 0 {
			o = 16 + 8*g.r.IntN(2) // as many as Winograd's form wants
		}
		out := func(n int) int { return (n+2*(k/2)-k)/stride + 1 }
		g.add([]int{s[0], o, out(s[2]), out(s[3])}, "Conv(%s, %s, %s) {pads=[%d,%d,%d,%d], strides=[%d,%d]}",
			x, g.weight(o, s[1], k, k), g.weight(o), k/2, k/2, k/2, k/2, stride, stride)
	},
	func(g *grower) { // depthwise
		if x, s := g.pick(image); x != "" {
			g.add(s, "Conv(%s, %s) {pads=[1,1,1,1], group=%d}", x, g.weight(s[1], 1, 3, 3), s[1])
		}
	},
	func(g *grower) {
		if x, s := g.pick(any4); x != "" {
			ops := []string{"Relu", "Sigmoid", "Tanh", "HardSwish", "Identity", "Neg"}
			g.add(s, "%s(%s)", ops[g.r.IntN(len(ops))], x)
		}
	},
	func(g *grower) { // sum or product of equal shapes
		if x, s := g.pick(any4); x != "" {
			y, _ := g.pick(func(t []int) bool { return slices.Equal(s, t) })
			g.add(s, "%s(%s, %s)", []string{"Add", "Mul", "Sub"}[g.r.IntN(3)], x, y)
		}
	},
	func(g *grower) { // squeeze and excite
		if x, s := g.pick(image); x != "" {
			g.add([]int{s[0], s[1], 1, 1}, "GlobalAveragePool(%s)", x)
			p := g.names[len(g.names)-1]
			g.add(s, "Mul(%s, %s)", x, p)
		}
	},
	func(g *grower) { // per-channel constants
		if x, s := g.pick(image); x != "" {
			g.add(s, "%s(%s, %s)", []string{"Add", "Mul"}[g.r.IntN(2)], x, g.weight(1, s[1], 1, 1))
		}
	},
	func(g *grower) { // concatenation
		if x, s := g.pick(image); x != "" {
			y, t := g.pick(func(t []int) bool { return len(t) == 4 && t[0] == s[0] && t[2] == s[2] && t[3] == s[3] })
			g.add([]int{s[0], s[1] + t[1], s[2], s[3]}, "Concat(%s, %s) {axis=1}", x, y)
		}
	},
	func(g *grower) { // part of the channels, or of a spatial axis
		a := 1 + g.r.IntN(3)
		if x, s := g.pick(func(s []int) bool { return len(s) == 4 && s[a] > 2 }); x != "" {
			t := slices.Clone(s)
			t[a] = s[a] - 2
			g.add(t, "Slice(%s, %s, %s, %s)", x, g.ints(1), g.ints(s[a]-1), g.ints(a))
		}
	},
	func(g *grower) {
		if x, s := g.pick(image); x != "" {
			p := [][]int{{0, 2, 3, 1}, {0, 3, 1, 2}, {0, 1, 3, 2}, {0, 2, 1, 3}}[g.r.IntN(4)]
			g.add([]int{s[p[0]], s[p[1]], s[p[2]], s[p[3]]}, "Transpose(%s) {perm=[%d,%d,%d,%d]}", x, p[0], p[1], p[2], p[3])
		}
	},
	func(g *grower) { // tokens
		if x, s := g.pick(image); x != "" {
			g.add([]int{s[0], s[1], s[2] * s[3]}, "Reshape(%s, %s)", x, g.ints(0, 0, -1))
		}
	},
	func(g *grower) {
		if x, s := g.pick(func(s []int) bool { return len(s) == 3 }); x != "" {
			o := 1 + g.r.IntN(20)
			g.add([]int{s[0], s[1], o}, "MatMul(%s, %s)", x, g.weight(s[2], o))
		}
	},
	func(g *grower) { // a product of tokens with themselves
		if x, s := g.pick(func(s []int) bool { return len(s) == 3 }); x != "" {
			g.add([]int{s[0], s[2], s[1]}, "Transpose(%s) {perm=[0,2,1]}", x)
			t := g.names[len(g.names)-1]
			g.add([]int{s[0], s[1], s[1]}, "MatMul(%s, %s)", x, t)
			g.add([]int{s[0], s[1], s[1]}, "Softmax(%s)", g.names[len(g.names)-1])
		}
	},
	func(g *grower) {
		if x, s := g.pick(func(s []int) bool { return len(s) == 4 && s[2] > 2 && s[3] > 2 }); x != "" {
			op := []string{"MaxPool", "AveragePool"}[g.r.IntN(2)]
			g.add([]int{s[0], s[1], (s[2]-1)/2 + 1, (s[3]-1)/2 + 1}, "%s(%s) {kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]}", op, x)
		}
	},
	func(g *grower) {
		if x, s := g.pick(image); x != "" {
			g.add([]int{s[0], s[1], s[2] + 1, s[3] + 2}, "Pad(%s, %s)", x, g.ints(0, 0, 1, 0, 0, 0, 0, 2))
		}
	},
	func(g *grower) { // grid
		if x, s := g.pick(any4); x != "" {
			g.n++
			fmt.Fprintf(&g.head, "const s%d = f32[]{0.125}\nconst z%d = u8[]{90}\n", g.n, g.n)
			k := g.n
			fmt.Fprintf(&g.body, "q%d = QuantizeLinear(%s, s%d, z%d)\n", k, x, k, k)
			g.add(s, "DequantizeLinear(q%d, s%d, z%d)", k, k, k)
		}
	},
	func(g *grower) {
		if x, s := g.pick(image); x != "" {
			g.add(s, "BatchNormalization(%s, %s, %s, %s, var%d)", x, g.weight(s[1]), g.weight(s[1]), g.weight(s[1]), g.n)
			fmt.Fprintf(&g.head, "const var%d = f32[%d]{*1.5}\n", g.n-1, s[1])
		}
	},
}

// grow writes a graph with some of its values as outputs.
func grow(seed uint64, nodes int) string {
	g := &grower{r: rand.New(rand.NewPCG(seed, 0))}
	shape := []int{1 + g.r.IntN(3), 1 + g.r.IntN(5), 4 + g.r.IntN(9), 4 + g.r.IntN(9)}
	g.names, g.shapes = []string{"x"}, [][]int{shape}
	for len(g.names) < nodes {
		growths[g.r.IntN(len(growths))](g)
	}
	outs := []string{g.names[len(g.names)-1]}
	for range g.r.IntN(4) {
		if v := g.names[1+g.r.IntN(len(g.names)-1)]; !slices.Contains(outs, v) {
			outs = append(outs, v)
		}
	}
	return fmt.Sprintf("(x f32%s) -> (%s) {\n%s%s}", dimsText(shape), strings.Join(outs, ", "), g.head.String(), g.body.String())
}

// TestRandomGraphs compares random graphs, in which layouts, fusions and memory
// meet in ways that nobody thought of, with the reference at every level.
func TestRandomGraphs(t *testing.T) {
	for seed := range uint64(600) {
		body := grow(seed, 4+int(seed%20))
		level := cpu.Levels()[seed%3]
		t.Run(fmt.Sprint(seed, level), func(t *testing.T) {
			restore, _ := cpu.Cap(level)
			defer restore()
			m := model(t, body)
			fillConsts(m)
			defer func() {
				if t.Failed() {
					t.Log(body)
				}
			}()
			compare(t, m, inputsOf(m, 1))
		})
	}
}
