package format

import (
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// MatchWeight recognises v as a decoded constant: a DequantizeLinear of
// constants (pare's, ONNX Runtime's, PyTorch's), a call of a function that
// decodes by a table or adds a term on rows, the same inlined, or a sum of such
// terms. It verifies the whole form, the body of the function
// included, so that Decode gives exactly what the model computes; anything else
// is not a match. The width of a grid is the least that holds the
// codes.
func MatchWeight(m *ir.Model, v *ir.Value) (*Encoded, bool) {
	n := v.Producer()
	if n == nil || len(n.Out) != 1 {
		return nil, false
	}
	if f := m.Function(n); f != nil {
		if len(f.Body.Outputs) != 1 || len(f.Body.Inputs) < len(n.In) {
			return nil, false
		}
		bind := map[*ir.Value]*ir.Value{}
		for i, x := range n.In {
			bind[f.Body.Inputs[i]] = x
		}
		y := f.Body.Outputs[0].Producer()
		if standard(y, "Add") {
			return matchRows(m, y, bind, n)
		}
		return matchTable(y, bind, n.Float("exponent", 0), f.Name == CodebookOp)
	}
	switch {
	case standard(n, "DequantizeLinear"):
		return matchUniform(n)
	case standard(n, "Add"):
		return matchSum(m, n)
	}
	return matchTable(n, nil, 0, false)
}

func standard(n *ir.Node, op string) bool {
	return n != nil && n.Op == op && ir.CanonicalDomain(n.Domain) == ""
}

func matchUniform(n *ir.Node) (*Encoded, bool) {
	if len(n.In) < 2 || n.In[0] == nil || n.In[1] == nil {
		return nil, false
	}
	e := &Encoded{Codes: n.In[0].Const, Scale: n.In[1].Const}
	if e.Codes == nil || e.Scale == nil || !isCodeType(e.Codes.Type) || e.Scale.Type != tensor.Float32 {
		return nil, false
	}
	if t := n.Int("output_dtype", 0); t != 0 && t != int(tensor.Float32) {
		return nil, false
	}
	if len(n.In) > 2 && n.In[2] != nil {
		e.Zero = n.In[2].Const
		if e.Zero == nil || e.Zero.Type != e.Codes.Type || e.Zero.Len() != e.Scale.Len() {
			return nil, false
		}
	}
	rank := len(e.Codes.Shape)
	axis, block := n.Int("axis", 1), n.Int("block_size", 0)
	if axis < 0 {
		axis += rank
	}
	switch {
	case block == 0 && e.Scale.Len() == 1:
		e.Scale = e.Scale.Reshape()
		if e.Zero != nil {
			e.Zero = e.Zero.Reshape()
		}
	case axis < 0 || axis >= rank:
		return nil, false
	case block != 0:
		e.Spec.Grain, e.Spec.Axis, e.Spec.Block = PerBlock, axis, block
	default:
		e.Spec.Grain, e.Spec.Axis = PerChannel, axis
	}
	if block < 0 || !slices.Equal(e.Scale.Shape, e.Spec.scaleShape(e.Codes.Shape)) {
		return nil, false
	}
	return e, e.setWidth()
}

// setWidth finds bits and symmetry of a uniform encoding from its codes.
func (e *Encoded) setWidth() bool {
	t := e.Codes.Type
	e.Spec.Bits, e.Spec.Asymmetric = t.Bits(), t.IsUnsigned()
	if e.Zero != nil {
		zeros, _ := codesOf(e.Zero)
		e.Spec.Asymmetric = e.Spec.Asymmetric || slices.ContainsFunc(zeros, func(z int16) bool { return z != 0 })
	}
	narrower := e.Spec
	narrower.Bits--
	top := largest(e.Codes, narrower.Levels())
	for s := e.Spec; s.Bits > 2; e.Spec.Bits = s.Bits {
		if s.Bits--; top > s.Levels() {
			break
		}
	}
	e.Spec.Wide = t.Bits() == 8 && e.Spec.Bits <= 4
	return true
}

// matchTable recognises Mul(Gather(levels, Cast(DequantizeLinear(codes, 1))),
// scale), with the formal parameters of a function bound to its operands.
func matchTable(mul *ir.Node, bind map[*ir.Value]*ir.Value, exponent float32, codebook bool) (*Encoded, bool) {
	if !standard(mul, "Mul") || len(mul.In) != 2 {
		return nil, false
	}
	gather := producer(mul.In[0], "Gather", 2)
	if gather == nil || gather.Int("axis", 0) != 0 {
		return nil, false
	}
	cast := producer(gather.In[1], "Cast", 1)
	if cast == nil || !wholeIndex(cast) {
		return nil, false
	}
	decode := producer(cast.In[0], "DequantizeLinear", 2)
	if decode == nil || len(decode.In) > 2 {
		return nil, false
	}
	if !isOne(constant(decode.In[1], bind)) {
		return nil, false
	}
	codes, scale, levels := constant(decode.In[0], bind), constant(mul.In[1], bind), constant(gather.In[0], bind)
	if codes == nil || scale == nil || levels == nil || !isCodeType(codes.Type) || !codes.Type.IsUnsigned() ||
		scale.Type != tensor.Float32 || levels.Type != tensor.Float32 || levels.Rank() != 1 {
		return nil, false
	}
	e := &Encoded{Spec: Spec{Kind: Power}, Codes: codes, Levels: tensor.Data[float32](levels)}
	if !e.setScale(scale) {
		return nil, false
	}
	if !codebook && e.setLevels(exponent) {
		e.setTop(exponent)
		return e, true
	}
	return e, e.setCodebook()
}

// producer returns the standard operator op that computes v with at least n
// operands, all present.
func producer(v *ir.Value, op string, n int) *ir.Node {
	if v == nil || v.Producer() == nil {
		return nil
	}
	p := v.Producer()
	if !standard(p, op) || len(p.In) < n || slices.Contains(p.In[:n], nil) {
		return nil
	}
	return p
}

func constant(v *ir.Value, bind map[*ir.Value]*ir.Value) *tensor.Tensor {
	if w, ok := bind[v]; ok {
		v = w
	}
	if v == nil || v.Const != nil {
		if v == nil {
			return nil
		}
		return v.Const
	}
	if n := v.Producer(); standard(n, "Constant") {
		return n.Tensor("value")
	}
	return nil
}

// setScale accepts a scale that Mul broadcasts over the codes: a number, or one
// number per index of one axis.
func (e *Encoded) setScale(scale *tensor.Tensor) bool {
	rank := len(e.Codes.Shape)
	if scale.Len() == 1 && scale.Rank() <= rank {
		e.Scale = scale.Reshape()
		return true
	}
	pad := rank - scale.Rank()
	if pad < 0 {
		return false
	}
	axis := -1
	for i, d := range scale.Shape {
		if d == 1 {
			continue
		}
		if axis >= 0 || d != e.Codes.Shape[pad+i] {
			return false
		}
		axis = pad + i
	}
	e.Spec.Grain, e.Spec.Axis = PerChannel, axis
	e.Scale = scale.Reshape(scale.Len())
	return true
}

// setLevels verifies the level table and finds width and exponent.
func (e *Encoded) setLevels(exponent float32) bool {
	n := (len(e.Levels) - 1) / 2
	if len(e.Levels)%2 == 0 || n < 1 || n > 127 || !slices.IsSorted(e.Levels) {
		return false
	}
	for j := range n + 1 {
		if e.Levels[n-j] != -e.Levels[n+j] {
			return false
		}
	}
	if largest(e.Codes, len(e.Levels)-1) >= len(e.Levels) {
		return false
	}
	for e.Spec.Bits = 2; 1<<(e.Spec.Bits-1)-1 < n; e.Spec.Bits++ {
	}
	e.Spec.Wide = e.Codes.Type.Bits() == 8 && e.Spec.Bits <= 4
	// The attribute counts only if the table says the same.
	e.Spec.Exponent = attributeExponent(exponent)
	if !(exponent > 0) || !slices.Equal(Table(e.Spec.Bits, e.Spec.Exponent), e.Levels[n:]) {
		e.Spec.Exponent = e.estimate(n)
	}
	return e.Spec.Exponent > 0
}

// estimate finds the exponent from the level in the middle, which is rounded
// little and lies far from 1.
func (e *Encoded) estimate(n int) float64 {
	j := (n + 1) / 2
	if n == 1 {
		return 1
	}
	r := float64(e.Levels[n+j] / e.Levels[2*n])
	return math.Log(float64(j)/float64(n)) / math.Log(r)
}
