package op

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// padDef adds or removes elements at the ends of axes.
// https://onnx.ai/onnx/operators/onnx__Pad.html
var padDef = Def{
	Name: "Pad", Versions: []int{1, 2, 11, 13, 18, 19, 21, 23, 24, 25}, In: Arity{1, 4}, Out: Arity{1, 1},
	Infer: inferPad,
	Eval: func(c *Eval) error {
		x := c.Need(0)
		var pads, axes []int
		if c.Version < 11 {
			pads = padsAttr(c.Node)
		} else {
			pads = c.Ints(1)
		}
		if c.Has(3) {
			axes = c.Ints(3)
		}
		p, err := readPads(pads, axes, c.Has(3), x.Rank())
		if err != nil {
			return err
		}
		value, err := padValue(c, x.Type)
		if err != nil {
			return err
		}
		out, err := p.apply(c.New, x, c.Node.Str("mode", "constant"), value)
		c.Set(0, out)
		return err
	},
	Raise: map[int]func(c *Raising) error{2: raisePad2, 11: raisePad11},
}

// padsAttr is the list of pads before it became an operand.
func padsAttr(n *ir.Node) []int {
	if n.Has("paddings") {
		return n.Ints("paddings")
	}
	return n.Ints("pads")
}

// padValue is what constant padding writes, in the type of the data.
func padValue(c *Eval, t tensor.DType) (*tensor.Tensor, error) {
	switch {
	case c.Version < 11:
		return tensor.FromFloat64s(t, nil, []float64{float64(c.Node.Float("value", 0))})
	case !c.Has(2):
		return c.New(t), nil
	}
	v := c.Need(2)
	if v.Type != t || v.Len() != 1 {
		return nil, fmt.Errorf("constant %v for data of type %v", v, t)
	}
	return v, nil
}

// pads are the elements to add before and after every axis; negative ones are
// removed.
type pads struct{ before, after []int }

// maxPad keeps sums of pads within the range of an int.
const maxPad = 1 << 40

func readPads(list, axes []int, hasAxes bool, rank int) (pads, error) {
	p := pads{make([]int, rank), make([]int, rank)}
	if !hasAxes {
		axes = make([]int, rank)
		for i := range axes {
			axes[i] = i
		}
	}
	axes, err := normAxes(axes, rank)
	if err != nil {
		return p, err
	}
	if len(list) != 2*len(axes) {
		return p, fmt.Errorf("%d pads for %d axes", len(list), len(axes))
	}
	for i, a := range axes {
		p.before[a], p.after[a] = list[i], list[len(axes)+i]
		if max(list[i], -list[i], list[len(axes)+i], -list[len(axes)+i]) > maxPad {
			return p, fmt.Errorf("pads %v", list)
		}
	}
	return p, nil
}

// apply first removes what negative pads say, then adds the others.
func (p pads) apply(alloc mover, x *tensor.Tensor, mode string, value *tensor.Tensor) (*tensor.Tensor, error) {
	kept, shape := slices.Clone(x.Shape), slices.Clone(x.Shape)
	from := whole(x)
	for i, n := range x.Shape {
		first, last := min(max(-p.before[i], 0), n), n-min(max(-p.after[i], 0), n)
		kept[i] = max(last-first, 0)
		from.at += first * from.strides[i]
		shape[i] = kept[i] + max(p.before[i], 0) + max(p.after[i], 0)
		if n+p.before[i]+p.after[i] < 0 || shape[i] < 0 {
			return nil, fmt.Errorf("pads %d and %d for an axis of length %d", p.before[i], p.after[i], n)
		}
	}
	if mode == "constant" {
		out := alloc.filled(value, shape)
		to := whole(out)
		for i := range shape {
			to.at += max(p.before[i], 0) * to.strides[i]
		}
		copyRegion(to, from, kept)
		return out, nil
	}
	out := alloc.dense(from, kept)
	for i, n := range kept {
		if shape[i] == n {
			continue
		}
		at, err := padPositions(mode, n, max(p.before[i], 0), shape[i])
		if err != nil {
			return nil, err
		}
		out = alloc.taken(out, i, at)
	}
	return out, nil
}

// padPositions says which of the n positions of an axis is read at every
// position of the padded axis.
func padPositions(mode string, n, before, total int) ([]int, error) {
	if n == 0 {
		return nil, fmt.Errorf("mode %s on an axis without elements", mode)
	}
	at, err := positions(total)
	if err != nil {
		return nil, err
	}
	for k := range at {
		i := k - before
		switch mode {
		case "edge":
			i = min(max(i, 0), n-1)
		case "wrap":
			i = floorMod(i, n)
		case "reflect":
			if n == 1 {
				i = 0
			} else if i = floorMod(i, 2*(n-1)); i >= n {
				i = 2*(n-1) - i
			}
		default:
			return nil, fmt.Errorf("unknown mode %q", mode)
		}
		at[k] = i
	}
	return at, nil
}

// floorMod is a modulo n with the sign of n.
func floorMod(a, n int) int { return ((a % n) + n) % n }

func inferPad(c *Shape) error {
	x := c.In[0]
	if !x.Ranked {
		c.Set(0, x)
		return nil
	}
	elems, ok := c.Data(1)
	if c.Version < 11 {
		elems, ok = knownElems(padsAttr(c.Node)), true
	}
	var axes []int
	if ok && c.Has(3) {
		axes, ok = c.Ints(3)
	}
	if !ok {
		c.Set(0, ir.TensorType(x.DType, unknownDims(len(x.Shape))...))
		return nil
	}
	// Pads that are not known are told apart from 0 by a list beside.
	list, open := make([]int, len(elems)), make([]int, len(elems))
	for i, e := range elems {
		if isNumber(e) {
			list[i] = e.N
		} else {
			open[i] = 1
		}
	}
	p, err := readPads(list, axes, c.Has(3), len(x.Shape))
	if err != nil {
		return err
	}
	unknown, err := readPads(open, axes, c.Has(3), len(x.Shape))
	if err != nil {
		return err
	}
	shape := slices.Clone(x.Shape)
	for i, d := range shape {
		sum := p.before[i] + p.after[i]
		switch {
		case unknown.before[i]+unknown.after[i] > 0:
			shape[i] = ir.Unknown
		case d.IsKnown():
			if d.N+sum < 0 {
				return fmt.Errorf("pads %d and %d for an axis of length %d", p.before[i], p.after[i], d.N)
			}
			shape[i] = ir.Known(d.N + sum)
		case sum != 0:
			shape[i] = ir.Unknown
		}
	}
	c.Set(0, ir.TensorType(x.DType, shape...))
	return nil
}

// raisePad2 renames the attribute.
func raisePad2(c *Raising) error {
	if list := c.Node.Attr("paddings"); list != nil {
		c.Patch.SetAttrs(c.Node, ir.WithAttr(ir.WithoutAttr(c.Node.Attrs, "paddings"), "pads", list))
	}
	return nil
}

// raisePad11 makes operands of the pads and the constant.
func raisePad11(c *Raising) error {
	n := c.Node
	list, _ := n.Attr("pads").([]int64)
	c.ConstInput(1, "pads", tensor.Of([]int{len(list)}, slices.Clone(list)))
	if v := n.Float("value", 0); v != 0 {
		t := n.In[0].Type.DType
		if !t.IsFloat() {
			return fmt.Errorf("the element type of the data is not known")
		}
		value, err := tensor.FromFloat64s(t, nil, []float64{float64(v)})
		if err != nil {
			return err
		}
		c.ConstInput(2, "value", value)
	}
	c.DropAttrs("pads", "value")
	return nil
}

// centerCropPadDef crops or pads about the centre.
// https://onnx.ai/onnx/operators/onnx__CenterCropPad.html
var centerCropPadDef = Def{
	Name: "CenterCropPad", Versions: []int{18}, In: Arity{2, 2}, Out: Arity{1, 1},
	Infer: func(c *Shape) error {
		x := c.In[0]
		if !x.Ranked {
			c.Set(0, x)
			return nil
		}
		axes, err := cropAxes(c.Node, len(x.Shape))
		if err != nil {
			return err
		}
		shape := slices.Clone(x.Shape)
		elems, ok := c.Data(1)
		if ok && len(elems) != len(axes) {
			return fmt.Errorf("%d sizes for %d axes", len(elems), len(axes))
		}
		for i, a := range axes {
			shape[a] = ir.Unknown
			if ok {
				shape[a] = dimOf(elems[i])
			}
		}
		c.Set(0, ir.TensorType(x.DType, shape...))
		return nil
	},
	Eval: func(c *Eval) error {
		x, want := c.Need(0), c.Ints(1)
		axes, err := cropAxes(c.Node, x.Rank())
		if err != nil {
			return err
		}
		if len(want) != len(axes) || slices.ContainsFunc(want, func(n int) bool { return n < 0 }) {
			return fmt.Errorf("sizes %v for %d axes", want, len(axes))
		}
		p := pads{make([]int, x.Rank()), make([]int, x.Rank())}
		for i, a := range axes {
			// The odd element is added behind, or removed behind.
			d := want[i] - x.Shape[a]
			p.before[a] = d / 2
			p.after[a] = d - p.before[a]
		}
		out, err := p.apply(c.New, x, "constant", c.New(x.Type))
		c.Set(0, out)
		return err
	},
}

func cropAxes(n *ir.Node, rank int) ([]int, error) {
	axes := n.Ints("axes")
	if axes == nil {
		for i := range rank {
			axes = append(axes, i)
		}
	}
	return normAxes(axes, rank)
}
