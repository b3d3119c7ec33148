package kernel

import "pare/internal/cpu"

// splitStrip is how many neighbouring pixels products and sums take at a time, and
// splitKernels of how many kernels at most the products with a strip are kept: both
// leave room in the first cache for sums and terms.
const (
	splitStrip   = 64
	splitKernels = 96
)

// splitArgs is one call of the loops of a split convolution, over width pixels: 16,
// 32 or 64. The products are, for kernel j of a chunk, its place in the block k, and
// pixel p
//
//	z[k·splitStrip+p] = Σ_t src[channel·pitch+taps[tap+t]+p] · weights[...][t][j]
//
// and the sums, for output o < n of which counts[o] terms follow each other,
//
//	y[o·splitStrip+p] = Σ factor·z[at+p], plus y[...] unless first.
//
// Sums have one order everywhere. Assembly reads this struct by offset
// (TestArgsLayout) and uses it up.
type splitArgs struct {
	src, weights []float32
	z, y         []float32
	taps         []int32
	chunks       []splitChunk
	terms        []splitPart
	starts       []int32 // one more than outputs
	pitch        int
	width        int
	first        bool
}

// splitRow is a row of the table of loops for split convolutions, with the most
// kernels of a chunk.
type splitRow struct {
	name           string
	needs          cpu.Features
	kernels        int
	products, sums func(a *splitArgs)
}

// splitRows is ordered best first; the last row runs everywhere.
var splitRows = append(archSplit, splitRow{"f32_64_go", 0, 4, splitProductsGo, splitSumsGo})

func pickSplit() *splitRow {
	for i := range splitRows {
		if cpu.Has(splitRows[i].needs) {
			return &splitRows[i]
		}
	}
	panic("kernel: no portable row")
}

func splitProductsGo(a *splitArgs) {
	z, w := a.z, a.weights
	for _, c := range a.chunks {
		n := int(c.n)
		src := a.src[int(c.channel)*a.pitch:]
		for j := range n {
			out := z[j*splitStrip:][:a.width]
			clear(out)
			for t, at := range a.taps[c.tap : c.tap+c.taps] {
				f := w[t*n+j]
				for p, x := range src[at:][:a.width] {
					out[p] += f * x
				}
			}
		}
		z, w = z[min(n*splitStrip, len(z)):], w[n*int(c.taps):]
	}
}

func splitSumsGo(a *splitArgs) {
	for o := range len(a.starts) - 1 {
		y := a.y[o*splitStrip:][:a.width]
		if a.first {
			clear(y)
		}
		for _, t := range a.terms[a.starts[o]-a.starts[0] : a.starts[o+1]-a.starts[0]] {
			for p, x := range a.z[t.at:][:a.width] {
				y[p] += t.factor * x
			}
		}
	}
}
