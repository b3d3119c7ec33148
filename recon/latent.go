package recon

import (
	"math"
	"slices"

	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// latent is what stands for the weights of one layer while they are learned: constants
// of the training graph, live in the program once it is made.
type latent struct {
	form  form
	float []float32 // the original weights
	// variable of the graph: v alone, or with what else is learned of the grid.
	v, scale, alpha, bias *ir.Value
	floor                 []float32 // rounding up or down: the code below
	least, most           float64   // exponents that alpha reaches
}

// roundSpan and roundLow stretch the sigmoid that roundings are learned by.
const (
	roundSpan = 1.2
	roundLow  = -0.1
)

// logit is the v whose stretched sigmoid is h, within what it reaches safely.
func logit(h float64) float32 {
	s := (min(max(h, 0.01), 0.99) - roundLow) / roundSpan
	return float32(math.Log(s / (1 - s)))
}

// ladder are the levels of an encoding's codes, less the zero point of a group, in
// units of its scale.
type ladder struct {
	levels []float32 // of codes least, least+1, ...
	least  int
}

func newLadder(e *format.Encoded) ladder {
	if e.Levels != nil {
		return ladder{levels: e.Levels}
	}
	n := e.Spec.Levels()
	l := ladder{least: -n}
	if e.Spec.Asymmetric {
		l.least = 0
	}
	for q := l.least; q <= n; q++ {
		l.levels = append(l.levels, float32(q))
	}
	return l
}

// below is the index of the largest level that is at most x, at most the last but one.
func (l ladder) below(x float32) int {
	i, found := slices.BinarySearch(l.levels, x)
	if !found {
		i--
	}
	return min(max(i, 0), len(l.levels)-2)
}

// scaleOf tells the index of the scale of every element of an encoding.
func scaleOf(e *format.Encoded) func(i int) int {
	s, shape := e.Spec, e.Codes.Shape
	switch s.Grain {
	case format.PerTensor:
		return func(int) int { return 0 }
	case format.PerChannel:
		inner, dim := tensor.Len(shape[s.Axis+1:]), shape[s.Axis]
		return func(i int) int { return i / inner % dim }
	}
	inner, dim := tensor.Len(shape[s.Axis+1:]), shape[s.Axis]
	blocks := (dim + s.Block - 1) / s.Block
	return func(i int) int { return (i/(inner*dim)*blocks+i/inner%dim/s.Block)*inner + i%inner }
}

// zeros are the zero points of an encoding's groups.
func zeros(e *format.Encoded) []float32 {
	out := make([]float32, e.Scale.Len())
	if e.Zero != nil {
		for i, z := range tensor.Ints8(e.Zero) {
			out[i] = float32(z)
		}
	}
	return out
}

// lean is how far from the middle a rounding begins at least: on the side of the start.
const lean = 0.05

// soften adds the node whose rounding is learned: levels next to the weights, around
// the start's code where that is none of the two, and v for where between them.
func (l *latent) soften(p *ir.Patch, which string) *ir.Value {
	e := l.form.Encoded
	rungs, group, zero := newLadder(e), scaleOf(e), zeros(e)
	scales, codes := tensor.Data[float32](e.Scale), tensor.Ints8(e.Codes)
	n := e.Codes.Len()
	below, above, v := make([]float32, n), make([]float32, n), make([]float32, n)
	l.floor = make([]float32, n)
	for i, w := range l.float {
		g := group(i)
		x := w/scales[g] + zero[g]
		at := rungs.below(x)
		if start := int(codes[i]) - rungs.least; start < at {
			at = start
		} else if start > at+1 {
			at = start - 1
		}
		lo, hi := rungs.levels[at], rungs.levels[at+1]
		l.floor[i] = float32(at + rungs.least)
		below[i], above[i] = lo-zero[g], hi-zero[g]
		h := float64((x - lo) / (hi - lo))
		if up := int(codes[i])-rungs.least > at; up {
			h = max(h, 0.5+lean)
		} else {
			h = min(h, 0.5-lean)
		}
		v[i] = logit(h)
	}
	l.choose(v, which)
	base, shape := l.form.decode.Out[0].Name, e.Codes.Shape
	l.v, l.scale = p.Const(base+"_v", tensor.Of(shape, v)), p.Const(base+"_s", e.Scale)
	in := []*ir.Value{p.Const(base+"_below", tensor.Of(shape, below)), p.Const(base+"_above", tensor.Of(shape, above)), l.v, l.scale}
	return node(p, base, "SoftRound", in, grain(e)...)
}

// settled is a latent that is decided: its sigmoid is clipped and has no gradient.
const settled = 8

// choose decides the roundings that are not to be learned.
func (l *latent) choose(v []float32, which string) {
	middle := float32(0)
	switch which {
	case "unsure":
		middle = logit(0.75)
	case "important":
		size := make([]float32, len(v))
		for i, w := range l.float {
			size[i] = max(w, -w)
		}
		slices.Sort(size)
		middle = size[len(size)/2]
	default:
		return
	}
	for i, x := range v {
		far := which == "unsure" && max(x, -x) > middle
		small := which == "important" && max(l.float[i], -l.float[i]) < middle
		if far || small {
			v[i] = float32(math.Copysign(settled, float64(x)))
		}
	}
}

// free adds the node whose codes may become any of the grid's; of a power grid, the
// exponent may be learned, too. staircase is the steepness of what stands for rounding,
// 0 for rounding itself.
func (l *latent) free(p *ir.Patch, staircase float64) *ir.Value {
	e := l.form.Encoded
	scales, group := tensor.Data[float32](e.Scale), scaleOf(e)
	n := float64(e.Spec.Levels())
	top, a, codes := n, 1.0, tensor.Ints8(e.Codes)
	shift := 0.0
	if e.Levels != nil {
		top, a, shift = float64(e.Levels[len(e.Levels)-1]), e.Spec.Exponent, n
	}
	v := make([]float32, e.Codes.Len())
	for i, w := range l.float {
		x := float64(w) / (top * float64(scales[group(i)]))
		near := math.Copysign(n*math.Pow(math.Abs(x), a), x)
		q := float64(codes[i]) - shift
		v[i] = float32(min(max(near, q-0.45), q+0.45)) // the start's code, on the side of the weight
	}
	l.least, l.most = exponentRange(a)
	base := l.form.decode.Out[0].Name
	l.v, l.scale = p.Const(base+"_v", tensor.Of(e.Codes.Shape, v)), p.Const(base+"_s", e.Scale)
	l.alpha = p.Const(base+"_a", tensor.Scalar(float32(alphaOf(a, l.least, l.most))))
	attrs := append(grain(e),
		ir.Attr{Name: "n", Value: int64(n)}, ir.Attr{Name: "top", Value: int64(top)},
		ir.Attr{Name: "least", Value: float32(l.least)}, ir.Attr{Name: "most", Value: float32(l.most)})
	if staircase > 0 {
		attrs = append(attrs, ir.Attr{Name: "beta", Value: float32(staircase)})
	}
	return node(p, base, "PowerLatent", []*ir.Value{l.v, l.scale, l.alpha}, attrs...)
}

// exponentRange is what exponents are learned within; an even grid keeps its own.
func exponentRange(a float64) (least, most float64) {
	if a == 1 {
		return 0.5, 1
	}
	return min(0.2, a/2), max(1, 1.1*a)
}

// alphaOf is the alpha whose exponent is a.
func alphaOf(a, least, most float64) float64 {
	if a >= most {
		return 40 // as good as infinite
	}
	s := (a - least) / (most - least)
	return math.Log(s / (1 - s))
}

func node(p *ir.Patch, base, op string, in []*ir.Value, attrs ...ir.Attr) *ir.Value {
	out := &ir.Value{Name: p.Unique(base + "_learned")}
	p.AddNode(&ir.Node{Name: out.Name, Op: op, Domain: training, In: in, Out: []*ir.Value{out}, Attrs: attrs})
	return out
}

// grain is how scales lie, as the attributes of operators say it.
func grain(e *format.Encoded) (out []ir.Attr) {
	if e.Spec.Grain != format.PerTensor {
		out = append(out, ir.Attr{Name: "axis", Value: int64(e.Spec.Axis)})
	}
	if e.Spec.Grain == format.PerBlock {
		out = append(out, ir.Attr{Name: "block_size", Value: int64(e.Spec.Block)})
	}
	return out
}
