package quant

import (
	"slices"

	"pare/ir"
	"pare/tensor"
)

// role is what an operator means for quantised activations around it.
type role uint8

// The roles. A joint has integer kernels of its own: what it reads and computes
// is quantised where it lies between quantised layers. A carrier moves codes
// about: what it computes has the grid of what it reads. A follower belongs to
// the layer before it: nothing is quantised between the two. An island is
// computed in float between layers, element by element.
const (
	stranger role = iota
	joint
	carrier
	follower
	island
)

// roles lists the operators of the standard set that are no strangers, with the
// further conditions that a node must meet; nil for none. The list is what ONNX
// Runtime's quantiser and OpenVINO's both treat so.
var roles = map[string]struct {
	role role
	when func(n *ir.Node) bool
}{
	"Add":                {joint, computed},
	"AveragePool":        {joint, nil},
	"BatchNormalization": {follower, nil},
	"Clip":               {follower, constantTail},
	"Concat":             {joint, computed},
	"DepthToSpace":       {carrier, nil},
	"Dropout":            {carrier, nil},
	"Elu":                {island, nil},
	"Erf":                {island, nil},
	"Exp":                {island, nil},
	"Flatten":            {carrier, nil},
	"Gather":             {carrier, func(n *ir.Node) bool { return !isConst(n.In[0]) && isConst(n.In[1]) }},
	"Gelu":               {island, nil},
	"GlobalAveragePool":  {joint, nil},
	"HardSigmoid":        {island, nil},
	"HardSwish":          {island, nil},
	"Identity":           {carrier, nil},
	"LeakyRelu":          {joint, nil},
	"Max":                {follower, constantTail},
	"MaxPool":            {carrier, func(n *ir.Node) bool { return len(n.Out) < 2 || n.Out[1] == nil }},
	"Min":                {follower, constantTail},
	"Mish":               {island, nil},
	"Mul":                {joint, computed},
	"PRelu":              {island, constantTail},
	"Pad":                {carrier, zeroPad},
	"ReduceMean":         {joint, constantTail},
	"Relu":               {follower, nil},
	"Reshape":            {carrier, nil},
	"Resize":             {carrier, func(n *ir.Node) bool { return n.Str("mode", "nearest") == "nearest" }},
	"Sigmoid":            {island, nil},
	"Slice":              {carrier, nil},
	"Softplus":           {island, nil},
	"SpaceToDepth":       {carrier, nil},
	"Split":              {carrier, nil},
	"Squeeze":            {carrier, nil},
	"Swish":              {island, nil},
	"Tanh":               {island, nil},
	"Transpose":          {carrier, nil},
	"Unsqueeze":          {carrier, nil},
}

// offsets are operators that are joints of two computed operands and followers
// where one is constant: a bias or a factor of the layer before.
var offsets = map[string]bool{"Add": true, "Mul": true}

// roleOf is the role of a node.
func roleOf(n *ir.Node) role {
	r, ok := roles[n.Op]
	switch {
	case !ok || ir.CanonicalDomain(n.Domain) != "" || len(n.In) == 0 || n.In[0] == nil:
		return stranger
	case r.when == nil || r.when(n):
		return r.role
	case offsets[n.Op] && !n.In[1].Type.DType.IsInt():
		return follower
	}
	return stranger
}

// computed: no operand is constant.
func computed(n *ir.Node) bool {
	return !slices.ContainsFunc(n.In, func(v *ir.Value) bool { return v == nil || isConst(v) })
}

// constantTail: only the first operand is computed.
func constantTail(n *ir.Node) bool {
	return !slices.ContainsFunc(n.In[1:], func(v *ir.Value) bool { return v != nil && !isConst(v) })
}

// zeroPad: what is padded is the number 0, which every grid holds.
func zeroPad(n *ir.Node) bool {
	if n.Str("mode", "constant") != "constant" {
		return true
	}
	if len(n.In) < 3 || n.In[2] == nil {
		return n.Float("value", 0) == 0
	}
	c := n.In[2].Const
	return c != nil && c.Len() == 1 && tensor.Float64s(c)[0] == 0
}

func isConst(v *ir.Value) bool {
	return v.Const != nil || (v.Producer() != nil && v.Producer().Op == "Constant")
}

// data lists the operands of a node through which activations come.
func data(n *ir.Node) []*ir.Value {
	if r := roleOf(n); r == carrier || (r == follower && !offsets[n.Op]) {
		return n.In[:1]
	}
	var out []*ir.Value
	for _, v := range n.In {
		if v != nil && !isConst(v) {
			out = append(out, v)
		}
	}
	return out
}
