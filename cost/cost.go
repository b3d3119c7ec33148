package cost

import (
	"runtime"

	"pare/ir"
	"pare/op"
	"pare/tensor"
)

// Totals are costs of a layer or a network, those of computing for one sample.
type Totals struct {
	Params int   `json:"params"` // elements of constants of floating-point or code type
	Bytes  int64 `json:"bytes"`  // of constants as stored
	// MACs are multiply-accumulates of convolutions and matrix products, as far
	// as sizes are known.
	MACs int64 `json:"macs"`
	// Multiplications are those of the MACs that are left when each distinct
	// product is computed once; additions are those by weights other than 0.
	Multiplications int64 `json:"multiplications"`
	Additions       int64 `json:"additions"`
}

// Layer is what one node costs that multiplies: a convolution or matrix product.
// Params and Bytes are those of its constant weights, 0 where it has none.
type Layer struct {
	Name string `json:"name"`
	Op   string `json:"op"`
	Totals
	// Reuse says how its weights repeat, for one output position; of a sum of
	// terms it is the sum.
	Reuse
	// Weights is the number of weights, Positions how often each is used.
	Weights   int   `json:"-"`
	Positions int64 `json:"-"`
}

// Count is what a network costs. Params and Bytes count all its constants, those
// of sub-graphs and functions included; layers are those of the graph itself.
type Count struct {
	Totals
	Layers []Layer `json:"layers"`
}

// Of counts a network. It does not change m.
func Of(m *ir.Model) *Count { return new(Counter).Of(m, runtime.GOMAXPROCS(0)) }

// Counter counts networks that share constants, such as those before and after a
// step: what it counted once it remembers. The zero value is ready.
type Counter struct{ known map[key]known }

// known is what was counted of weights, and how they were looked at.
type known struct {
	from  Weights // without values
	reuse Reuse
}

// Of counts a network on so many threads. It does not change m.
func (c *Counter) Of(m *ir.Model, threads int) *Count {
	typed := ir.CloneModel(m)
	if _, err := op.Infer(typed); err != nil {
		typed = m // with the types that the model declares
	}
	out := &Count{Layers: []Layer{}}
	out.Params, out.Bytes = Stored(m)
	for _, n := range typed.Graph.Nodes {
		macs, ok := op.MACs(n)
		if _, weighted := rowOf(n); !ok && !weighted {
			continue
		}
		l := c.layer(typed, n, macs, threads)
		out.MACs += l.MACs
		out.Multiplications += l.Multiplications
		out.Additions += l.Additions
		out.Layers = append(out.Layers, l)
	}
	return out
}

// layer counts one node.
func (c *Counter) layer(m *ir.Model, n *ir.Node, macs int64, threads int) Layer {
	l := Layer{Name: nodeName(n), Op: n.Op, Totals: Totals{MACs: macs, Multiplications: macs, Additions: macs}}
	s, ok := find(m, n)
	if !ok {
		return l
	}
	l.Weights = tensor.Len(s.shape())
	l.Params, l.Bytes = l.Weights, s.bytes()
	if l.Weights == 0 {
		return l
	}
	if l.Reuse, ok = c.reuse(n, &s, threads); ok {
		l.Positions = macs / int64(l.Weights)
		l.Multiplications, l.Additions = l.Positions*(l.Products-l.Ones), l.Positions*l.NonZero
	}
	return l
}

// reuse counts the products of stored weights.
func (c *Counter) reuse(n *ir.Node, s *stored, threads int) (Reuse, bool) {
	r, _ := rowOf(n)
	w, ok := r.weights(n, s.operand, s.shape(), nil)
	if !ok {
		return Reuse{}, false
	}
	if k, ok := c.known[s.key()]; ok && same(k.from, w) {
		return k.reuse, true
	}
	terms, err := s.terms(threads)
	if err != nil {
		return Reuse{}, false
	}
	var sum Reuse
	from := w
	for _, x := range terms {
		w.Values = x
		sum.add(w.Count(threads))
	}
	if c.known == nil {
		c.known = map[key]known{}
	}
	c.known[s.key()] = known{from, sum}
	return sum, true
}

func nodeName(n *ir.Node) string {
	if n.Name != "" {
		return n.Name
	}
	for _, v := range n.Out {
		if v != nil {
			return v.Name
		}
	}
	return n.Op
}
