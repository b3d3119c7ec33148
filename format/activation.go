package format

import (
	"fmt"
	"math"

	"pare/ir"
	"pare/tensor"
)

// Activation is the grid of a tensor that is computed at run time: the codes 0
// to 2^Bits-1, kept in Uint8, stand for Levels()[code] times Scale, which is
// code - Zero times Scale on an evenly spaced grid. Zero lies among the codes, so
// 0 is represented exactly.
type Activation struct {
	Bits  int // 2 to 8
	Scale float32
	Zero  uint8
	// Exponent is a in |x| -> |x|^a of a power grid, 0 for evenly spaced levels;
	// Rounding says which level a number gets on a power grid.
	Exponent float64
	Rounding Rounding
	// Top is the largest level of a power grid in units of Scale; 0 for 127 for up
	// to 5 bits and 32767 above.
	Top int
}

// tiny is the width of a range that counts as empty.
const tiny = 1e-20

// NewActivation is the grid over [lo, hi], widened to hold 0. A range without
// negative numbers gets zero point 0, and its largest level does not exceed hi,
// so that a Relu or Clip before the grid changes nothing.
func NewActivation(lo, hi float64, bits int) Activation {
	lo, hi = min(lo, 0), max(hi, 0)
	n := float64(int(1)<<bits - 1)
	if hi-lo < tiny {
		return Activation{Bits: bits, Scale: 1}
	}
	a := Activation{Bits: bits, Scale: float32((hi - lo) / n)}
	if lo == 0 {
		for a.Scale*float32(n) > float32(hi) {
			a.Scale = math.Nextafter32(a.Scale, 0)
		}
	}
	a.Zero = uint8(math.RoundToEven(min(n, -lo/float64(a.Scale))))
	return a
}

// Range is the least and the largest level.
func (a Activation) Range() (lo, hi float32) {
	if l := a.Levels(); a.Exponent != 0 {
		return l[0] * a.Scale, l[a.top()] * a.Scale
	}
	return float32(-int(a.Zero)) * a.Scale, float32(a.top()-int(a.Zero)) * a.Scale
}

func (a Activation) top() int { return 1<<a.Bits - 1 }

// Code is the code that x gets: halves to even, beyond the range the nearest. On
// a power grid, limits between codes lie on multiples of 1/4095 of the range.
func (a Activation) Code(x float32) uint8 {
	if a.Exponent != 0 {
		c := a.coder()
		return c.code(x)
	}
	q := math.RoundToEven(float64(x/a.Scale)) + float64(a.Zero)
	return uint8(min(max(q, 0), float64(a.top())))
}

// Value is what a code stands for.
func (a Activation) Value(code uint8) float32 {
	if a.Exponent != 0 {
		return a.Levels()[code] * a.Scale
	}
	return float32(int(code)-int(a.Zero)) * a.Scale
}

// String names the grid for tables: "uint8", "uint4", "power4".
func (a Activation) String() string {
	if a.Exponent != 0 {
		return fmt.Sprintf("power%d", a.Bits)
	}
	return fmt.Sprintf("uint%d", a.Bits)
}

// Wire is an Activation as constants of a graph: pairs that share a grid share
// its wire.
type Wire struct {
	Activation
	scale, zero, limit            *ir.Value
	factor, offset, codes, levels *ir.Value // of a power grid
}

// NewWire adds the constants of an evenly spaced grid to the patch; names derive
// from base.
func NewWire(p *ir.Patch, base string, a Activation) *Wire {
	w := &Wire{Activation: a, scale: p.Const(base+"_scale", tensor.Scalar(a.Scale)), zero: p.Const(base+"_zero", tensor.Scalar(a.Zero))}
	if a.Bits < 8 {
		_, hi := a.Range()
		w.limit = p.Const(base+"_limit", tensor.Scalar(hi))
	}
	return w
}

// Emit adds the pair of QuantizeLinear and DequantizeLinear behind v and returns
// what it computes. It needs opset 13. No standard element type is as narrow as
// 5 to 7 bits, and 4-bit ones need opset 21; so fewer than 8 bits are kept in
// Uint8, and a Clip in front keeps codes below 2^Bits. Codes below 0
// saturate by themselves. A power grid becomes a pair of calls of pare's
// functions.
func (w *Wire) Emit(p *ir.Patch, v *ir.Value) *ir.Value {
	if w.Exponent != 0 {
		return w.emitPower(p, v)
	}
	x := v
	typed := func(out *ir.Value, t tensor.DType) *ir.Value {
		out.Type = v.Type
		out.Type.DType = t
		return out
	}
	if w.limit != nil {
		x = typed(p.Node(v.Name+"_limited", "Clip", []*ir.Value{x, nil, w.limit}), tensor.Float32)
	}
	codes := typed(p.Node(v.Name+"_codes", "QuantizeLinear", []*ir.Value{x, w.scale, w.zero}), tensor.Uint8)
	return typed(p.Node(v.Name+"_decoded", "DequantizeLinear", []*ir.Value{codes, w.scale, w.zero}), tensor.Float32)
}

// MatchActivation recognises v as the result of such a pair, pare's or another
// tool's, with one scale for the tensor and codes in Uint8, and returns what is
// quantised. The constants may be written once or twice. Anything else is not
// a match.
func MatchActivation(v *ir.Value) (a Activation, source *ir.Value, ok bool) {
	decode := producer(v, "DequantizeLinear", 3)
	if decode == nil {
		return a, nil, false
	}
	code := producer(decode.In[0], "QuantizeLinear", 3)
	if code == nil {
		return a, nil, false
	}
	for i := 1; i <= 2; i++ {
		x, y := constant(decode.In[i], nil), constant(code.In[i], nil)
		if x == nil || y == nil || x.Len() != 1 || !tensor.Equal(x, y) {
			return a, nil, false
		}
	}
	scale, zero := constant(code.In[1], nil), constant(code.In[2], nil)
	if scale.Type != tensor.Float32 || zero.Type != tensor.Uint8 {
		return a, nil, false
	}
	a = Activation{Bits: 8, Scale: tensor.Data[float32](scale)[0], Zero: tensor.Data[uint8](zero)[0]}
	source = code.In[0]
	if clip := source.Producer(); standard(clip, "Clip") && len(clip.In) == 3 && clip.In[0] != nil && clip.In[1] == nil {
		source = a.narrow(clip, source)
	}
	return a, source, true
}

// narrow sets the width that a Clip in front of the pair leaves and returns what
// is clipped; v where the Clip is no part of the grid.
func (a *Activation) narrow(clip *ir.Node, v *ir.Value) *ir.Value {
	limit := constant(clip.In[2], nil)
	if limit == nil || limit.Type != tensor.Float32 || limit.Len() != 1 {
		return v
	}
	for b := 2; b < 8; b++ {
		g := Activation{Bits: b, Scale: a.Scale, Zero: a.Zero}
		if _, hi := g.Range(); hi == tensor.Data[float32](limit)[0] && int(a.Zero) <= g.top() {
			*a = g
			return clip.In[0]
		}
	}
	return v
}

// Rounder is Value(Code(x)) as a function, for many numbers.
func (a Activation) Rounder() func(x float32) float32 {
	if a.Exponent == 0 {
		return func(x float32) float32 { return a.Value(a.Code(x)) }
	}
	c, levels := a.coder(), a.Levels()
	for i := range levels {
		levels[i] *= a.Scale
	}
	return func(x float32) float32 { return levels[c.code(x)] }
}
