package grad

import (
	"pare/kernel"
	"pare/tensor"
)

func lowerRelu(b *builder) error {
	b.clamp(0, inf)
	return nil
}

// lowerClip is Clip with bounds that are known, or left out. Elements on a bound get
// no gradient.
func lowerClip(b *builder) error {
	if !b.dtype(0).IsFloat() {
		return lowerReference(b)
	}
	bounds := [2]float32{-inf, inf}
	for i := range bounds {
		if !b.has(i + 1) {
			continue
		}
		t := b.constant(i + 1)
		if t == nil || t.Len() != 1 {
			return lowerReference(b)
		}
		bounds[i] = tensor.Float32s(t)[0]
	}
	b.clamp(bounds[0], bounds[1])
	return nil
}

// clamp makes result 0 operand 0 between bounds. The step that computes the operand
// does it on the way, where it can and nothing else reads the operand.
func (b *builder) clamp(lo, hi float32) {
	x := b.in(0, either)
	made := b.maker(x)
	if made != nil && lo < hi && made.absorb != nil {
		made.absorb(lo, hi)
		made.absorb = nil
		b.adopt(0, x)
		return
	}
	y := b.out(0, x.lay)
	st := b.step([]*slot{x}, []*slot{y})
	if made != nil && lo < hi && made.limit != nil {
		made.limit(lo, hi)
		st.takeOver(made)
	} else {
		st.then(span(x.size(), func(i, j int) { kernel.Clamp(y.data[i:j], x.data[i:j], lo, hi) }))
	}
	if st.wants(0) {
		st.uses(y)
		st.accumulates(0)
		st.back(span(x.size(), func(i, j int) {
			kernel.ClampGrad(st.dx[0][i:j], y.grad[i:j], y.data[i:j], lo, hi, st.adding[0])
		}))
	}
}

// maker is the latest step where it makes x and the node of b is all that reads x.
func (b *builder) maker(x *slot) *step {
	v := x.value
	if v == nil || b.slots[v] != x || len(v.Uses()) != 1 || b.m.Graph.IsOutput(v) || len(b.steps) == 0 {
		return nil
	}
	for i := len(b.steps) - 1; i >= 0; i-- {
		if s := b.steps[i]; len(s.out) == 1 && s.out[0] == x {
			return s
		}
	}
	return nil
}

// adopt makes x, which another step has made, result i.
func (b *builder) adopt(i int, x *slot) {
	v := b.node.Out[i]
	x.value, x.dtype = v, v.Type.DType
	b.slots[v] = x
}

// takeOver lets s do the forward work of the step that makes its operand, which then
// is never stored: what was to be written there is the result of s.
func (s *step) takeOver(made *step) {
	s.forward, made.forward = made.forward, nil
	s.again, made.again = made.again, nil
	s.also = made.in
	made.out[0].root = s.out[0]
	s.out[0].viewers = append(s.out[0].viewers, made.out[0])
}
