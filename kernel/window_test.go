package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pare/internal/guard"
)

// windowCases leave every number of pixels and channels behind the loops.
func windowCases() []PoolShape {
	list := []PoolShape{
		{N: 2, H: 9, W: 8, C: 5, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1},
		{N: 1, H: 11, W: 23, C: 16, KH: 5, KW: 5, PadT: 2, PadL: 2, PadB: 2, PadR: 2, StrideH: 2, StrideW: 2},
		{N: 2, H: 7, W: 7, C: 48, KH: 7, KW: 7},
		{N: 1, H: 7, W: 11, C: 3, KH: 2, KW: 2, StrideH: 2, StrideW: 2, DilH: 3, DilW: 3, PadT: 2, PadL: 2, PadB: 2, PadR: 2, Ceil: true, IncludePad: true},
		{N: 1, H: 6, W: 22, C: 41, KH: 5, KW: 5, PadT: 2, PadL: 2, PadB: 2, PadR: 2},
		{N: 1, H: 10, W: 12, C: 9, KH: 3, KW: 2, DilH: 2, DilW: 3, PadT: 2, PadL: 3, PadB: 2, PadR: 3},
		{N: 1, H: 6, W: 5, C: 19, KH: 2, KW: 2, StrideH: 2, StrideW: 2, Ceil: true, SrcStride: 23, DstStride: 21},
		{N: 1, H: 4, W: 4, C: 17, KH: 3, KW: 3, PadT: 4, PadL: 4, PadB: 4, PadR: 4, StrideW: 2, IncludePad: true},
		{N: 3, H: 40, W: 40, C: 40, KH: 3, KW: 3, PadT: 1, PadL: 1, PadB: 1, PadR: 1},
	}
	for c := 1; c <= 67; c++ {
		list = append(list, PoolShape{N: 1, H: 3, W: c%15 + 3, C: c, KH: 3, KW: 3, PadT: 1, PadL: 1, StrideH: 1, StrideW: c%2 + 1},
			PoolShape{N: 1, H: 5, W: c%15 + 5, C: c, KH: 5, KW: 5, PadB: 1, PadR: 1, StrideH: 1, StrideW: c%2 + 1})
	}
	return list
}

// eachWindow calls f for every output element with its window's elements, in
// order, and their positions among the taps.
func eachWindow(w *window, src []float32, f func(at, c int, values []float32, taps []int)) {
	s := &w.s
	for p := range s.N * w.oh * w.ow {
		n, oy, ox := p/w.ow/w.oh, p/w.ow%w.oh, p%w.ow
		for c := range s.C {
			var values []float32
			var taps []int
			for k := range s.KH * s.KW {
				y, x := oy*s.StrideH-s.PadT+k/s.KW*s.DilH, ox*s.StrideW-s.PadL+k%s.KW*s.DilW
				if y >= 0 && y < s.H && x >= 0 && x < s.W {
					values, taps = append(values, src[((n*s.H+y)*s.W+x)*s.SrcStride+c]), append(taps, k)
				}
			}
			f(p*s.DstStride+c, c, values, taps)
		}
	}
}

// filled is a destination whose gaps must stay as they are.
func filled(t *testing.T, w *window) []float32 {
	dst := guard.Tail[float32](t, extent(w.s.N*w.oh*w.ow, w.s.C, w.s.DstStride))
	for i := range dst {
		dst[i] = 99
	}
	return dst
}

func source(t *testing.T, seed uint64, w *window, strange bool) []float32 {
	return tail(t, seeded(seed), extent(w.s.N*w.s.H*w.s.W, w.s.C, w.s.SrcStride), 2, strange)
}

func TestMaxPool(t *testing.T) {
	eachImpl(t, "maxpool", maxLoops, func(t *testing.T, loop windowLoop) {
		for i, s := range windowCases() {
			p, err := NewMaxPool(s)
			if err != nil {
				t.Fatal(err)
			}
			src, dst := source(t, 14, &p.w, true), filled(t, &p.w)
			want := append([]float32{}, dst...)
			eachWindow(&p.w, src, func(at, _ int, values []float32, _ []int) {
				want[at] = -inf
				for _, v := range values {
					if v > want[at] {
						want[at] = v
					}
				}
			})
			for task := range p.Tasks() {
				p.run(task, dst, src, loop)
			}
			bitsEqual(t, fmt.Sprint("case ", i), dst, want)
		}
	})
}

func TestAvgPool(t *testing.T) {
	eachImpl(t, "sumpool", sumLoops, func(t *testing.T, loop windowLoop) {
		for i, s := range windowCases() {
			p, err := NewAvgPool(s)
			if err != nil {
				t.Fatal(err)
			}
			src, dst := source(t, 15, &p.w, i%2 == 0), filled(t, &p.w)
			want := append([]float32{}, dst...)
			eachWindow(&p.w, src, func(at, _ int, values []float32, _ []int) {
				var sum float32
				for _, v := range values {
					sum += v
				}
				want[at] = sum * (1 / float32(max(1, divisor(&p.w, at, len(values), s.IncludePad))))
			})
			for task := range p.Tasks() {
				p.run(task, dst, src, loop)
			}
			bitsEqual(t, fmt.Sprint("case ", i), dst, want)
		}
	})
}

// divisor counts the window of an output element, as far as the padding
// reaches or within the source.
func divisor(w *window, at, within int, padded bool) int {
	if !padded {
		return within
	}
	n, s, p := 0, &w.s, at/w.s.DstStride
	for k := range s.KH * s.KW {
		y, x := p/w.ow%w.oh*s.StrideH+k/s.KW*s.DilH, p%w.ow*s.StrideW+k%s.KW*s.DilW
		if y < s.H+s.PadT+s.PadB && x < s.W+s.PadL+s.PadR {
			n++
		}
	}
	return n
}

func TestDepthwise(t *testing.T) {
	first := map[string][]float32{}
	eachImpl(t, "depthwise", depthwiseLoops, func(t *testing.T, loop windowLoop) {
		for i, p := range windowCases() {
			if p.Ceil {
				continue
			}
			d, err := NewDepthwise(ConvShape{N: p.N, H: p.H, W: p.W, C: p.C, O: p.C, Groups: p.C, KH: p.KH, KW: p.KW,
				StrideH: p.StrideH, StrideW: p.StrideW, DilH: p.DilH, DilW: p.DilW,
				PadT: p.PadT, PadL: p.PadL, PadB: p.PadB, PadR: p.PadR, ResStride: p.C + i%2, SrcStride: p.C + i%3, DstStride: p.C + i%4})
			if err != nil {
				t.Fatal(err)
			}
			for name, ep := range map[string]Epilogue{"plain": {}, "bias": {Bias: tail(t, seeded(17), p.C, 1, false)},
				"silu": {Act: SiLU.Run, Lo: -1, Hi: 2},
				"all":  {Bias: tail(t, seeded(17), p.C, 1, false), Residual: tail(t, seeded(18), extent(p.N*d.w.oh*d.w.ow, p.C, p.C+i%2), 1, false), Lo: -1, Hi: 2}} {
				dst := testDepthwise(t, d, ep, fmt.Sprint("case ", i, ", ", name), loop)
				if t.Name()[len(t.Name())-3:] == "_go" {
					continue
				}
				id := fmt.Sprint(i, name)
				if f, ok := first[id]; ok {
					bitsEqual(t, "two instruction sets, "+id, dst, f)
				}
				first[id] = slices.Clone(dst)
			}
		}
	})
}

func testDepthwise(t *testing.T, d *Depthwise, ep Epilogue, what string, loop windowLoop) []float32 {
	s := &d.w.s
	src, raw := source(t, 16, &d.w, false), tail(t, seeded(19), s.C*s.KH*s.KW, 1, false)
	packed, err := PackDepthwise(*s, raw)
	if err != nil {
		t.Fatal(err)
	}
	weights := guard.Tail[float32](t, len(packed))
	copy(weights, packed)
	dst := filled(t, &d.w)
	for task := range d.Tasks() {
		d.run(task, dst, src, weights, &ep, loop)
	}
	lo, hi := ep.limits()
	seen := map[int]bool{}
	eachWindow(&d.w, src, func(at, c int, values []float32, taps []int) {
		var sum float64
		for i, v := range values {
			sum += float64(v) * float64(raw[c*s.KH*s.KW+taps[i]])
		}
		if ep.Bias != nil {
			sum += float64(ep.Bias[c])
		}
		if ep.Residual != nil {
			sum += float64(ep.Residual[at/s.DstStride*s.ResStride+c])
		}
		sum = min(max(sum, float64(lo)), float64(hi))
		if ep.Act != nil {
			sum /= 1 + math.Exp(-sum)
		}
		seen[at] = true
		if !(math.Abs(float64(dst[at])-sum) <= 2e-6*math.Sqrt(float64(len(values)+2))) {
			t.Fatalf("%s: element %d is %v, want %v", what, at, dst[at], sum)
		}
	})
	for i, v := range dst {
		if !seen[i] && v != 99 {
			t.Fatalf("%s: element %d, outside the destination, became %v", what, i, v)
		}
	}
	return dst
}

// TestDepthwiseKeepsNaN: a clamp must not hide a NaN.
func TestDepthwiseKeepsNaN(t *testing.T) {
	eachImpl(t, "depthwise", depthwiseLoops, func(t *testing.T, loop windowLoop) {
		d, err := NewDepthwise(ConvShape{N: 1, H: 1, W: 1, C: 33, O: 33, Groups: 33, KH: 1, KW: 1})
		if err != nil {
			t.Fatal(err)
		}
		src, w, dst := make([]float32, 33), make([]float32, 33), make([]float32, 33)
		src[3], src[32] = nan, nan
		ep := Relu(nil)
		d.run(0, dst, src, w, &ep, loop)
		for i, v := range dst {
			if (v != v) != (src[i] != src[i]) {
				t.Fatalf("element %d is %v", i, v)
			}
		}
	})
}

// TestWindowRefusesShortSlices: assembly knows no bounds.
func TestWindowRefusesShortSlices(t *testing.T) {
	p, err := NewMaxPool(PoolShape{N: 1, H: 4, W: 4, C: 3, KH: 2, KW: 2})
	if err != nil {
		t.Fatal(err)
	}
	for name, sizes := range map[string][2]int{"source": {47, 27}, "destination": {48, 26}} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("a short slice is accepted")
				}
			}()
			p.Run(0, make([]float32, sizes[1]), make([]float32, sizes[0]))
		})
	}
}
