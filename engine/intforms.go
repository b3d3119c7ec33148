package engine

import (
	"slices"

	"pare/ir"
)

// intForm is an operator that computes on codes. What integer steps compute
// equals the float computation of the same graph but for rounding: their sums
// are exact where float32 sums are not, so a code may differ by one where the
// exact result lies within float32 precision of the middle between two codes.
// It is the same on every processor and for any number of threads.
type intForm struct {
	// reads reports whether a node would read its first operand as codes.
	reads func(b *builder, n *ir.Node) bool
	// lower reports false, having emitted nothing, where operands are no codes
	// or what follows needs floats; operands are dequantised then and the
	// node goes the usual way.
	lower func(b *builder, n *ir.Node) bool
	// spatial forms want channels last, and those that keep the layout may be
	// given it; all means that every operand is read as codes.
	spatial, keeps, all bool
	// any: one operand of codes suffices, whichever it is.
	any bool
	// sums: it takes a sum of two codes for its first operand, too; parts: codes of
	// channels that lie apart.
	sums, parts bool
}

// intForms holds the forms by operator.
var intForms map[string]intForm

func init() {
	intForms = map[string]intForm{
		"Conv":      {reads: reads(intFilter), lower: intConvForm, spatial: true, sums: true},
		"Gemm":      {reads: reads(intGemm), lower: intProductForm(intGemm), sums: true},
		"MatMul":    {reads: reads(intMatMul), lower: intProductForm(intMatMul), sums: true},
		"Add":       {reads: intEither(addsData, mapsCodes), lower: intEither(intAddForms, intMapForm), keeps: true, all: true, any: true},
		"Concat":    {reads: intEither(joinsCodes, joinsGrids, joinsParts), lower: intEither(intConcatForm, intConcatGrids, intPartsForm), keeps: true, all: true},
		"Mul":       {reads: intEither(mapsCodes, gatesCodes), lower: intEither(intMapForm, intGateForm), keeps: true, all: true, any: true},
		"Pad":       {reads: carriesOn, lower: intPadForm, keeps: true},
		"Slice":     {reads: carriesOn, lower: intPart("int8 slice", slicedSteps), keeps: true},
		"Transpose": {reads: carriesOn, lower: intPart("int8 transpose", transposedSteps)},
		"MaxPool":   {reads: carriesOn, lower: intPoolForm, spatial: true},
		"Flatten":   {reads: carriesOn, lower: intReshapeForm},
		"Reshape":   {reads: carriesOn, lower: intReshapeForm},
		"Squeeze":   {reads: carriesOn, lower: intReshapeForm},
		"Unsqueeze": {reads: carriesOn, lower: intReshapeForm},

		"BatchNormalization": {reads: scalesCodes, lower: intScaleForm, spatial: true, parts: true},

		"GlobalAveragePool": {reads: averagesPixels, lower: intMeanForm, spatial: true},
		"ReduceMean":        {reads: averagesPixels, lower: intMeanForm, spatial: true},
	}
	for name := range elementwise {
		if _, ok := intForms[name]; !ok {
			intForms[name] = intForm{reads: mapsCodes, lower: intMapForm, keeps: true, all: true, any: true}
		}
	}
}

// reads drops what a matching function returns besides.
func reads[T any](match func(b *builder, n *ir.Node) (T, bool)) func(b *builder, n *ir.Node) bool {
	return func(b *builder, n *ir.Node) bool {
		_, ok := match(b, n)
		return ok
	}
}

// intFormOf is the form of a node of real tensors.
func (b *builder) intFormOf(n *ir.Node) (f intForm, ok bool) {
	if ir.CanonicalDomain(n.Domain) != "" || len(n.Out) != 1 || len(n.In) == 0 || b.m.Opset("") < 13 || !b.real(n.In[0], n.Out[0]) {
		return f, false
	}
	f, ok = intForms[n.Op]
	return f, ok
}

// integer lowers a node that computes on codes.
func (b *builder) integer(n *ir.Node) bool {
	f, ok := b.intFormOf(n)
	if !ok {
		return false
	}
	x := b.val(n.In[0])
	some := f.any && slices.ContainsFunc(n.In, func(v *ir.Value) bool { return v != nil && b.val(v).coded != nil })
	return (some || x.coded != nil || x.sum != nil && f.sums || x.parts != nil && f.parts) && f.lower(b, n)
}

// feedsIntegers reports whether an integer step would read the codes of v.
func (b *builder) feedsIntegers(v *ir.Value) bool {
	return slices.ContainsFunc(v.Uses(), func(u ir.Use) bool {
		if u.In < 0 || !b.alive[u.Node] || b.done[u.Node] || !b.static(u.Node) {
			return false
		}
		f, ok := b.intFormOf(u.Node)
		return ok && (u.In == 0 || f.all) && f.reads(b, u.Node)
	})
}

// encoder is a QuantizeLinear and the nodes that undo it, or a power grid.
type encoder struct {
	codeGrid
	nodes []*ir.Node
	reals []*ir.Value // what the nodes compute
}

// encoderOf reads a QuantizeLinear whose codes nothing else reads, or a power
// grid.
func (b *builder) encoderOf(n *ir.Node) (*encoder, bool) {
	if p := b.powers[n]; p != nil && p.steps != nil {
		return &encoder{codeGrid: p.grid(), nodes: p.nodes, reals: []*ir.Value{p.out}}, true
	}
	if !is(n, "QuantizeLinear") {
		return nil, false
	}
	g, ok := b.codeGridOf(n)
	back := b.decoders(n)
	if !ok || back == nil {
		return nil, false
	}
	e := &encoder{codeGrid: g, nodes: append(back, n)}
	for _, d := range back {
		e.reals = append(e.reals, d.Out[0])
	}
	return e, true
}

// place says that the values behind an encoder lie as c.
func (b *builder) place(e *encoder, c *coded) {
	b.absorb(e.nodes...)
	for _, v := range e.reals {
		b.val(v).coded = c
	}
}

// encode lowers a QuantizeLinear to codes where something computes on them.
func (b *builder) encode(n *ir.Node) bool {
	e, ok := b.encoderOf(n)
	if !ok {
		return false
	}
	v := n.In[0]
	if c := b.val(v).coded; c != nil && c.codeGrid == e.codeGrid {
		b.place(e, c)
		return true
	}
	if !slices.ContainsFunc(e.reals, b.feedsIntegers) {
		return false
	}
	b.realise(v)
	b.place(e, b.quantize(n, v, e))
	return true
}
