package kernel

// access is how tiles reach the source.
type access int

const (
	// direct reads the source itself.
	direct access = iota
	// banded reads a copy of the rows of a band with zeros around them.
	banded
	// gathered reads a dense copy of the pixels of a 1x1 convolution.
	gathered
)

// aliases reports whether rows that far apart fall into so few sets of the
// first cache that those of one tile evict each other. Elements have size bytes.
func aliases(stride, size int) bool { return stride*size%1024 == 0 }

// apart is a row length or a little more, so that rows do not alias.
func apart(n, size int) int {
	if aliases(n, size) {
		return n + 64/size
	}
	return n
}

// bandPlan is how a convolution is cut into tasks, each a band of output rows
// for a range of panels, and how a task reaches its source.
type bandPlan struct {
	s             ConvShape
	size          int // bytes of a source element
	nr            int // columns of a panel
	oh, ow        int
	access        access
	hp, wp, pixel int // extents and pixel stride of what tiles read
	bandRows      int // most output rows of one task
	bands         int
	panels        int // panels of one group
	panelsPerTask int
	panelTasks    int
	bandPixels    int
	result        int // bytes per output pixel that a task passes over again, 0 for none
}

func newBandPlan(s ConvShape, size, nr int) bandPlan {
	return bandPlan{s: s, size: size, nr: nr, oh: s.OH(), ow: s.OW(),
		hp: s.H + s.PadT + s.PadB, wp: s.W + s.PadL + s.PadR, pixel: s.SrcStride,
		panels: (s.O/s.Groups + nr - 1) / nr}
}

// split chooses the tasks: about as many as wanted, none of which touches more
// elements of the source than limit unless one row does.
func (c *bandPlan) split(limit, want int) {
	rows := c.s.N * c.oh
	c.bandRows = rows
	for c.bandRows > 1 && (c.bandElements() > limit || c.bandRows*c.ow*c.result > intBytes ||
		(rows+c.bandRows-1)/c.bandRows < want && c.mayHalve()) {
		c.bandRows = (c.bandRows + 1) / 2
	}
	c.bands = (rows + c.bandRows - 1) / c.bandRows
	all := c.panels * c.s.Groups
	c.panelTasks = min(all, max(1, (want+c.bands-1)/c.bands))
	if c.access != direct {
		// Every task copies its band; enough channels must share the copy.
		c.panelTasks = min(c.panelTasks, max(1, all*c.nr/128))
	}
	c.panelsPerTask = (all + c.panelTasks - 1) / c.panelTasks
	c.panelTasks = (all + c.panelsPerTask - 1) / c.panelsPerTask
	if c.Tasks()%2 == 1 && want > 1 && rows >= 2*(c.bands+1) {
		c.bands++ // two threads have the same to do
	}
	c.bandRows = (rows + c.bands - 1) / c.bands
	c.bandPixels = c.bandRows * c.ow
}

// splitRows is split for a product of one row per pixel: rows share panels as far
// as they stay in the second cache, so tasks differ in panels first. Where results
// are passed over again, tasks are wide enough for that, and small enough.
func (c *bandPlan) splitRows(limit, want int) {
	m := c.s.N * c.oh
	c.bandRows = min(m, max(gemmRows, limit/max(1, c.pixel)))
	c.bands = (m + c.bandRows - 1) / c.bandRows
	wide := 1
	if c.result > 0 {
		wide = (tailColumns + c.nr - 1) / c.nr
	}
	c.panelTasks = max(1, min(c.panels/wide, (want+c.bands-1)/c.bands))
	if 2*c.bands*c.panelTasks <= want {
		c.bands = max(c.bands, min((want+c.panelTasks-1)/c.panelTasks, m/48))
	}
	c.bandRows = (m + c.bands - 1) / c.bands
	c.bands = (m + c.bandRows - 1) / c.bandRows
	c.panelsPerTask = (c.panels + c.panelTasks - 1) / c.panelTasks
	c.panelTasks = (c.panels + c.panelsPerTask - 1) / c.panelsPerTask
	c.bandPixels = c.bandRows
}

// tailColumns is how many columns of a row are worth a pass of their own.
const tailColumns = 128

// rows reports whether the shape is a product of as many rows as there are pixels.
func (c *bandPlan) rows() bool {
	return c.s.KH*c.s.KW == 1 && c.s.W == 1 && c.s.StrideH == 1 && c.s.Groups == 1 && c.s.H > 1
}

// band is the output rows of a task, over all images. Bands differ by a row at most.
func (c *bandPlan) band(task int) (from, to int) {
	b, rows := task/c.panelTasks, c.s.N*c.oh
	return b * rows / c.bands, (b + 1) * rows / c.bands
}

// bandElements is how many elements the tiles of one band read.
func (c *bandPlan) bandElements() int {
	if c.s.KH*c.s.KW == 1 && c.access != banded {
		return c.bandRows * c.ow * c.pixel
	}
	return c.sourceRows(c.bandRows) * c.wp * c.pixel
}

// mayHalve reports whether bands of half the height still hold enough pixels
// for full tiles and rows enough to outweigh the rows read twice.
func (c *bandPlan) mayHalve() bool {
	half := (c.bandRows + 1) / 2
	return half*c.ow >= 48 && (c.access != banded || half >= 4)
}

// sourceRows bounds how many padded source rows a band of output rows reads,
// over the borders between images.
func (c *bandPlan) sourceRows(band int) int {
	images := (band-2)/c.oh + 1
	if band < 2 {
		images = 0
	}
	reach := (c.s.KH-1)*c.s.DilH + 1
	return min((band-1)*c.s.StrideH+reach+images*max(0, c.hp-(c.oh-1)*c.s.StrideH), c.s.N*c.hp)
}

// Shape is the planned shape with defaults filled in.
func (c *bandPlan) Shape() ConvShape { return c.s }

// Tasks is the number of independent tasks; they write disjoint outputs.
func (c *bandPlan) Tasks() int { return c.bands * c.panelTasks }

// reach fills in where the source of every pixel of output rows r0 ≤ r < r1
// starts in the slice it returns, which is the source itself or scratch. Pixels
// outside the source hold pad.
func reach[T float32 | uint8](c *bandPlan, rows []int32, src, scratch []T, r0, r1 int, pad T) []T {
	s := &c.s
	if c.access == gathered {
		for r := r0; r < r1; r++ {
			from := src[(r/c.oh*s.H+r%c.oh*s.StrideH)*s.W*s.SrcStride:]
			copyPixels(scratch[(r-r0)*c.ow*c.pixel:], from, c.ow, s.C, c.pixel, s.StrideW*s.SrcStride)
		}
		for i := range rows {
			rows[i] = int32(i * c.pixel)
		}
		return scratch
	}
	top := c.sourceRow(r0)
	step := int32(s.StrideW * c.pixel)
	for r := r0; r < r1; r++ {
		at := int32((c.sourceRow(r) - top) * c.wp * c.pixel)
		line := rows[(r-r0)*c.ow : (r-r0+1)*c.ow]
		for x := range line {
			line[x] = at
			at += step
		}
	}
	if c.access == direct {
		return src[top*c.wp*c.pixel:]
	}
	bottom := c.sourceRow(r1-1) + (s.KH-1)*s.DilH + 1
	copyBand(c, scratch, src, top, bottom, pad)
	return scratch
}

// sourceRow is the padded source row, over all images, that output row r
// starts at.
func (c *bandPlan) sourceRow(r int) int { return r/c.oh*c.hp + r%c.oh*c.s.StrideH }

// copyBand copies padded rows top ≤ y < bottom of all images.
func copyBand[T float32 | uint8](c *bandPlan, dst, src []T, top, bottom int, pad T) {
	s := &c.s
	line := c.wp * c.pixel
	for y := top; y < bottom; y++ {
		d := dst[(y-top)*line : (y-top+1)*line]
		n, sy := y/c.hp, y%c.hp-s.PadT
		if sy < 0 || sy >= s.H {
			fill(d, pad)
			continue
		}
		fill(d[:s.PadL*c.pixel], pad)
		fill(d[line-s.PadR*c.pixel:], pad)
		copyPixels(d[s.PadL*c.pixel:], src[(n*s.H+sy)*s.W*s.SrcStride:], s.W, s.C, c.pixel, s.SrcStride)
	}
}
