package engine

import (
	"context"

	"pare/ir"
	"pare/tensor"
)

// lowerDequantize takes codes that lie in a box, such as those of an input, to
// where integer steps read them.
func lowerDequantize(b *builder, n *ir.Node) bool {
	x, y := b.val(n.In[0]), n.Out[0]
	g, ok := b.codeGridOf(n)
	if !ok || x.box < 0 || x.t != g.t || g.t.Bits() != 8 || b.val(y).t != tensor.Float32 || !b.feedsIntegers(y) {
		return false
	}
	c := b.newCoded(y, g, b.readLast(y))
	o := b.operand(n.In[0])
	st := &step{node: n, kernel: "codes", tasks: 1, writes: []*buf{c.b}, bytes: 2 * int64(c.n)}
	b.reads(st, o)
	st.serial = func(_ context.Context, f *frame) error {
		v, err := o.get(f)
		if err != nil {
			return err
		}
		fetchCodes(f.codes(c), v.(*tensor.Tensor), c.last)
		return nil
	}
	b.emit(st)
	b.val(y).coded = c
	return true
}

// fetchCodes copies codes of 8 bits, with channels last or as they are; signed
// ones become 128 higher.
func fetchCodes(to []uint8, t *tensor.Tensor, last bool) {
	from, up := tensor.Codes(t), uint8(0)
	if t.Type == tensor.Int8 {
		up = 128
	}
	channels, pixels := 1, len(from)
	if last {
		_, channels, pixels = dims(t.Shape)
	}
	for at := 0; at < len(from); at += channels * pixels {
		for c := range channels {
			for p, v := range from[at+c*pixels : at+(c+1)*pixels] {
				to[at+p*channels+c] = v + up
			}
		}
	}
}
