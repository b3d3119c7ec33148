package prune

import (
	"context"
	"fmt"
	"slices"

	"pare/compress"
	"pare/ir"
	"pare/tensor"
)

// fitting gives the layers of a pruned network weights with which they compute what
// they did before, as nearly as what they still read allows: least squares, layer
// after layer, on what the layers before compute by then.
type fitting struct {
	env      *compress.Env
	before   *ir.Model // the network as it was
	after    *ir.Model
	smp      *samples
	rows     func(n *ir.Node) []int // of a node of before: those that stay
	only     func(n *ir.Node) bool  // of a node of after: whether it is fitted; nil for all
	places   int                    // at most, of every layer
	targets  map[string]*glance
	fitted   []*target
	frontier *frontier
}

// fitRidge holds weights back, relative to the mean variance of what a layer reads.
// What layers read on samples is not quite what they will read: from 0.03 to 1 it
// makes little difference, below weights follow the samples too closely.
const fitRidge = 0.1

// mostColumns is the number of weights of an output up to which a layer is fitted: the
// work grows with its third power.
const mostColumns = 2400

// target is a layer to fit.
type target struct {
	old, now *ir.Node
	taps     taps
	rows     []int
	w        []float32 // fitted, row by row
	offset   []float32 // that goes with them
}

// run fits all layers that read fewer channels than before, or what such layers
// compute.
func (f *fitting) run(ctx context.Context) error {
	list := f.list()
	if len(list) == 0 {
		return nil
	}
	if err := f.look(ctx, list); err != nil {
		return err
	}
	f.frontier = newFrontier(f.after, f.smp)
	for _, t := range list {
		if err := f.layer(ctx, t); err != nil {
			return fmt.Errorf("%v: %w", t.now, err)
		}
	}
	return nil
}

// list are the layers to fit, in the order of the graph.
func (f *fitting) list() []*target {
	old := map[string]*ir.Node{}
	for _, n := range f.before.Graph.Nodes {
		old[n.Name] = n
	}
	changed := map[*ir.Value]bool{}
	var out []*target
	for _, n := range f.after.Graph.Nodes {
		touched := slices.ContainsFunc(n.In, func(v *ir.Value) bool { return v != nil && v.Const == nil && changed[v] })
		o := old[n.Name]
		if o == nil || o.Op != n.Op {
			touched = true
		} else {
			for i, v := range n.In {
				if v != nil && v.Const != nil && i < len(o.In) && o.In[i] != nil && o.In[i].Const != nil && !tensor.Equal(v.Const, o.In[i].Const) {
					touched = true
				}
			}
			if t := f.target(o, n); touched && t != nil && (f.only == nil || f.only(n)) && slices.ContainsFunc(n.In[:1], func(v *ir.Value) bool { return changed[v] }) {
				out = append(out, t)
			}
		}
		for _, v := range n.Out {
			changed[v] = touched
		}
	}
	return out
}

// target describes a layer that can be fitted, nil for any other node.
func (f *fitting) target(o, n *ir.Node) *target {
	if len(n.In) < 2 || n.In[0] == nil || n.In[1] == nil || n.In[1].Const == nil || n.In[0].Const != nil {
		return nil
	}
	if n.Op != "Conv" && n.Op != "Gemm" && (n.Op != "MatMul" || n.In[1].Const.Rank() != 2) || n.In[1].Const.Type != tensor.Float32 {
		return nil
	}
	taps, why := newTaps(n, n.In[1].Const.Shape)
	t := &target{old: o, now: n, taps: taps, rows: f.rows(o)}
	if why != "" || len(t.rows) == 0 || n.In[1].Const.Len() > mostColumns*len(t.rows) {
		return nil
	}
	return t
}

// look notes what the layers computed before.
func (f *fitting) look(ctx context.Context, list []*target) error {
	var values []*ir.Value
	var axes, limits []int
	for _, t := range list {
		values, axes, limits = append(values, t.old.Out[0]), append(axes, t.taps.axis), append(limits, f.places)
	}
	seen, err := f.smp.glances(ctx, f.before, values, axes, limits, f.env.Seed)
	if err != nil {
		return err
	}
	f.targets = map[string]*glance{}
	for i, t := range list {
		f.targets[t.now.Name] = seen[i].picked(t.rows)
	}
	return nil
}

// picked keeps the given channels.
func (g *glance) picked(channels []int) *glance {
	out := &glance{channels: len(channels)}
	for at := 0; at < len(g.rows); at += g.channels {
		for _, c := range channels {
			out.rows = append(out.rows, g.rows[at+c])
		}
	}
	return out
}

// layer fits one layer.
func (f *fitting) layer(ctx context.Context, t *target) error {
	x, err := f.read(ctx, t)
	if err != nil {
		return err
	}
	y := f.targets[t.now.Name]
	w := t.weights()
	if x.n() != y.n() || len(w) != x.channels*y.channels {
		return fmt.Errorf("internal error: %d places of %d after %d of %d", x.n(), x.channels, y.n(), y.channels)
	}
	mx, _ := x.moments()
	my, _ := y.moments()
	xc, yc := x.centred(mx), y.centred(my)
	d, o := x.channels, y.channels
	xx, err := product(ctx, f.smp.run, xc, xc, x.n())
	if err != nil {
		return err
	}
	xy, err := product(ctx, f.smp.run, xc, yc, x.n())
	if err != nil {
		return err
	}
	f.solve(xx, xy, w, d, o)
	t.w, t.offset = w, offsets(w, mx, my)
	f.fitted = append(f.fitted, t)
	return t.store(f.after, t.now)
}

// offsets are what makes products of mx with the rows of w my.
func offsets(w []float32, mx, my []float64) []float32 {
	out := make([]float32, len(my))
	for r := range out {
		sum := my[r]
		for i, x := range mx {
			sum -= float64(w[r*len(mx)+i]) * x
		}
		out[r] = float32(sum)
	}
	return out
}

// solve moves w, whose d columns are those of the o rows, to the least squares
// solution that xx and xy tell, held back by a ridge.
func (f *fitting) solve(xx, xy []float32, w []float32, d, o int) {
	g := make([]float64, d*d)
	for i, v := range xx {
		g[i] = float64(v)
	}
	// The right side is what is left to explain: xy - xx wᵀ.
	rest := make([]float64, o*d)
	eachRow(o, f.env.Threads, func(r int) {
		row := make([]float64, d)
		for i := range row {
			row[i] = float64(w[r*d+i])
		}
		for i := range d {
			rest[r*d+i] = float64(xy[i*o+r]) - dot(g[i*d:][:d], row)
		}
	})
	mean := 0.0
	for i := range d {
		mean += g[i*d+i] / float64(d)
	}
	if !(mean > 0) {
		return
	}
	for i := range d {
		g[i*d+i] += fitRidge * mean
	}
	cholesky(g, d, 1e-9*mean, f.env.Threads)
	eachRow(o, f.env.Threads, func(r int) {
		delta := rest[r*d:][:d]
		solve(g, d, delta)
		for i, v := range delta {
			w[r*d+i] += float32(v)
		}
	})
}

// read looks at what the layer reads by now, at the places of its result that look
// saw.
func (f *fitting) read(ctx context.Context, t *target) (*glance, error) {
	in, err := f.frontier.reach(ctx, t.now.In[0])
	if err != nil {
		return nil, err
	}
	g := &glance{channels: in[0].Shape[t.taps.axis] * t.taps.size()}
	per := max(1, f.places/len(f.smp.batches))
	for b, x := range in {
		out := t.shape(x.Shape)
		data := tensor.Float32s(x)
		for _, p := range places(tensor.Len(out)/out[t.taps.axis], per, f.env.Seed+uint64(b)) {
			g.rows = t.taps.row(g.rows, data, x.Shape, out, p)
		}
	}
	return g, nil
}

// shape is that of the layer's result for data of the given one.
func (t *target) shape(in []int) []int {
	out := slices.Clone(in)
	for i, k := range t.taps.kernel {
		pads := t.taps.pad[i]
		if all := t.now.Ints("pads"); len(all) == 2*len(t.taps.kernel) {
			pads += all[len(t.taps.kernel)+i]
		}
		out[2+i] = (in[2+i]+pads-(k-1)*t.taps.gap[i]-1)/t.taps.stride[i] + 1
	}
	out[t.taps.axis] = len(t.rows)
	return out
}

// transposed says that the weights have a column for every output.
func (t *target) transposed() bool {
	return t.now.Op == "MatMul" || t.now.Op == "Gemm" && t.now.Int("transB", 0) == 0
}

// weights are those of the layer, row by row.
func (t *target) weights() []float32 {
	c := t.now.In[1].Const
	if t.transposed() {
		return transposed(tensor.Float32s(c), c.Shape[0], c.Shape[1])
	}
	return slices.Clone(tensor.Float32s(c))
}

// store gives n, which is the layer in m, the fitted weights and offset.
func (t *target) store(m *ir.Model, n *ir.Node) error {
	c, w := n.In[1].Const, t.w
	if t.transposed() {
		w = transposed(w, c.Shape[1], c.Shape[0])
	}
	p := ir.NewPatch(m.Graph, "fit "+n.String())
	replace(p, n, 1, n.In[1].Name, tensor.Of(c.Shape, w))
	if n.Op == "MatMul" {
		t.behind(p, n)
	} else {
		replace(p, n, 2, n.Name+"_bias", tensor.Of([]int{len(t.offset)}, t.offset))
	}
	return p.Apply()
}

// behind adds the offset to what a product computes: to the constant that is added to
// it alone, or as a new one.
func (t *target) behind(p *ir.Patch, n *ir.Node) {
	out, sum := n.Out[0], slices.Clone(t.offset)
	if add, at := addition(n); add != nil && add.In[at].Const.Len() == len(sum) {
		if old, k := addition(t.old); old != nil && old.Name == add.Name {
			base := tensor.Float32s(old.In[k].Const)
			for i, r := range t.rows {
				sum[i] += base[r]
			}
		}
		replace(p, add, at, add.In[at].Name, tensor.Of(add.In[at].Const.Shape, sum))
		return
	}
	biased := p.Node(out.Name+"_biased", "Add", []*ir.Value{out, p.Const(out.Name+"_bias", tensor.Of([]int{len(sum)}, sum))})
	p.SetType(biased, out.Type)
	p.Replace(out, biased)
}

// addition is the node that adds a vector of constants to what n computes, and nothing
// else reads, and the constant's place; nil where there is none.
func addition(n *ir.Node) (add *ir.Node, operand int) {
	uses := n.Out[0].Uses()
	if len(uses) != 1 || uses[0].Node.Op != "Add" {
		return nil, 0
	}
	at := 1 - uses[0].In
	if v := uses[0].Node.In[at]; v.Const == nil || v.Const.Rank() != 1 || v.Const.Type != tensor.Float32 {
		return nil, 0
	}
	return uses[0].Node, at
}

// replace gives a node a constant operand, which others may go on reading as it was.
func replace(p *ir.Patch, n *ir.Node, operand int, name string, t *tensor.Tensor) {
	if operand < len(n.In) && n.In[operand] != nil && n.In[operand].Const != nil && len(n.In[operand].Uses()) == 1 {
		p.SetConst(n.In[operand], t)
		return
	}
	p.SetInput(n, operand, p.Const(name, t))
}
