package kernel

import (
	"cmp"
	"fmt"
	"slices"
)

// SplitFilters is a convolution whose filters share slices (RED's uneven depthwise
// separation): kernel j filters channel Channel[j] of the source once, and output o
// is the sum over Terms[o]. A filter that has no slice for a channel has no term.
type SplitFilters struct {
	// Kernels holds KH·KW numbers for each of the kernels.
	Kernels []float32
	// Channel is the input channel that a kernel filters.
	Channel []int
	// Terms are the parts of each output.
	Terms [][]SplitTerm
}

// SplitTerm is Factor times what a kernel makes of its channel.
type SplitTerm struct {
	Kernel int
	Factor float32
}

// SplitCounts is what the time of a split convolution depends on besides its shape.
type SplitCounts struct {
	Kernels int
	// Products are multiplications per pixel, of taps between those of a kernel that
	// are not zero.
	Products int
	Terms    int // of all outputs
}

// Counts counts.
func (f *SplitFilters) Counts() (n SplitCounts) {
	n.Kernels = len(f.Channel)
	for j := range f.Channel {
		first, end := f.reach(j)
		n.Products += end - first
	}
	for _, t := range f.Terms {
		n.Terms += len(t)
	}
	return n
}

// reach is the range of a kernel's taps beyond which all are zero.
func (f *SplitFilters) reach(j int) (first, end int) {
	taps := len(f.Kernels) / len(f.Channel)
	k := f.Kernels[j*taps:][:taps]
	for end = taps; end > 1 && k[end-1] == 0; {
		end--
	}
	for first < end-1 && k[first] == 0 {
		first++
	}
	return first, end
}

// Scaled multiplies every output by a number of its own; nil stands for ones.
func (f *SplitFilters) Scaled(by []float64) *SplitFilters {
	if by == nil {
		return f
	}
	out := &SplitFilters{Kernels: f.Kernels, Channel: f.Channel, Terms: make([][]SplitTerm, len(f.Terms))}
	for o, terms := range f.Terms {
		for _, t := range terms {
			t.Factor = float32(float64(t.Factor) * by[o])
			out.Terms[o] = append(out.Terms[o], t)
		}
	}
	return out
}

// check reports filters that do not belong to the shape.
func (f *SplitFilters) check(s *ConvShape) error {
	taps := s.KH * s.KW
	if len(f.Kernels) != taps*len(f.Channel) || len(f.Terms) != s.O {
		return fmt.Errorf("split convolution: %d numbers and %d outputs for %d kernels of %dx%d and %d outputs",
			len(f.Kernels), len(f.Terms), len(f.Channel), s.KH, s.KW, s.O)
	}
	for j, c := range f.Channel {
		if c < 0 || c >= s.C {
			return fmt.Errorf("split convolution: kernel %d filters channel %d of %d", j, c, s.C)
		}
	}
	for o, terms := range f.Terms {
		for _, t := range terms {
			if t.Kernel < 0 || t.Kernel >= len(f.Channel) {
				return fmt.Errorf("split convolution: output %d has kernel %d of %d", o, t.Kernel, len(f.Channel))
			}
		}
	}
	return nil
}

// SplitWeights are packed SplitFilters: blocks of kernels whose products with a
// strip of pixels stay in the first cache together. They serve any batch, image size
// and stride.
type SplitWeights struct {
	kh, kw, c, o int
	row          *splitRow
	blocks       []splitBlock
}

// splitBlock is some of the kernels and what outputs take from them.
type splitBlock struct {
	chunks  []splitChunk
	weights []float32 // of every chunk, for every one of its taps a line of its kernels
	terms   []splitPart
	starts  []int32 // of every output's terms, and where the last end
}

// splitChunk is a few kernels that filter one channel together, by the taps from the
// given one on.
type splitChunk struct{ channel, n, tap, taps int32 }

// splitPart is a term as loops read it: at is where the product of its kernel
// begins.
type splitPart struct {
	at     int32
	factor float32
}

// PackSplit packs filters of a shape of one group.
func PackSplit(s ConvShape, f *SplitFilters) (*SplitWeights, error) {
	if err := s.checkSplit(); err != nil {
		return nil, err
	}
	if err := f.check(&s); err != nil {
		return nil, err
	}
	w := &SplitWeights{kh: s.KH, kw: s.KW, c: s.C, o: s.O, row: pickSplit()}
	order, place := f.byChannel()
	n := len(order)
	w.blocks = make([]splitBlock, max(1, (n+splitKernels-1)/splitKernels))
	for i := range w.blocks {
		w.blocks[i].chunk(f, order[i*n/len(w.blocks):(i+1)*n/len(w.blocks)], s.KH*s.KW, w.row.kernels)
	}
	w.addTerms(f, place, n)
	return w, nil
}

// byChannel orders the kernels by channel and taps, and says where each one then is.
func (f *SplitFilters) byChannel() (order, place []int) {
	order, place = make([]int, len(f.Channel)), make([]int, len(f.Channel))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		a0, a1 := f.reach(a)
		b0, b1 := f.reach(b)
		return cmp.Or(cmp.Compare(f.Channel[a], f.Channel[b]), cmp.Compare(a0, b0), cmp.Compare(a1, b1))
	})
	for i, j := range order {
		place[j] = i
	}
	return order, place
}

// chunk packs kernels, in order, in nearly equal chunks of at most most.
func (b *splitBlock) chunk(f *SplitFilters, kernels []int, taps, most int) {
	for len(kernels) > 0 {
		c := f.Channel[kernels[0]]
		first, end := f.reach(kernels[0])
		same := 1
		for same < len(kernels) && f.Channel[kernels[same]] == c && f.within(kernels[same], first, end) {
			same++
		}
		parts := (same + most - 1) / most
		n := (same + parts - 1) / parts
		for t := first; t < end; t++ {
			for _, j := range kernels[:n] {
				b.weights = append(b.weights, f.Kernels[j*taps+t])
			}
		}
		b.chunks = append(b.chunks, splitChunk{int32(c), int32(n), int32(first), int32(end - first)})
		kernels = kernels[n:]
	}
}

// within reports whether a kernel has exactly these taps.
func (f *SplitFilters) within(j, first, end int) bool {
	a, b := f.reach(j)
	return a == first && b == end
}

// addTerms deals the terms of every output to the blocks of their kernels, n in all.
func (w *SplitWeights) addTerms(f *SplitFilters, place []int, n int) {
	blocks := len(w.blocks)
	for i := range w.blocks {
		w.blocks[i].starts = make([]int32, 1, w.o+1)
	}
	for _, terms := range f.Terms {
		for _, t := range terms {
			at := place[t.Kernel]
			i := ((at+1)*blocks - 1) / n
			b := &w.blocks[i]
			b.terms = append(b.terms, splitPart{int32((at - i*n/blocks) * splitStrip), t.Factor})
		}
		for i := range w.blocks {
			b := &w.blocks[i]
			b.starts = append(b.starts, int32(len(b.terms)))
		}
	}
}

// Dense multiplies out: the weights in OIHW order, [O][C][KH][KW], summed in float64
// and rounded once.
func (f *SplitFilters) Dense(s ConvShape) []float32 {
	taps := s.KH * s.KW
	out, sums := make([]float32, len(f.Terms)*s.C*taps), make([]float64, s.C*taps)
	for o, terms := range f.Terms {
		clear(sums)
		for _, t := range terms {
			line := sums[f.Channel[t.Kernel]*taps:][:taps]
			for i, w := range f.Kernels[t.Kernel*taps:][:taps] {
				line[i] += float64(t.Factor) * float64(w)
			}
		}
		for i, v := range sums {
			out[o*s.C*taps+i] = float32(v)
		}
	}
	return out
}
