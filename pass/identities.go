package pass

import (
	"math"
	"slices"

	"pare/ir"
	"pare/tensor"
)

// skip returns the operand that the first result of n always equals, -1 where
// there is none. Types are compared afterwards.
type skip func(w *work, n *ir.Node) int

// skips says when operators of the standard set return an operand unchanged.
var skips map[string]skip

// init rather than an initialiser: the rules refer to the work.
func init() {
	skips = map[string]skip{
		"Add":       neutral(0, true),
		"Cast":      always,
		"CastLike":  always,
		"Concat":    single,
		"Div":       neutral(1, false),
		"Dropout":   noDropout,
		"Expand":    always,
		"Flatten":   always,
		"Identity":  always,
		"Max":       single,
		"Mean":      single,
		"Min":       single,
		"Mul":       neutral(1, true),
		"Pad":       noPad,
		"Reshape":   always,
		"Slice":     noSlice,
		"Split":     single,
		"Squeeze":   always,
		"Sub":       neutral(0, false),
		"Sum":       single,
		"Tile":      noTile,
		"Transpose": noTranspose,
		"Unsqueeze": always,
	}
}

// identities makes the readers of nodes that return an operand read that
// operand. A result that is also an output of the graph keeps its node where the
// operand cannot take its name.
func identities(w *work) (int, error) {
	count := 0
	for _, n := range slices.Clone(w.g.Nodes) {
		rule := skips[n.Op]
		if rule == nil || !w.plain(n) || !w.onlyResult(n) {
			continue
		}
		i := rule(w, n)
		if i < 0 || i >= len(n.In) || n.In[i] == nil {
			continue
		}
		if n.Op != "Identity" && !w.sameType(n.In[i], n.Out[0]) || !w.replaceable(n.Out[0], n.In[i]) {
			continue
		}
		if err := w.skip(n, n.In[i]); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// skip removes n, whose first result equals v.
func (w *work) skip(n *ir.Node, v *ir.Value) error {
	p := ir.NewPatch(w.g, "skip "+n.String())
	if v.Stats == nil && n.Out[0].Stats != nil {
		p.SetStats(v, n.Out[0].Stats)
	}
	p.Replace(n.Out[0], v)
	p.RemoveNode(n)
	return w.apply(p)
}

// always is the rule of operators that only change the type: where that is the
// same, they do nothing.
func always(*work, *ir.Node) int { return 0 }

func single(_ *work, n *ir.Node) int {
	if len(n.In) == 1 || n.Op == "Split" && len(n.Out) == 1 {
		return 0
	}
	return -1
}

// neutral is the rule of arithmetic with a constant that changes nothing.
func neutral(x float64, commutes bool) skip {
	return func(w *work, n *ir.Node) int {
		if len(n.In) != 2 {
			return -1
		}
		for k, v := range n.In {
			if (k == 1 || commutes) && w.constant(v) && filledWith(v.Const, x) {
				return 1 - k
			}
		}
		return -1
	}
}

// filledWith reports whether all elements of a numeric tensor are x.
func filledWith(t *tensor.Tensor, x float64) bool {
	if !t.Type.IsFloat() && !t.Type.IsInt() {
		return false
	}
	return !slices.ContainsFunc(tensor.Float64s(t), func(y float64) bool { return y != x })
}

// noDropout holds for inference: from version 7 on a node says itself that it
// trains, before it says that it does not.
func noDropout(w *work, n *ir.Node) int {
	switch v := w.m.Opset(""); {
	case 0 < v && v < 7 && n.Int("is_test", 0) == 0:
		return -1
	case len(n.In) > 2 && n.In[2] != nil && (!w.constant(n.In[2]) || !filledWithFalse(n.In[2].Const)):
		return -1
	}
	return 0
}

func filledWithFalse(t *tensor.Tensor) bool {
	return t.Type == tensor.Bool && !slices.Contains(tensor.Data[bool](t), true)
}

func noPad(w *work, n *ir.Node) int {
	pads, ok := w.padsOf(n)
	if !ok || slices.ContainsFunc(pads, func(p int) bool { return p != 0 }) {
		return -1
	}
	return 0
}

func noTile(w *work, n *ir.Node) int {
	repeats, ok := w.ints(n, 1)
	if !ok || len(n.In) != 2 || slices.ContainsFunc(repeats, func(r int) bool { return r != 1 }) {
		return -1
	}
	return 0
}

func noTranspose(w *work, n *ir.Node) int {
	perm, ok := w.permOf(n)
	if !ok || !slices.IsSorted(perm) {
		return -1
	}
	return 0
}

// noSlice holds where every axis is taken from its first to its last element.
func noSlice(w *work, n *ir.Node) int {
	s, ok := w.sliceOf(n)
	if !ok {
		return -1
	}
	for _, a := range s {
		d := w.types[n.In[0]].Shape[a.axis]
		if a.step != 1 || a.start != 0 || a.end < math.MaxInt32 && !(d.IsKnown() && a.end >= d.N) {
			return -1
		}
	}
	return 0
}

// cut is what Slice does to one axis; start and end as the node says them.
type cut struct{ axis, start, end, step int }

// sliceOf reads a Slice whose parameters and operand's rank are known.
func (w *work) sliceOf(n *ir.Node) ([]cut, bool) {
	starts, ok1 := w.listed(n, "starts", 1)
	ends, ok2 := w.listed(n, "ends", 2)
	axes, ok3 := w.listed(n, "axes", 3)
	steps, ok4 := w.listed(n, "steps", 4)
	rank := w.types[n.In[0]].Rank()
	if !ok1 || !ok2 || !ok3 || !ok4 || rank < 0 || len(starts) != len(ends) {
		return nil, false
	}
	var out []cut
	for i := range starts {
		c := cut{i, starts[i], ends[i], 1}
		if axes != nil && i < len(axes) {
			c.axis = axes[i]
		}
		if steps != nil && i < len(steps) {
			c.step = steps[i]
		}
		var ok bool
		if c.axis, ok = axisOf(c.axis, rank); !ok {
			return nil, false
		}
		out = append(out, c)
	}
	return out, true
}
