package quant

import (
	"math"
	"slices"

	"pare/compress"
	"pare/format"
	"pare/ir"
	"pare/tensor"
)

// placement decides which values of a graph are quantised, each once and for all
// of its readers:
//
//   - what quantised layers read, with the width of the layer,
//   - what convolutions compute, with the activation that follows, where it
//     leads to another layer,
//   - what joints between quantised layers read and compute, such as the sum
//     of a residual block, with what islands make of quantised values for them,
//   - what carriers between quantised layers read and compute, on one grid.
//
// That is what runtimes look for when they make integer kernels of layers and
// of what lies between. Sums between dense layers are left in float, and read
// float values: the residual stream of a transformer has wide ranges, its
// products leave integer kernels as floats anyway, and 8 bits there cost a small
// vision transformer 2 dB.
type placement struct {
	orders  int // of the data, as terms of an expansion; 0 for 1
	m       *ir.Model
	ranges  ranger
	regions bool
	inner   map[*ir.Node]bool   // nodes of the graph itself
	layers  map[*ir.Node]reader // quantised layers
	demand  map[*ir.Value]bool
	supply  map[*ir.Value]bool
	curves  map[*ir.Value]*ir.Value // by islands alone, of the supplied value
	sites   map[*ir.Value]*site
	order   []*ir.Value // of sites
	floats  []compress.Kept
	// rounding of numbers on power grids, and their largest level.
	rounding format.Rounding
	top      int
}

// reader is a quantised layer as its data sees it.
type reader struct {
	operand int  // where the data come in
	bits    int  // their width
	conv    bool // a convolution, for which runtimes want a quantised result
	// exponent is that of the power grid that the layer wants its data on, 0 for
	// an evenly spaced one.
	exponent float64
}

// readers adds a layer to a list, unless its data stay float.
func readers(list map[*ir.Node]reader, l *compress.Layer, bits int) {
	if bits != 0 && l.Kind != compress.Embedding && l.Kind != compress.Other {
		list[l.Node] = reader{operand: l.Input, bits: bits, conv: l.Kind != compress.Dense}
	}
}

// site is a value to be quantised.
type site struct {
	bits int // asked for by layers; 0 when only others ask
	// exponent is asked for by the first layer that reads the value.
	exponent float64
	link     *site // the site whose grid it shares, nil for itself
	span     span
	// result says that integer kernels compute the value, so that it does not
	// exist in float and all read the codes; else only readers do.
	result  bool
	readers map[*ir.Node]bool
}

// wide is the width of values that no layer reads: sums and gates are sensitive
// and cost little.
const wide = 8

// place finds the sites of a graph, given the width of the data of each layer
// that is quantised.
func place(m *ir.Model, layers map[*ir.Node]reader, regions bool, ranges ranger) *placement {
	p := &placement{
		m: m, ranges: ranges, regions: regions, layers: layers, inner: map[*ir.Node]bool{},
		demand: map[*ir.Value]bool{}, supply: map[*ir.Value]bool{}, curves: map[*ir.Value]*ir.Value{}, sites: map[*ir.Value]*site{},
	}
	for _, n := range m.Graph.Nodes {
		p.inner[n] = true
	}
	for _, n := range slices.Backward(m.Graph.Nodes) {
		p.findDemand(n)
	}
	for _, v := range m.Graph.Inputs {
		p.supply[v] = true
	}
	for _, n := range m.Graph.Nodes {
		p.visit(n)
	}
	p.settle()
	return p
}

// isProduct reports whether n multiplies two computed matrices, as attention
// does.
func (p *placement) isProduct(n *ir.Node) bool {
	return p.regions && n.Op == "MatMul" && ir.CanonicalDomain(n.Domain) == "" && computed(n)
}

// findDemand notes which operands of n lead to something quantised.
func (p *placement) findDemand(n *ir.Node) {
	wanted := p.layers[n].bits != 0 || p.isProduct(n)
	if !wanted && roleOf(n) != stranger {
		wanted = slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return p.demand[v] })
	}
	if wanted {
		for _, v := range p.data(n) {
			p.demand[v] = true
		}
	}
}

// data lists the operands of a node through which activations come.
func (p *placement) data(n *ir.Node) []*ir.Value {
	if l, ok := p.layers[n]; ok {
		return n.In[l.operand : l.operand+1]
	}
	return data(n)
}

// visit asks for the sites around n.
func (p *placement) visit(n *ir.Node) {
	switch r := roleOf(n); {
	case p.layers[n].bits != 0:
		p.layer(n)
	case p.isProduct(n):
		if p.known(data(n)) {
			p.ask(n, data(n))
		}
	case p.bends(n, r):
	case r == stranger || !p.reached(n, r):
	case r == follower:
		p.provide(n)
	case !p.regions || !p.demanded(n):
	case r == joint:
		if out := p.point(n.Out[0]); p.known(append(slices.Clone(data(n)), out)) {
			p.ask(n, data(n))
			p.straighten(n)
			p.site(out).result = true
			p.provide(n)
		}
	case r == carrier:
		if p.known(n.In[:1]) {
			p.straighten(n)
			p.carry(n)
			p.provide(n)
		}
	}
}

func (p *placement) layer(n *ir.Node) {
	l := p.layers[n]
	v := n.In[l.operand]
	if l.conv {
		p.provide(n)
	}
	if why := p.why(v); why != "" {
		p.float(v, why)
		return
	}
	s := p.site(v)
	s.bits = max(s.bits, l.bits)
	if s.exponent == 0 {
		s.exponent = l.exponent
	}
	s.readers[n] = true
	if out := p.point(n.Out[0]); l.conv && p.regions && p.demand[out] && p.why(out) == "" {
		p.site(out).result = true
	}
}

func (p *placement) provide(n *ir.Node) {
	for _, v := range n.Out {
		p.supply[v] = true
	}
}

// bends notes what islands compute of one supplied value alone, SiLU's product
// with that value included.
func (p *placement) bends(n *ir.Node, r role) bool {
	from := make([]*ir.Value, 0, 2)
	curved := false
	for _, v := range data(n) {
		if of := p.curves[v]; of != nil {
			v, curved = of, true
		}
		from = append(from, v)
	}
	switch {
	case r == island && (curved || p.supply[from[0]]):
	case n.Op == "Mul" && r == joint && curved && from[0] == from[1]:
	default:
		return r == island
	}
	p.curves[n.Out[0]] = from[0]
	return true
}

// reached reports whether all operands are supplied. What islands make of a
// supplied value is as good where n has integer kernels for it; gates have none
// for the number that a channel is multiplied by.
func (p *placement) reached(n *ir.Node, r role) bool {
	bent := p.regions && (r == carrier || r == joint && n.Op != "Mul")
	return !slices.ContainsFunc(data(n), func(v *ir.Value) bool { return !p.supply[v] && !(bent && p.curves[v] != nil) })
}

// straighten makes what islands compute for n results on a grid: a function from
// codes to codes.
func (p *placement) straighten(n *ir.Node) {
	for _, v := range data(n) {
		if p.curves[v] != nil {
			p.site(v).result, p.supply[v] = true, true
			delete(p.curves, v)
		}
	}
}

func (p *placement) demanded(n *ir.Node) bool {
	return slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return p.demand[v] })
}

// known reports whether all ranges are, and lists those that are not.
func (p *placement) known(list []*ir.Value) bool {
	all := true
	for _, v := range list {
		if why := p.why(v); why != "" {
			p.float(v, why)
			all = false
		}
	}
	return all
}

// ask makes sites of what n reads.
func (p *placement) ask(n *ir.Node, list []*ir.Value) {
	for _, v := range list {
		p.site(v).readers[n] = true
	}
}

// carry puts what the carrier n computes on the grid of what it reads.
func (p *placement) carry(n *ir.Node) {
	from := p.site(n.In[0])
	from.readers[n] = true
	for _, v := range n.Out {
		if v != nil && p.demand[v] && !p.isDecoded(v) {
			s := p.site(v)
			s.link, s.result = from, true
		}
	}
}

// point is where the result v is quantised: behind the followers that are its
// only readers.
func (p *placement) point(v *ir.Value) *ir.Value {
	for !p.m.Graph.IsOutput(v) && len(v.Uses()) == 1 {
		u := v.Uses()[0]
		if u.In < 0 || !p.inner[u.Node] || roleOf(u.Node) != follower || data(u.Node)[0] != v {
			break
		}
		v = u.Node.Out[0]
	}
	return v
}

// why says why v cannot be quantised; "" when it can.
func (p *placement) why(v *ir.Value) string {
	if p.isDecoded(v) {
		return ""
	}
	_, why := p.ranges(v, wide)
	return why
}

// isDecoded reports whether v is quantised already.
func (p *placement) isDecoded(v *ir.Value) bool {
	_, ok := p.decoded(v)
	return ok
}

// decoded is the grid of a value that is quantised already.
func (p *placement) decoded(v *ir.Value) (format.Activation, bool) {
	a, _, ok := format.MatchActivation(v)
	if !ok {
		a, _, ok = format.MatchPowerActivation(p.m, v)
	}
	return a, ok
}

func (p *placement) float(v *ir.Value, why string) {
	if !slices.ContainsFunc(p.floats, func(k compress.Kept) bool { return k.Name == v.Name }) {
		p.floats = append(p.floats, compress.Kept{Name: v.Name, Reason: why})
	}
}

func (p *placement) site(v *ir.Value) *site {
	if p.sites[v] == nil {
		p.sites[v] = &site{readers: map[*ir.Node]bool{}}
		if !p.isDecoded(v) {
			p.order = append(p.order, v)
		}
	}
	return p.sites[v]
}

// head is the site whose grid s has.
func (s *site) head() *site {
	for s.link != nil {
		s = s.link
	}
	return s
}

// settle fixes widths and ranges: sites on one grid have the width of the most
// demanding layer and the range of the first.
func (p *placement) settle() {
	for _, v := range p.order {
		s := p.sites[v]
		h := s.head()
		h.bits = max(h.bits, s.bits)
		if h.exponent == 0 {
			h.exponent = s.exponent
		}
	}
	for _, v := range p.order {
		s := p.sites[v]
		if s.link != nil {
			continue
		}
		if s.bits == 0 {
			s.bits = wide
		}
		s.span, _ = p.ranges(v, s.bits)
	}
}

// grid is the grid of v; ok is false where v stays float.
func (p *placement) grid(v *ir.Value) (a format.Activation, ok bool) {
	if a, ok := p.decoded(v); ok {
		return a, true
	}
	s := p.sites[v]
	if s == nil {
		return a, false
	}
	s = s.head()
	if s.exponent != 0 {
		return format.NewPowerActivation(s.span.lo, s.span.hi, s.bits, s.exponent, p.rounding, p.largest(s)), true
	}
	return format.NewActivation(s.span.lo, s.span.hi, s.bits), true
}

// largest is the largest level of a power grid of s. Where the levels of weights are
// made for integer kernels, so are those of data: such kernels take bytes, and
// those without a sign hold twice as much.
func (p *placement) largest(s *site) int {
	switch {
	case p.top == 0 || p.top > math.MaxInt8:
		return p.top
	case s.span.lo < 0:
		return math.MaxInt8
	}
	return math.MaxUint8
}

// read is the grid of the data that a layer reads; ok is false where they stay
// float.
func (p *placement) read(l *compress.Layer) (a format.Activation, ok bool) {
	if p.layers[l.Node].bits == 0 {
		return a, false
	}
	return p.grid(l.Node.In[l.Input])
}

// emit writes the pairs and makes the readers in the graph read them. Graph
// outputs stay as they are.
func (p *placement) emit() error {
	patch := ir.NewPatch(p.m.Graph, "quantise activations")
	shelf, wires := format.NewWires(p.m, patch), map[*site]*format.Wire{}
	for _, v := range p.order {
		head := p.sites[v].head()
		if wires[head] == nil {
			a, _ := p.grid(v)
			wires[head] = shelf.Wire(v.Name, a)
		}
		from := v
		if p.orders <= 1 { // the rest that further orders keep is that of v itself
			from = p.unbounded(patch, v, wires[head].Activation)
		}
		decoded := p.expand(patch, from, wires[head])
		for _, u := range v.Uses() {
			if p.rewires(v, u) {
				patch.SetInput(u.Node, u.In, decoded)
			}
		}
	}
	return patch.Apply()
}

// rewires reports whether a reader of v reads it quantised.
func (p *placement) rewires(v *ir.Value, u ir.Use) bool {
	return u.In >= 0 && p.inner[u.Node] && (p.sites[v].result || p.sites[v].readers[u.Node])
}

// unbounded returns what the grid may quantise in place of v: the operand of a
// Min that changes no code, as all its bounds lie at or above the last level.
// The node then goes.
func (p *placement) unbounded(patch *ir.Patch, v *ir.Value, a format.Activation) *ir.Value {
	n := v.Producer()
	if n == nil || n.Op != "Min" || len(n.In) != 2 || n.In[1].Const == nil || p.m.Graph.IsOutput(v) {
		return v
	}
	if slices.ContainsFunc(v.Uses(), func(u ir.Use) bool { return !p.rewires(v, u) }) {
		return v
	}
	_, top := a.Range()
	for _, bound := range tensor.Float32s(n.In[1].Const) {
		if bound < top && int(a.Code(bound)) != 1<<a.Bits-1 {
			return v
		}
	}
	patch.RemoveNode(n)
	removeUnused(patch, p.m.Graph, n.In[1], 1)
	return n.In[0]
}
