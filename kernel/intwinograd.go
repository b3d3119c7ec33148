package kernel

import (
	"errors"
	"fmt"
)

// IntWinograd is a planned convolution of u8 codes by 3x3 filters of s8 weights in
// Winograd's form. Transforms have integer factors, transformed codes and weights
// are words, and their products add up modulo 2³², which is a ring: the sums that
// come out are those of the direct form, bit for bit, as long as they fit in the
// bits that the factors leave (PackIntWinograd sees to that).
//
// A task transforms a number of rows of tiles, multiplies them by a range of
// panels tap by tap, transforms the sums back and finishes them.
type IntWinograd struct {
	s          ConvShape
	w          *IntWinogradWeights
	m, edge    int // of the output and of the input tile
	oh, ow     int
	down       int // rows of tiles of an image
	across     int // tiles of a row
	rows       int // rows of tiles of a task, at most
	bands      int
	piece      int // tiles of a row at a time
	panelTasks int
	perTask    int // panels
	pitch      int // channels of a transformed tile, whole lines
	bandWidth  int // pixels of a row that tiles read
	pixel      int // bytes of a pixel of that
	tapIn      int // words from one tap to the next
	tapOut     int
	segs       []seg
}

var errIntWinograd = errors.New("not of Winograd's form on integers: needs 3x3 filters with stride and dilation 1, one group")

// checkIntWinograd fills in defaults and reports what the form cannot do.
func (s *ConvShape) checkIntWinograd(m int) error {
	if err := s.check(); err != nil {
		return err
	}
	if m != 2 && m != 4 {
		return fmt.Errorf("convolution: tiles of %dx%d outputs, want 2 or 4", m, m)
	}
	if s.KH != 3 || s.KW != 3 || s.StrideH*s.StrideW*s.DilH*s.DilW*s.Groups != 1 {
		return fmt.Errorf("convolution %+v: %w", *s, errIntWinograd)
	}
	return nil
}

// NewIntWinograd plans a convolution with packed weights.
func NewIntWinograd(s ConvShape, f *IntWinogradWeights) (*IntWinograd, error) {
	if err := s.checkIntWinograd(f.m); err != nil {
		return nil, err
	}
	if f.c != s.C || f.o != s.O {
		return nil, fmt.Errorf("integer weights do not belong to the convolution %+v", s)
	}
	w := &IntWinograd{s: s, w: f, m: f.m, edge: f.m + 2, oh: s.OH(), ow: s.OW()}
	w.down, w.across = (w.oh+w.m-1)/w.m, (w.ow+w.m-1)/w.m
	w.pitch = (s.C + 31) / 32 * 32
	w.segs = []seg{{0, f.depth / 2}}
	w.split()
	w.bandWidth, w.pixel = w.piece*w.m+2, apart(f.depth, 1)
	tiles := w.rows * w.piece
	w.tapIn, w.tapOut = 2*oddLines((tiles*w.pitch+1)/2), oddLines(tiles*f.tile.nr())
	return w, nil
}

// split chooses the tasks.
func (w *IntWinograd) split() {
	all, panels := w.s.N*w.down, len(w.w.panels)
	if all*w.across*panels == 0 {
		return
	}
	want := taskCount(w.s.Flops() / 4)
	most := min(mostTiles, max(leastTiles, 2*aFloats/(w.taps()*w.pitch)))
	w.piece = min(w.across, most)
	w.rows = min(all, max(1, most/w.across))
	w.bands = max((all+w.rows-1)/w.rows, min(want, all*w.across/24, all))
	// Every task transforms its tiles; enough channels must share them.
	w.panelTasks = min(max(1, w.s.O/128), (want+w.bands-1)/w.bands, panels)
	// Even numbers of tasks suit most numbers of threads.
	if w.bands*w.panelTasks > 1 && w.bands < all {
		w.bands += w.bands % 2
	}
	w.rows = (all + w.bands - 1) / w.bands
	w.perTask = (panels + w.panelTasks - 1) / w.panelTasks
	w.panelTasks = (panels + w.perTask - 1) / w.perTask
}

func (w *IntWinograd) taps() int { return w.edge * w.edge }

// Shape is the planned shape with defaults filled in.
func (w *IntWinograd) Shape() ConvShape { return w.s }

// Tile is the edge of the output tiles.
func (w *IntWinograd) Tile() int { return w.m }

// Tasks is the number of independent tasks; they write disjoint outputs.
func (w *IntWinograd) Tasks() int { return w.bands * w.panelTasks }

// band is the range of rows of tiles, over all images, of a task.
func (w *IntWinograd) band(task int) (first, last int) {
	i, all := task/w.panelTasks, w.s.N*w.down
	return all * i / w.bands, all * (i + 1) / w.bands
}

// Region is the part of the result that a task computes: pixels and channels,
// from the first up to but without the last.
func (w *IntWinograd) Region(task int) (r0, r1, c0, c1 int) {
	first, last := w.band(task)
	nr := w.w.tile.nr()
	c0 = task % w.panelTasks * w.perTask * nr
	return w.outRow(first) * w.ow, w.outRow(last) * w.ow, c0, min(c0+w.perTask*nr, w.s.O)
}

// outRow is the row of the result, over all images, with which a row of tiles
// begins.
func (w *IntWinograd) outRow(i int) int { return i/w.down*w.oh + i%w.down*w.m }

// ScratchBytes is how much scratch, aligned to 4 bytes, one running task needs.
func (w *IntWinograd) ScratchBytes() int {
	tiles := w.rows * w.piece
	return 2*w.taps()*w.tapIn + 4*w.taps()*w.tapOut + 4*w.lineInts() + w.bandBytes() + 4*(tiles+w.m*w.m*w.piece) + 4*lineFloats
}

// lineInts is how many sums a row of tiles has for one panel.
func (w *IntWinograd) lineInts() int { return w.m * w.m * w.piece * w.w.tile.nr() }

// bandBytes is room for the source of a row of tiles.
func (w *IntWinograd) bandBytes() int { return (w.edge*w.bandWidth*w.pixel+63)/64*64 + 64 }

// Run computes one task and stores codes.
func (w *IntWinograd) Run(task int, dst, src []uint8, ep *IntEpilogue, scratch []uint8) {
	w.run(task, dst, storeCodes, src, ep, scratch)
}

// RunFloat is Run that stores y of the epilogue.
func (w *IntWinograd) RunFloat(task int, dst []float32, src []uint8, ep *IntEpilogue, scratch []uint8) {
	w.run(task, rawBytes(dst), storeFloat, src, ep, scratch)
}

// RunSums is Run that stores the sums themselves.
func (w *IntWinograd) RunSums(task int, dst []int32, src, scratch []uint8) {
	w.run(task, rawBytes(dst), storeSums, src, &IntEpilogue{}, scratch)
}

func (w *IntWinograd) run(task int, dst []uint8, store intStore, src []uint8, ep *IntEpilogue, scratch []uint8) {
	ep.check(store, w.s.O)
	ep.checkStack(store, nil)
	r := w.newRun(dst, store, src, ep, scratch)
	first, last := w.band(task)
	from := task % w.panelTasks * w.perTask
	for x := 0; x < w.across; x += w.piece {
		to := min(x+w.piece, w.across)
		r.load(first, last, x, to)
		for i := from; i < min(from+w.perTask, len(w.w.panels)); i++ {
			panel := &w.w.panels[i]
			r.multiply(panel, (last-first)*(to-x))
			for y := first; y < last; y++ {
				r.finish(panel, i*w.w.tile.nr(), y, (y-first)*(to-x), x, to)
			}
		}
	}
	r.free()
}
