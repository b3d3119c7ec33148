package kernel

import (
	"fmt"
	"slices"
)

// IntOrder is a term that integer weights have besides the first, with
// multipliers of its own (REx, arXiv:2203.14645).
type IntOrder struct {
	// Rows are the output channels that have the term, ascending; nil stands for
	// all.
	Rows []int
	// W holds the weights of these channels, [rows][C/Groups][KH][KW].
	W []int8
}

// intStack is the further orders of weights: their rows lie in panels of their
// own, block by block of the panels of the first order, and in a block panel by
// panel, order by order.
type intStack struct {
	w      *IntWeights // the panels
	per    int         // panels of the first order of a block
	blocks []stackBlock
	terms  [][]stackTerm // by panel of the first order
	rows   []stackRow    // what column j of panel q is, at q·nr + j
	width  int           // columns of the widest block
}

// stackBlock is a range of stacked panels.
type stackBlock struct{ first, last int }

// stackTerm is the columns of an order that a panel of the first order adds up:
// those of mask, from column at of the block on.
type stackTerm struct {
	mask uint32
	at   int
}

// stackRow is a channel of an order; a column without any has channel -1.
type stackRow struct{ order, channel int }

// blockColumns is how many columns of the first order make a block. A task takes
// whole blocks, so that it computes no stacked column which it does not add.
const blockColumns = 128

// PackIntStack is PackIntConv for weights that are sums of terms. The first one is
// w, and every term has multipliers of its own in the epilogue.
func PackIntStack(s ConvShape, w []int8, orders []IntOrder, zero uint8) (*IntWeights, error) {
	p, err := PackIntConv(s, w, zero)
	if err != nil || len(orders) == 0 {
		return p, err
	}
	if err := s.checkOrders(orders); err != nil {
		return nil, err
	}
	tiles := intTiles
	if s.depthwise() {
		tiles = intDepthTiles
	}
	p.stack = pickIntTile(tiles).stack(s, p, orders)
	return p, nil
}

// checkOrders reports orders that do not belong to the convolution.
func (s *ConvShape) checkOrders(orders []IntOrder) error {
	if err := s.check(); err != nil {
		return err
	}
	for k, o := range orders {
		n := s.O
		if o.Rows != nil {
			n = len(o.Rows)
		}
		for i, row := range o.Rows {
			if row < 0 || row >= s.O || i > 0 && row <= o.Rows[i-1] {
				return fmt.Errorf("order %d of integer weights: rows do not ascend within 0..%d", k+2, s.O-1)
			}
		}
		if want := n * s.C / s.Groups * s.KH * s.KW; n == 0 || len(o.W) != want {
			return fmt.Errorf("order %d of integer weights: %d elements for %d channels", k+2, len(o.W), n)
		}
		if _, err := bounds(n, o.W); err != nil {
			return err
		}
	}
	return nil
}

// stack packs orders that are known to fit. It has the tile width of p.
func (t *intTile) stack(s ConvShape, p *IntWeights, orders []IntOrder) *intStack {
	b := stackBuilder{s: s, orders: orders, og: s.O / s.Groups, nr: t.nr(),
		intStack: &intStack{w: t.empty(s, p.zero), per: blockColumns / t.nr()}}
	if t.form == formChannels {
		b.og, b.per = s.O, 1
	}
	for g := 0; g < s.O; g += b.og {
		for from := 0; from < b.og; from += b.per * b.nr {
			b.block(g, from, min(from+b.per*b.nr, b.og))
		}
	}
	b.w.arrange()
	return b.intStack
}

// stackBuilder packs block by block.
type stackBuilder struct {
	*intStack
	s      ConvShape
	orders []IntOrder
	og, nr int
}

// block packs the rows that belong to columns from ≤ j < to of the group whose
// first channel is g.
func (b *stackBuilder) block(g, from, to int) {
	first := len(b.w.panels)
	var run []stackRow
	at := 0
	for j := from; j < to; j += b.nr {
		var terms []stackTerm
		for k := range b.orders {
			rows, mask := b.kept(k, g+j, min(b.nr, to-j))
			if mask == 0 {
				continue
			}
			terms = append(terms, stackTerm{mask, at + len(run)})
			if run = append(run, rows...); b.w.tile.form == formChannels {
				at += b.pack(run)
				run = nil
			}
		}
		b.terms = append(b.terms, terms)
	}
	at += b.pack(run)
	b.width = max(b.width, at)
	b.blocks = append(b.blocks, stackBlock{first, len(b.w.panels)})
}

// kept lists which of n channels from c on have order k. Columns of depthwise
// tiles are their channels, so these list all channels where one has the order.
func (b *stackBuilder) kept(k, c, n int) (rows []stackRow, mask uint32) {
	for i := range n {
		switch {
		case b.orders[k].find(c+i) >= 0:
			mask |= 1 << i
			rows = append(rows, stackRow{k, c + i})
		case b.w.tile.form == formChannels:
			rows = append(rows, stackRow{k, -1})
		}
	}
	if mask != 0 && b.w.tile.form == formChannels {
		mask = 1<<n - 1
	}
	return rows, mask
}

// pack packs the columns of a run into panels and returns how many columns these
// have room for.
func (b *stackBuilder) pack(run []stackRow) int {
	cg, taps := b.s.C/b.s.Groups, b.s.KH*b.s.KW
	for j, r := range run {
		w := make([]int8, cg*taps)
		if r.channel >= 0 {
			o := b.orders[r.order]
			w = hwc(o.W[o.find(r.channel)*cg*taps:][:cg*taps], cg, taps)
		}
		b.w.column(j, len(run), w)
		b.rows = append(b.rows, r)
	}
	for len(b.rows)%b.nr != 0 {
		b.rows = append(b.rows, stackRow{channel: -1})
	}
	return (len(run) + b.nr - 1) / b.nr * b.nr
}

// find is the place of channel c among the order's rows, -1 for none.
func (o *IntOrder) find(c int) int {
	if o.Rows == nil {
		return c
	}
	if i, ok := slices.BinarySearch(o.Rows, c); ok {
		return i
	}
	return -1
}

// StackMul arranges multipliers, by order behind the first and output channel, as
// IntEpilogue.Stack takes them. Those of channels without the order do not count.
func (w *IntWeights) StackMul(mul [][]float32) []float32 {
	if w.stack == nil {
		return nil
	}
	out := make([]float32, len(w.stack.rows))
	for i, r := range w.stack.rows {
		if r.channel >= 0 {
			out[i] = mul[r.order][r.channel]
		}
	}
	return out
}
