package kernel

import (
	"fmt"
	"sync"
)

// Split is a planned convolution by SplitFilters. Each distinct product is computed
// once: a task brings what its pixels read into planes, one for every channel, then
// block by block of kernels filters strips of pixels and adds the results to the
// outputs that have them.
//
// The outputs of an image are numbered in lines of a plane, so that the taps of all
// lie at fixed distances; those behind the end of a line are computed in vain. A value
// that is not finite reaches no outputs but those that have a term for its channel.
type Split struct {
	s            ConvShape
	row          *splitRow
	planes       []plane
	taps         []splitTap
	down, right  int // lines and columns of a plane beyond the outputs'
	oh, ow       int
	pitch        int // of a line
	strips       int // of an image
	bands, parts int // tasks per image, and per band
	perBand      int // strips
	outputs      int // of one task
}

// plane is the pixels of the padded source that lie at one place of the stride's grid.
type plane struct{ y, x int }

// splitTap is where a tap reads: in which plane, and how many lines and columns from
// the output's own.
type splitTap struct{ plane, y, x int }

func (s *ConvShape) checkSplit() error {
	if err := s.check(); err != nil {
		return err
	}
	if s.Groups != 1 {
		return fmt.Errorf("split convolution %+v: terms, not groups, say who reads what", *s)
	}
	return nil
}

// NewSplit plans a convolution of one group.
func NewSplit(s ConvShape) (*Split, error) {
	if err := s.checkSplit(); err != nil {
		return nil, err
	}
	c := &Split{s: s, row: pickSplit(), oh: s.OH(), ow: s.OW()}
	for ky := range s.KH {
		for kx := range s.KW {
			c.tap(ky*s.DilH, kx*s.DilW)
		}
	}
	c.pitch = c.ow + c.right
	if c.oh*c.ow > 0 {
		c.strips = ((c.oh-1)*c.pitch + c.ow + splitStrip - 1) / splitStrip
	}
	if s.N*c.strips > 0 {
		c.split()
	}
	return c, nil
}

// tap adds the tap that lies y lines and x columns behind the first.
func (c *Split) tap(y, x int) {
	s := &c.s
	p := plane{y % s.StrideH, x % s.StrideW}
	at := 0
	for at < len(c.planes) && c.planes[at] != p {
		at++
	}
	if at == len(c.planes) {
		c.planes = append(c.planes, p)
	}
	t := splitTap{at, y / s.StrideH, x / s.StrideW}
	c.taps = append(c.taps, t)
	c.down, c.right = max(c.down, t.y), max(c.right, t.x)
}

// leastStrips is how few strips may share what is brought into planes.
const leastStrips = 4

// enough is from how many tasks on outputs share all products of a strip.
func (c *Split) enough() int { return min(4, max(2, taskCount(c.s.Flops()/4))) }

// split chooses the tasks.
func (c *Split) split() {
	s := &c.s
	bands := max(1, min(taskCount(s.Flops())/s.N, c.strips/leastStrips), min(c.strips, c.enough()/s.N))
	for c.evenly(bands); c.perBand > 1 && (c.perBand*splitStrip*s.O > aFloats || c.planeFloats() > aFloats); c.evenly(bands) {
		bands++
	}
	for c.parts, c.outputs = 1, s.O; c.Tasks() < c.enough() && c.outputs > 1; {
		c.parts = min(2*c.parts, s.O)
		c.outputs = (s.O + c.parts - 1) / c.parts
		c.parts = (s.O + c.outputs - 1) / c.outputs
	}
}

// evenly cuts an image into about so many bands.
func (c *Split) evenly(bands int) {
	c.perBand = (c.strips + bands - 1) / bands
	c.bands = (c.strips + c.perBand - 1) / c.perBand
}

// linesOf is the most lines of a plane that so many strips read.
func (c *Split) linesOf(strips int) int {
	return min(c.oh, (strips*splitStrip+c.pitch-2)/c.pitch+1) + c.down
}

// planeFloats is how many elements the planes of a task have.
func (c *Split) planeFloats() int {
	return c.linesOf(c.perBand) * c.pitch * len(c.planes) * c.s.C
}

// Tasks is the number of independent tasks; they write disjoint outputs.
func (c *Split) Tasks() int { return c.s.N * c.bands * c.parts }

// ScratchFloats is how much scratch one running task needs.
func (c *Split) ScratchFloats() int {
	if c.Tasks() == 0 {
		return 0
	}
	return 2*max(c.planeFloats(), c.outputs*splitStrip) + splitStrip + lineFloats +
		max(splitStrip*splitKernels, c.outputs) + splitStrip*c.perBand*c.outputs + len(c.taps)
}

var splitPool = sync.Pool{New: func() any { return new(splitArgs) }}

// Run computes one task: dst = act(clamp(conv(src) + bias + residual)).
func (c *Split) Run(task int, dst, src []float32, w *SplitWeights, ep *Epilogue, scratch []float32) {
	if w.kh != c.s.KH || w.kw != c.s.KW || w.c != c.s.C || w.o != c.s.O || w.row != c.row {
		panic(fmt.Sprintf("kernel: weights do not belong to the convolution %+v", c.s))
	}
	part, band := task%c.parts, task/c.parts
	image, first := band/c.bands, band%c.bands*c.perBand
	t := splitTask{Split: c, image: image, first: first, last: min(first+c.perBand, c.strips),
		from: part * c.outputs, to: min((part+1)*c.outputs, c.s.O)}
	t.share(scratch)
	t.fill(src)
	a := splitPool.Get().(*splitArgs)
	a.taps, a.pitch = t.places, t.pixels
	for i := range w.blocks {
		t.block(a, &w.blocks[i], i == 0)
	}
	*a = splitArgs{}
	splitPool.Put(a)
	t.store(dst, ep)
}

// splitTask is a task under way: strips first ≤ i < last of an image, outputs
// from ≤ o < to.
type splitTask struct {
	*Split
	image, first, last, from, to int

	places     []int32   // of the taps
	pixels     int       // of all planes
	z, y       []float32 // products of a block, sums
	loose, set []float32 // planes by pixel, and by channel
}

// share divides the scratch memory.
func (t *splitTask) share(scratch []float32) {
	cut := func(n int) (s []float32) {
		s, scratch = scratch[:n:n], scratch[n:]
		return s
	}
	t.places = int32s(cut(len(t.taps)), len(t.taps))
	scratch = lined(scratch)
	t.z = cut(max(splitStrip*splitKernels, t.outputs))
	t.y = cut(splitStrip * t.outputs * t.perBand)
	floats := max(t.planeFloats(), t.outputs*splitStrip)
	t.loose, t.set = cut(floats), cut(floats+splitStrip)
}

// fill brings the source into planes.
func (t *splitTask) fill(src []float32) {
	s := &t.s
	y0 := t.first * splitStrip / t.pitch
	lines := min((t.last*splitStrip-1)/t.pitch, t.oh-1) + 1 - y0 + t.down
	size := lines * t.pitch
	for i, p := range t.planes {
		for y := range lines {
			t.line(t.loose[(i*size+y*t.pitch)*s.C:][:t.pitch*s.C], src, (y0+y)*s.StrideH+p.y-s.PadT, p.x-s.PadL)
		}
	}
	t.pixels = len(t.planes) * size
	Transpose(t.set, t.loose[:t.pixels*s.C], t.pixels, s.C)
	for i, tap := range t.taps {
		t.places[i] = int32(tap.plane*size + tap.y*t.pitch + tap.x)
	}
}

// line copies the pixels of line y of the source that lie a stride apart, from
// column x on, zeros where there are none.
func (t *splitTask) line(dst, src []float32, y, x int) {
	s := &t.s
	n := len(dst) / s.C
	from := min(n, max(0, (-x+s.StrideW-1)/s.StrideW))
	to := max(from, min(n, (s.W-x+s.StrideW-1)/s.StrideW))
	if y < 0 || y >= s.H {
		from, to = 0, 0
	}
	clear(dst[:from*s.C])
	if from < to {
		copyPixels(dst[from*s.C:], src[((t.image*s.H+y)*s.W+x+from*s.StrideW)*s.SrcStride:], to-from, s.C, s.C, s.StrideW*s.SrcStride)
	}
	clear(dst[to*s.C:])
}

// block adds what one block of kernels contributes.
func (t *splitTask) block(a *splitArgs, b *splitBlock, first bool) {
	a.chunks, a.starts = b.chunks, b.starts[t.from:t.to+1]
	a.terms, a.first = b.terms[a.starts[0]:], first
	if !first && a.starts[0] == a.starts[t.to-t.from] {
		return
	}
	skip := t.first * splitStrip % t.pitch
	for i := t.first; i < t.last; i++ {
		y := t.y[(i-t.first)*t.outputs*splitStrip:][:t.outputs*splitStrip]
		for at, end := 0, t.width(i); at < end; at += a.width {
			a.width = splitWidth(end - at)
			a.src, a.weights, a.z, a.y = t.set[skip+(i-t.first)*splitStrip+at:], b.weights, t.z, y[at:]
			t.row.products(a)
			t.row.sums(a)
		}
	}
}

// width is how many outputs strip i has.
func (t *splitTask) width(i int) int {
	return min(splitStrip, (t.oh-1)*t.pitch+t.ow-i*splitStrip)
}

// splitWidth is the width of the loops for what is left of a strip.
func splitWidth(left int) int {
	switch {
	case left > 32:
		return 64
	case left > 16:
		return 32
	}
	return 16
}
