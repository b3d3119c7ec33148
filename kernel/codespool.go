package kernel

import "fmt"

// CodesPool is a planned max pooling of dense u8 codes. Padding never wins.
type CodesPool struct {
	s      PoolShape
	oh, ow int
}

// NewCodesPool plans a max pooling.
func NewCodesPool(s PoolShape) (*CodesPool, error) {
	w, err := s.plan()
	if err != nil {
		return nil, err
	}
	s.StrideH, s.StrideW, s.DilH, s.DilW = w.s.StrideH, w.s.StrideW, w.s.DilH, w.s.DilW
	if w.s.SrcStride != s.C || w.s.DstStride != s.C {
		return nil, fmt.Errorf("pooling of codes: pixels are %d and %d apart, not %d", w.s.SrcStride, w.s.DstStride, s.C)
	}
	return &CodesPool{s, w.oh, w.ow}, nil
}

// Tasks is the number of independent tasks, one for each row of the output.
func (p *CodesPool) Tasks() int { return p.s.N * p.oh }

// ScratchBytes is how much scratch one running task needs.
func (p *CodesPool) ScratchBytes() int { return p.s.W * p.s.C }

// Run computes one task. A window wholly in the padding gives 0.
func (p *CodesPool) Run(task int, dst, src, scratch []uint8) {
	s, n, oy := &p.s, task/p.oh, task%p.oh
	loop := pick(maxCodesLoops)
	line := scratch[:s.W*s.C]
	clear(line)
	for k := range s.KH {
		if y := oy*s.StrideH - s.PadT + k*s.DilH; y >= 0 && y < s.H {
			loop(line, src[(n*s.H+y)*len(line):][:len(line)])
		}
	}
	for ox := range p.ow {
		d := dst[(task*p.ow+ox)*s.C:][:s.C]
		clear(d)
		for k := range s.KW {
			if x := ox*s.StrideW - s.PadL + k*s.DilW; x >= 0 && x < s.W {
				loop(d, line[x*s.C:][:s.C])
			}
		}
	}
}
