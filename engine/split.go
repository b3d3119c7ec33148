package engine

import (
	"fmt"

	"pare/kernel"
)

// sharedBy is the filters of a convolution where it pays to compute what they share
// once; else nil. Filters whose slices are not known are looked through where a few
// channels say that it could pay.
func (b *builder) sharedBy(s kernel.ConvShape, raw rawFilter) *kernel.SplitFilters {
	if b.p.o.Direct || s.Groups > 1 {
		return nil
	}
	f := raw.shared
	if f == nil && b.mayShare(s, raw) {
		f = b.slices(s, raw)
	}
	if f == nil || !kernel.SplitPays(s, len(f.Channel), f.Count()) {
		return nil
	}
	return f
}

// mayShare asks a sample of the channels.
func (b *builder) mayShare(s kernel.ConvShape, raw rawFilter) bool {
	sample := formOf(b.p.weights, weightKey{t: raw.t, form: "sampled slices"}, func() (n [2]int, err error) {
		n[0], n[1] = kernel.SampleSlices(raw.w(), s.O, s.C, s.KH*s.KW)
		return n, nil
	})
	sample.done()
	return kernel.SplitPays(s, sample.x[0], sample.x[1])
}

// slices are those of all channels.
func (b *builder) slices(s kernel.ConvShape, raw rawFilter) *kernel.SplitFilters {
	all := formOf(b.p.weights, weightKey{t: raw.t, form: "slices"}, func() (*kernel.SplitFilters, error) {
		return kernel.ShareSlices(raw.w(), s.O, s.C, s.KH*s.KW), nil
	})
	all.done()
	return all.x
}

// split emits a convolution that computes shared slices once.
func (b *builder) split(st *step, s kernel.ConvShape, f *kernel.SplitFilters, w *filter, ep kernel.Epilogue, src, dst, res place) {
	weights := later(b, w.key("split"), func() (*kernel.SplitWeights, error) {
		return kernel.PackSplit(s, f.Scaled(w.scale))
	})
	c, err := kernel.NewSplit(s)
	if err != nil {
		panic(err)
	}
	st.kernel = fmt.Sprintf("split conv %dx%d", s.KH, s.KW) + st.kernel
	st.tasks, st.scratch = c.Tasks(), c.ScratchFloats()
	st.task = func(f *frame, task int, scratch []float32) {
		e := ep
		e.Residual = f.maybe(res)
		c.Run(task, f.at(dst), f.at(src), weights.x, &e, scratch)
	}
	b.emit(st)
}
