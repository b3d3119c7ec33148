package engine

import (
	"fmt"

	"pare/kernel"
	"pare/tensor"
)

// sparseRows is from how many rows on products look for zeros; fewer fill no vectors.
const sparseRows = 16

// sparseProduct lets a step leave zeros of a matrix out, by a convolution of single
// pixels, where a sample of its lines says that this pays.
func (b *builder) sparseProduct(st *step, g product, t *tensor.Tensor, ep kernel.Epilogue, lda, ldc int, from, to place) bool {
	s := kernel.ConvShape{N: 1, H: g.m, W: 1, C: g.k, KH: 1, KW: 1, O: g.n, SrcStride: lda, DstStride: ldc}
	if b.p.o.Direct || g.m < sparseRows || g.alpha != 0 && g.alpha != 1 || !b.mostlyZeros(s, g, t) {
		return false
	}
	plan, err := kernel.NewSplit(s)
	if err != nil {
		return false
	}
	weights, res := b.sparseWeights(s, g, t), g.tail.res
	st.kernel = "sparse " + st.kernel
	st.tasks, st.scratch = plan.Tasks(), plan.ScratchFloats()
	st.task = func(f *frame, task int, scratch []float32) {
		e := ep
		e.Residual = f.maybe(res)
		plan.Run(task, f.at(to), f.at(from), weights.x, &e, scratch)
	}
	return true
}

func (b *builder) sparseWeights(s kernel.ConvShape, g product, t *tensor.Tensor) *form[*kernel.SplitWeights] {
	key := weightKey{t: t, form: fmt.Sprint("sparse transposed=", g.trans)}
	return later(b, key, func() (*kernel.SplitWeights, error) {
		w := tensor.Float32s(t)
		if !g.trans {
			turned := make([]float32, len(w))
			kernel.Transpose(turned, w, g.k, g.n)
			w = turned
		}
		return kernel.PackSplit(s, kernel.ShareTaps(w, g.n, g.k, 1))
	})
}

// mostlyZeros asks a few lines of the matrix, as it lies in memory; not where it would
// have to be decoded for that.
func (b *builder) mostlyZeros(s kernel.ConvShape, g product, t *tensor.Tensor) bool {
	if b.p.codes[t] != nil {
		return false
	}
	data, lines, line := t, g.k, g.n
	if from := b.p.turned[t]; from != nil {
		data = from
	}
	if g.trans != (data != t) {
		lines, line = g.n, g.k
	}
	count := formOf(b.p.weights, weightKey{t: t, form: "sampled zeros"}, func() (int, error) {
		const most = 8
		w, terms, n := tensor.Float32s(data), 0, min(lines, most)
		for i := range n {
			for _, v := range w[(2*i+1)*lines/(2*n)*line:][:line] {
				if v != 0 {
					terms++
				}
			}
		}
		return terms * lines / n, nil
	})
	count.done()
	return kernel.SplitPays(s, kernel.SplitCounts{Kernels: g.k, Products: g.k, Terms: count.x})
}
