package engine

import (
	"fmt"

	"pare/kernel"
)

// sharedBy is the filters of a convolution where it pays to compute what they share
// once, or to leave out zeros; else nil. Filters whose parts are not known are looked
// through where a few channels say that it could pay.
func (b *builder) sharedBy(s kernel.ConvShape, raw rawFilter) *kernel.SplitFilters {
	if b.p.o.Direct || s.Groups > 1 {
		return nil
	}
	f := raw.shared
	if f == nil {
		f = b.shares(s, raw)
	}
	if f == nil || !kernel.SplitPays(s, f.Counts()) {
		return nil
	}
	return f
}

// sharing is a way to take filters apart, and to tell from a sample what comes of it.
type sharing struct {
	name   string
	sample func(w []float32, o, c, taps int) kernel.SplitCounts
	share  func(w []float32, o, c, taps int) *kernel.SplitFilters
}

var sharings = []sharing{
	{"slices", kernel.SampleSlices, kernel.ShareSlices},
	{"taps", kernel.SampleTaps, kernel.ShareTaps},
}

// shares takes filters apart in the way that promises most, nil where none does.
func (b *builder) shares(s kernel.ConvShape, raw rawFilter) *kernel.SplitFilters {
	samples := formOf(b.p.weights, weightKey{t: raw.t, form: "samples" + raw.form}, func() ([]kernel.SplitCounts, error) {
		w := raw.w()
		defer raw.t.Forget()
		var n []kernel.SplitCounts
		for _, by := range sharings {
			n = append(n, by.sample(w, s.O, s.C, s.KH*s.KW))
		}
		return n, nil
	})
	samples.done()
	best, most := -1, 1.0
	for i, n := range samples.x {
		if g := kernel.SplitGain(s, n); g > most {
			best, most = i, g
		}
	}
	if best < 0 {
		return nil
	}
	f := formOf(b.p.weights, weightKey{t: raw.t, form: sharings[best].name + raw.form}, func() (*kernel.SplitFilters, error) {
		return sharings[best].share(raw.w(), s.O, s.C, s.KH*s.KW), nil
	})
	f.done()
	return f.x
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
