package cost

import (
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// row says where the weights of an operator are.
type row struct {
	// operands are the places where they may be, most likely one first.
	operands []int
	// zero is the operand of the zero point of weights that are integers as they
	// stand, 0 where weights are floats.
	zero int
	// weights lays values of the given shape, found at an operand, out.
	weights func(n *ir.Node, operand int, shape []int, values []float32) (Weights, bool)
}

// rows lists the operators whose weights are looked at; others that multiply are
// counted by their multiply-accumulates.
var rows = map[string]row{
	"Conv":          {[]int{1}, 0, convWeights},
	"ConvTranspose": {[]int{1}, 0, transposedWeights},
	"Gemm":          {[]int{1, 0}, 0, gemmWeights},
	"MatMul":        {[]int{1, 0}, 0, matMulWeights},
	"ConvInteger":   {[]int{1}, 3, convWeights},
	"QLinearConv":   {[]int{3}, 5, convWeights},
	"MatMulInteger": {[]int{1}, 3, matMulWeights},
	"QLinearMatMul": {[]int{3}, 5, matMulWeights},
}

func rowOf(n *ir.Node) (r row, ok bool) {
	if ir.CanonicalDomain(n.Domain) == "" {
		r, ok = rows[n.Op]
	}
	return r, ok
}

func convWeights(n *ir.Node, _ int, shape []int, values []float32) (Weights, bool) {
	g := n.Int("group", 1)
	if len(shape) < 3 || g < 1 || shape[0]%g != 0 {
		return Weights{}, false
	}
	return ConvWeights(values, shape, g, n.Ints("strides"), n.Ints("dilations")), true
}

// transposedWeights are laid out [inputs, outputs of a group, taps...]; every input
// meets all taps.
func transposedWeights(n *ir.Node, _ int, shape []int, values []float32) (Weights, bool) {
	g := n.Int("group", 1)
	if len(shape) < 3 || g < 1 || shape[0]%g != 0 {
		return Weights{}, false
	}
	taps := volume(shape[2:])
	block := shape[1] * taps
	return Weights{
		Groups: g, Out: shape[1], In: shape[0] / g, Taps: taps, Values: values,
		Steps: Steps{Group: shape[0] / g * block, Out: taps, In: block, Tap: 1},
	}, true
}

func gemmWeights(n *ir.Node, operand int, shape []int, values []float32) (Weights, bool) {
	if len(shape) != 2 {
		return Weights{}, false
	}
	summed := n.Int("transB", 0)
	if operand == 0 {
		summed = 1 - n.Int("transA", 0)
	}
	return denseWeights(shape, summed, values), true
}

func matMulWeights(_ *ir.Node, operand int, shape []int, values []float32) (Weights, bool) {
	if len(shape) < 2 {
		return Weights{}, false
	}
	summed := 0
	if operand == 0 {
		summed = 1
	}
	return denseWeights(shape, summed, values), true
}

// denseWeights are matrices, summed over the given one of their two axes.
func denseWeights(shape []int, summed int, values []float32) Weights {
	r, c := shape[len(shape)-2], shape[len(shape)-1]
	w := Weights{Groups: volume(shape[:len(shape)-2]), Out: c, In: r, Taps: 1, Values: values, Steps: Steps{Group: r * c, Out: 1, In: c}}
	if summed == 1 {
		w.Out, w.In, w.Steps.Out, w.Steps.In = r, c, c, 1
	}
	return w
}

// reads is Weights.Reads of a depthwise convolution of channels that a Gather
// repeats, the form of RED's uneven depthwise separation; else nil.
func reads(n *ir.Node, w *Weights) []int {
	if n.Op != "Conv" || w.In != 1 || w.Groups == 1 || n.In[0] == nil {
		return nil
	}
	p := n.In[0].Producer()
	if p == nil || p.Op != "Gather" || ir.CanonicalDomain(p.Domain) != "" || p.Int("axis", 0) != 1 || len(p.In) < 2 || p.In[1] == nil {
		return nil
	}
	index := constant(p.In[1])
	if index == nil || !index.Type.IsInt() || index.Len() != w.Groups {
		return nil
	}
	out := make([]int, w.Groups)
	for i, c := range tensor.Float64s(index) {
		out[i] = int(c)
	}
	return out
}

// stored is where a layer's weights are kept.
type stored struct {
	operand int
	float   *tensor.Tensor  // the weights themselves, or
	encoded *format.Encoded // what they are decoded from
	bare    bool            // codes are the weights: there is no scale
}

// find looks for constant weights among the operands of n.
func find(m *ir.Model, n *ir.Node) (s stored, ok bool) {
	r, _ := rowOf(n)
	for _, k := range r.operands {
		if k >= len(n.In) || n.In[k] == nil {
			continue
		}
		s.operand = k
		v := n.In[k]
		if r.zero > 0 {
			s.bare = true
			s.encoded, ok = integers(n, constant(v), r.zero)
			return s, ok
		}
		if c := throughCast(v); c.Producer() != nil {
			if s.encoded, ok = format.MatchWeight(m, c); ok {
				return s, true
			}
		}
		if s.float = constant(v); s.float != nil && s.float.Type.IsFloat() {
			return s, true
		}
	}
	return stored{}, false
}

// integers are weights that are integers as they stand, with one zero point.
func integers(n *ir.Node, codes *tensor.Tensor, zero int) (*format.Encoded, bool) {
	if codes == nil || codes.Type != tensor.Int8 && codes.Type != tensor.Uint8 {
		return nil, false
	}
	e := &format.Encoded{Codes: codes, Scale: tensor.Scalar(float32(1))}
	if zero >= len(n.In) || n.In[zero] == nil {
		return e, true
	}
	z := constant(n.In[zero])
	if z == nil || z.Type != codes.Type {
		return nil, false
	}
	if zeros(z) {
		return e, true
	}
	if z.Len() != 1 {
		return nil, false
	}
	e.Zero = z.Reshape()
	return e, true
}

func constant(v *ir.Value) *tensor.Tensor {
	if p := v.Producer(); p != nil && p.Op == "Constant" && ir.CanonicalDomain(p.Domain) == "" {
		return p.Tensor("value")
	}
	return v.Const
}

// throughCast looks behind the Cast that restores a narrow float type.
func throughCast(v *ir.Value) *ir.Value {
	if n := v.Producer(); n != nil && n.Op == "Cast" && len(n.In) == 1 && n.In[0] != nil {
		return n.In[0]
	}
	return v
}

// shape is that of the weights.
func (s *stored) shape() []int {
	if s.encoded != nil {
		return s.encoded.Codes.Shape
	}
	return s.float.Shape
}

func (s *stored) bytes() int64 {
	if s.bare {
		return int64(len(s.encoded.Codes.Bytes()))
	}
	if s.encoded != nil {
		return int64(s.encoded.Bytes())
	}
	return int64(len(s.float.Bytes()))
}

// key identifies what is counted: constants are never changed in place.
type key struct {
	codes, zero, last *tensor.Tensor
	levels            *float32
}

func (s *stored) key() key {
	e := s.encoded
	if e == nil {
		return key{codes: s.float}
	}
	k := key{codes: e.Codes, zero: e.Zero}
	if e.Levels != nil {
		k.levels = &e.Levels[0]
	}
	if e.Orders != nil {
		k.last = e.Orders[len(e.Orders)-1].Codes
	}
	return k
}
