package kernel

import "fmt"

// maxLoops and sumLoops reduce windows; sums are multiplied by scale.
var (
	maxLoops = append(archMaxPool, impl[windowLoop]{"f32_max_go", 0, maxPoolGo})
	sumLoops = append(archSumPool, impl[windowLoop]{"f32_sum_go", 0, sumPoolGo})
)

// PoolShape is a two-dimensional pooling over NHWC activations. Strides and
// dilations of 0 mean 1; SrcStride and DstStride are as in ConvShape.
type PoolShape struct {
	N, H, W, C             int
	KH, KW                 int
	StrideH, StrideW       int
	PadT, PadL, PadB, PadR int
	DilH, DilW             int
	// Ceil rounds the output size up, with the rule of ONNX and PyTorch that
	// no window starts in the padding behind the source.
	Ceil bool
	// IncludePad divides averages by the window's size, padding included,
	// instead of by the number of elements inside the source.
	IncludePad bool

	SrcStride, DstStride int
}

// OH is the height of the output.
func (s PoolShape) OH() int {
	return s.out(s.H, s.KH, s.StrideH, s.DilH, s.PadT, s.PadB)
}

// OW is the width of the output.
func (s PoolShape) OW() int {
	return s.out(s.W, s.KW, s.StrideW, s.DilW, s.PadL, s.PadR)
}

func (s PoolShape) out(in, k, stride, dil, p0, p1 int) int {
	n := outSize(in, k, stride, dil, p0+p1)
	if stride = max(1, stride); s.Ceil && in > 0 {
		room := in + p0 + p1 - ((k-1)*max(1, dil) + 1)
		n = max(0, (room+stride-1)/stride+1)
		if (n-1)*stride >= in+p0 {
			n--
		}
	}
	return n
}

func (s PoolShape) plan() (window, error) {
	c := ConvShape{N: s.N, H: s.H, W: s.W, C: s.C, KH: s.KH, KW: s.KW, StrideH: s.StrideH, StrideW: s.StrideW,
		PadT: s.PadT, PadL: s.PadL, PadB: s.PadB, PadR: s.PadR, DilH: s.DilH, DilW: s.DilW,
		O: s.C, SrcStride: s.SrcStride, DstStride: s.DstStride}
	if err := c.check(); err != nil {
		return window{}, fmt.Errorf("pooling: %w", err)
	}
	return newWindow(c, s.OH(), s.OW()), nil
}

// MaxPool is a planned max pooling. Padding never wins, and a NaN in a window
// is passed over.
type MaxPool struct{ w window }

// NewMaxPool plans a max pooling.
func NewMaxPool(s PoolShape) (*MaxPool, error) {
	w, err := s.plan()
	return &MaxPool{w}, err
}

// Tasks is the number of independent tasks; they write disjoint outputs.
func (p *MaxPool) Tasks() int { return p.w.tasks }

// Run computes one task. A window wholly in the padding gives -Inf.
func (p *MaxPool) Run(task int, dst, src []float32) { p.run(task, dst, src, pick(maxLoops)) }

func (p *MaxPool) run(task int, dst, src []float32, loop windowLoop) {
	a := winPool.Get().(*winArgs)
	p.w.run(task, call{winArgs: a, dst: dst, src: src, loop: loop})
	a.release()
}

// AvgPool is a planned average pooling; a window as large as the source makes
// it global. Sums are float32 in the order of the window.
type AvgPool struct {
	w     window
	shape PoolShape
	each  func(a *winArgs, y, x span)
}

// NewAvgPool plans an average pooling.
func NewAvgPool(s PoolShape) (*AvgPool, error) {
	w, err := s.plan()
	p := &AvgPool{w: w, shape: s}
	p.each = p.scale
	return p, err
}

// Tasks is the number of independent tasks; they write disjoint outputs.
func (p *AvgPool) Tasks() int { return p.w.tasks }

// Run computes one task. A window wholly in the padding gives 0.
func (p *AvgPool) Run(task int, dst, src []float32) { p.run(task, dst, src, pick(sumLoops)) }

func (p *AvgPool) run(task int, dst, src []float32, loop windowLoop) {
	a := winPool.Get().(*winArgs)
	p.w.run(task, call{winArgs: a, dst: dst, src: src, loop: loop, each: p.each})
	a.release()
}

func (p *AvgPool) scale(a *winArgs, y, x span) {
	count := len(a.taps)
	if p.shape.IncludePad {
		// Ceil may push a window over the end of the padding; what lies beyond
		// does not count.
		count = y.padded * x.padded
	}
	a.scale = 1 / float32(max(1, count))
}

func maxPoolGo(a *winArgs) {
	for i := range a.px {
		for j := range a.c {
			best := -inf
			for _, t := range a.taps {
				if v := a.src[i*a.srcStep+int(t.src)+j]; v > best {
					best = v
				}
			}
			a.dst[i*a.dstStep+j] = best
		}
	}
}

func sumPoolGo(a *winArgs) {
	for i := range a.px {
		for j := range a.c {
			var sum float32
			for _, t := range a.taps {
				sum += a.src[i*a.srcStep+int(t.src)+j]
			}
			a.dst[i*a.dstStep+j] = sum * a.scale
		}
	}
}
