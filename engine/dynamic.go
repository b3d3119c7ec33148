package engine

import (
	"fmt"
	"slices"

	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// lowerDynamic computes on the codes of a DynamicQuantizeLinear where products
// with constant weights are all that reads it.
func lowerDynamic(b *builder, n *ir.Node) bool {
	if len(n.Out) != 3 || slices.Contains(n.Out, nil) || b.val(n.In[0]).t != tensor.Float32 {
		return false
	}
	var all []*dynamicProduct
	for _, u := range n.Out[0].Uses() {
		if u.In < 0 {
			return false
		}
		p := b.dynamicProductOf(u.Node, n.Out[0], n.Out[1], n.Out[2])
		if p == nil || !p.fits(b) || len(all) > 0 && p.conv != all[0].conv {
			return false
		}
		all = append(all, p)
	}
	if len(all) == 0 || !b.readBy(n.Out, all) {
		return false
	}
	b.emitDynamic(n, n.In[0], all)
	return true
}

// readBy reports whether nothing but the products reads values.
func (b *builder) readBy(vs []*ir.Value, all []*dynamicProduct) bool {
	return !slices.ContainsFunc(vs, func(v *ir.Value) bool {
		return b.m.Graph.IsOutput(v) || slices.ContainsFunc(v.Uses(), func(u ir.Use) bool {
			return u.In < 0 || !slices.ContainsFunc(all, func(p *dynamicProduct) bool {
				return u.Node == p.node || slices.Contains(p.nodes, u.Node)
			})
		})
	})
}

// lowerDynamicMatMul is DynamicQuantizeLinear and the product in one node.
func lowerDynamicMatMul(b *builder, n *ir.Node) bool {
	if b.val(n.In[0]).t != tensor.Float32 || b.cst(n.In[1]) == nil || b.cst(n.In[2]) == nil || b.cst(n.In[2]).Type != tensor.Float32 {
		return false
	}
	p := &dynamicProduct{node: n, v: n.Out[0], w: b.cst(n.In[1]), scale: b.cst(n.In[2])}
	if len(n.In) > 3 && n.In[3] != nil {
		if p.zero = b.cst(n.In[3]); p.zero == nil {
			return false
		}
	}
	if len(n.In) > 4 && n.In[4] != nil {
		if p.bias = n.In[4]; b.cst(p.bias) == nil || !p.spreads(b, p.bias) {
			return false
		}
	}
	if !p.fits(b) {
		return false
	}
	b.emitDynamic(n, n.In[0], []*dynamicProduct{p})
	return true
}

// dynamicCodes are codes on a grid that lies at grid: its step and zero point.
type dynamicCodes struct {
	c    *coded
	grid place
}

func (d *dynamicCodes) scale(f *frame) kernel.Scale {
	g := f.at(d.grid)
	return kernel.Scale{Step: g[0], Zero: int32(g[1]), Hi: 255}
}

// emitDynamic emits the steps that find a grid for x, bring x onto it, and
// compute the products.
func (b *builder) emitDynamic(n *ir.Node, x *ir.Value, all []*dynamicProduct) {
	shape := b.val(x).shape
	total := tensor.Len(shape)
	var from place
	if all[0].conv {
		from = b.dense(x, b.last(x), shape[1])
	} else {
		from = b.plain(x)
	}
	d := &dynamicCodes{c: b.newCoded(x, codeGrid{t: tensor.Uint8, step: 1, hi: 255}, all[0].conv), grid: place{b: newBuf(2)}}
	b.emit(&step{node: n, kernel: "range", tasks: 1, flops: 2 * int64(total), reads: []*buf{from.b}, writes: []*buf{d.grid.b},
		task: func(f *frame, _ int, _ []float32) {
			s := kernel.DynamicScale(kernel.Range(f.at(from)[:total]))
			g := f.at(d.grid)
			g[0], g[1] = s.Step, float32(s.Zero)
		}})
	b.emit(&step{node: n, kernel: "quantize", tasks: tasksFor(total), bytes: 5 * int64(total), reads: []*buf{from.b, d.grid.b}, writes: []*buf{d.c.b},
		task: func(f *frame, task int, _ []float32) {
			i, j := span(task, total)
			kernel.QuantizeOn(f.codes(d.c)[i:j], f.at(from)[i:j], d.scale(f))
		}})
	for _, p := range all {
		b.absorb(append(p.nodes, p.node)...)
		b.emitDynamicProduct(p, d)
	}
}

// emitWorth emits what sums of every output channel are multiplied by, and what is
// added then.
func (b *builder) emitWorth(p *dynamicProduct, d *dynamicCodes) place {
	o := p.shape.O
	worth := place{b: newBuf(2 * o)}
	sums, scale, bias := p.constants(b)
	b.emit(&step{node: p.node, kernel: "scales", tasks: 1, reads: []*buf{d.grid.b}, writes: []*buf{worth.b},
		task: func(f *frame, _ int, _ []float32) {
			s, w := d.scale(f), f.at(worth)
			for i := range o {
				w[i] = s.Step * scale[i]
				w[o+i] = float32(bias[i] - float64(s.Zero)*sums[i]*float64(w[i]))
			}
		}})
	return worth
}

// emitDynamicProduct emits the product. Weights are packed for codes from zero on: what the zero point
// adds to sums is taken away with the bias.
func (b *builder) emitDynamicProduct(p *dynamicProduct, d *dynamicCodes) {
	o := p.shape.O
	var to place
	name := "int8 matmul"
	if p.conv {
		name = fmt.Sprintf("int8 conv %dx%d", p.shape.KH, p.shape.KW)
		to = b.newLast(p.v)
		p.shape.DstStride = to.stride
	} else {
		to = b.newPlain(p.v)
	}
	worth := b.emitWorth(p, d)
	st := &step{node: p.node, kernel: name + " dynamic", flops: int64(p.shape.Flops()), integer: true,
		bytes: int64(d.c.n) + int64(p.w.Len()) + 4*int64(to.b.floats), reads: []*buf{d.c.b, d.grid.b, worth.b}, writes: []*buf{to.b}}
	weights := formOf(b.p.weights, weightKey{t: p.w, with: p.zero, form: fmt.Sprint("dynamic ", p.conv, p.shape.Groups)}, func() (*kernel.IntWeights, error) {
		return kernel.PackIntConv(p.shape, p.values(), 0)
	})
	b.pending = append(b.pending, func() error {
		if err := weights.done(); err != nil {
			return err
		}
		c, err := kernel.NewIntConv(p.shape, weights.x)
		if err != nil {
			return err
		}
		st.tasks, st.scratch = c.Tasks(), (c.ScratchBytes()+3)/4
		st.task = func(f *frame, task int, scratch []float32) {
			w := f.at(worth)
			e := kernel.IntEpilogue{Mul: w[:o], Add: w[o : 2*o], Pads: true, Pad: uint8(d.scale(f).Zero)}
			c.RunFloat(task, f.at(to), f.codes(d.c), &e, byteView(scratch))
		}
		return nil
	})
	b.emit(st)
}

// constants are the sums of weights, their scales and the bias of all output
// channels.
func (p *dynamicProduct) constants(b *builder) (sums []float64, scale []float32, bias []float64) {
	o, values := p.shape.O, p.values()
	sums, scale, bias = make([]float64, o), make([]float32, o), make([]float64, o)
	k := len(values) / o
	for i, v := range values {
		sums[i/k] += float64(v)
	}
	for i := range o {
		scale[i] = 1
		if p.scale != nil {
			scale[i] = tensor.Data[float32](p.scale)[i%p.scale.Len()]
		}
		if p.bias != nil {
			x := b.p.weights.reals(b.cst(p.bias))
			bias[i] = float64(x[i%len(x)])
		}
	}
	return sums, scale, bias
}
