package cost

import (
	"runtime"
	"slices"

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
	Multiplications int64 `json:"multiplications,omitempty"`
	Additions       int64 `json:"additions,omitempty"`
}

// Add adds o to t.
func (t *Totals) Add(o Totals) {
	t.Params += o.Params
	t.Bytes += o.Bytes
	t.MACs += o.MACs
	t.Multiplications += o.Multiplications
	t.Additions += o.Additions
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
	// Inputs and Channels are the numbers of channels that a layer with constant
	// weights reads and computes, Positions how often a sample uses each weight.
	Inputs    int   `json:"inputs"`
	Channels  int   `json:"channels"`
	Positions int64 `json:"positions"`
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
// step: of the last one it remembers what it counted. The zero value is ready.
type Counter struct{ known, now map[key]known }

// known is what was counted of weights, and how they were looked at.
type known struct {
	from  Weights // without values
	reuse Reuse
}

// Of counts a network on so many threads. It does not change m.
func (c *Counter) Of(m *ir.Model, threads int) *Count {
	c.now = map[key]known{}
	out := walk(m, func(m *ir.Model, n *ir.Node, l *Layer) { c.layer(m, n, l, threads) })
	c.known = c.now
	return out
}

// Quick counts without a look at the weights: there are no multiplications and
// additions, and nothing of how weights repeat.
func Quick(m *ir.Model) *Count {
	out := walk(m, func(*ir.Model, *ir.Node, *Layer) {})
	out.Multiplications, out.Additions = 0, 0
	for i := range out.Layers {
		out.Layers[i].Multiplications, out.Layers[i].Additions = 0, 0
	}
	return out
}

// walk lists the layers of m, in a copy whose types are known, and adds them up.
// Every product counts as a multiplication of its own until look says otherwise.
func walk(m *ir.Model, look func(m *ir.Model, n *ir.Node, l *Layer)) *Count {
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
		l := Layer{Name: n.Label(), Op: n.Op, Totals: Totals{MACs: macs, Multiplications: macs, Additions: macs}}
		look(typed, n, &l)
		out.MACs += l.MACs
		out.Multiplications += l.Multiplications
		out.Additions += l.Additions
		out.Layers = append(out.Layers, l)
	}
	return out
}

// Open is the number of layers with constant weights of which it is not known how
// often they multiply, as sizes are left open. The types of m must be known.
func Open(m *ir.Model) (n int) {
	for _, node := range m.Graph.Nodes {
		if _, known := op.MACs(node); known {
			continue
		}
		if _, weighted := find(m, node); weighted {
			n++
		}
	}
	return n
}

// layer looks at the weights of a node.
func (c *Counter) layer(m *ir.Model, n *ir.Node, l *Layer, threads int) {
	s, ok := find(m, n)
	if !ok {
		return
	}
	l.Params, l.Bytes = tensor.Len(s.shape()), s.bytes()
	r, _ := rowOf(n)
	w, ok := r.weights(n, s.operand, s.shape(), nil)
	if !ok || l.Params == 0 {
		return
	}
	w.Reads = reads(n, &w)
	l.Inputs, l.Channels, l.Positions = w.Groups*w.In, w.Groups*w.Out, l.MACs/int64(l.Params)
	if w.Reads != nil {
		l.Inputs = len(slices.Compact(slices.Sorted(slices.Values(w.Reads))))
	}
	if l.Reuse, ok = c.reuse(w, &s, threads); ok {
		l.Multiplications, l.Additions = l.Positions*(l.Products-l.Ones), l.Positions*l.NonZero
	}
}

// reuse counts the products of stored weights.
func (c *Counter) reuse(w Weights, s *stored, threads int) (Reuse, bool) {
	if k, ok := c.lookup(s.key()); ok && same(k.from, w) {
		c.now[s.key()] = k
		return k.reuse, true
	}
	terms, err := s.terms(w, threads)
	if err != nil {
		return Reuse{}, false
	}
	var sum Reuse
	for i, t := range terms {
		r := t.Count(threads)
		if i > 0 {
			r.Unread, r.Constant = 0, 0
		}
		sum.Add(r)
	}
	c.now[s.key()] = known{w, sum}
	return sum, true
}

func (c *Counter) lookup(k key) (known, bool) {
	if x, ok := c.now[k]; ok {
		return x, true
	}
	x, ok := c.known[k]
	return x, ok
}

// same reports whether weights are laid out alike.
func same(a, b Weights) bool {
	return a.Groups == b.Groups && a.Out == b.Out && a.In == b.In && a.Taps == b.Taps && a.Steps == b.Steps &&
		slices.Equal(a.Meets, b.Meets) && slices.Equal(a.Reads, b.Reads)
}
