package grad

import "pare/kernel"

// windows are those of a pooling, for its way backward: all windows of one image and a
// block of channels are one task.
type windows struct {
	s      kernel.PoolShape
	oh, ow int
	width  int // channels of a block
}

// blockChannels is how many channels a task takes.
const blockChannels = 64

func newWindows(s kernel.PoolShape) *windows {
	for _, d := range []*int{&s.StrideH, &s.StrideW, &s.DilH, &s.DilW} {
		*d = max(1, *d)
	}
	return &windows{s: s, oh: s.OH(), ow: s.OW(), width: min(s.C, blockChannels)}
}

// work clears the gradient of the source and calls f for every window: out is its
// place in the result, in those of its elements in the source; left has room for
// the channels of the block.
func (w *windows) work(dst func() []float32, f func(dx []float32, out int, in []int, left []float32)) work {
	s := &w.s
	blocks := (s.C + w.width - 1) / w.width
	return work{tasks: s.N * blocks, scratch: w.width, run: func(t int, scratch []float32) {
		n, c0 := t/blocks, t%blocks*w.width
		left := scratch[:min(w.width, s.C-c0)]
		dx := dst()
		for p := range s.H * s.W {
			clear(dx[(n*s.H*s.W+p)*s.C+c0:][:len(left)])
		}
		var room [64]int
		for p := range w.oh * w.ow {
			in := w.inside(room[:0], n, p)
			for i := range in {
				in[i] += c0
			}
			f(dx, (n*w.oh*w.ow+p)*s.C+c0, in, left)
		}
	}}
}

// inside lists the pixels of window p of image n that are in the source.
func (w *windows) inside(list []int, n, p int) []int {
	s := &w.s
	for kh := range s.KH {
		h := p/w.ow*s.StrideH + kh*s.DilH - s.PadT
		if h < 0 || h >= s.H {
			continue
		}
		for kw := range s.KW {
			if v := p%w.ow*s.StrideW + kw*s.DilW - s.PadL; v >= 0 && v < s.W {
				list = append(list, ((n*s.H+h)*s.W+v)*s.C)
			}
		}
	}
	return list
}

// counted is the number of elements of window p, padding included, but not what a
// size rounded up adds behind it.
func (w *windows) counted(p int) int {
	s := &w.s
	rows, cols := 0, 0
	for kh := range s.KH {
		if p/w.ow*s.StrideH+kh*s.DilH < s.H+s.PadT+s.PadB {
			rows++
		}
	}
	for kw := range s.KW {
		if p%w.ow*s.StrideW+kw*s.DilW < s.W+s.PadL+s.PadR {
			cols++
		}
	}
	return rows * cols
}
