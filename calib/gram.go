package calib

import (
	"fmt"
	"math"
	"slices"

	"pare/internal/par"
	"pare/ir"
	"pare/kernel"
	"pare/tensor"
)

// Gram sums products of every two numbers that rows of a layer's weights meet, over the
// places of samples. Its size does not depend on the number of samples.
type Gram struct {
	K, Groups int
	Sums      [][]float64 // K·K for each group, symmetric once Finish was called
	Rows      int         // places that were taken in

	axis    int       // of dense data that is summed over; -1 for convolutions
	window  window    // of convolutions
	places  int       // of a sample at most
	samples int       // so far
	buf     []float32 // of groups, rows, K
	rows    int       // in buf
	threads int
}

// gramRows is how many rows are multiplied at a time: in between, sums are kept in
// float64.
const gramRows = 256

// NewConvGram sums what the weights of a convolution with weights of the given shape
// meet, at no more than so many places of a sample.
func NewConvGram(n *ir.Node, shape []int, places, threads int) (*Gram, error) {
	w, err := newWindow(n, shape[2:])
	if err != nil {
		return nil, err
	}
	g := &Gram{K: tensor.Len(shape[1:]), Groups: max(1, n.Int("group", 1)), axis: -1, window: w, places: places, threads: threads}
	g.room()
	return g, nil
}

// NewDenseGram sums k numbers along an axis of data.
func NewDenseGram(k, axis, places, threads int) *Gram {
	g := &Gram{K: k, Groups: 1, axis: axis, places: places, threads: threads}
	g.room()
	return g
}

func (g *Gram) room() {
	for range g.Groups {
		g.Sums = append(g.Sums, make([]float64, g.K*g.K))
	}
}

// Bytes is what sums of groups of k numbers take.
func GramBytes(groups, k int) int64 { return 8 * int64(groups) * int64(k) * int64(k) }

// Add takes in one more batch. It reports data of another shape.
func (g *Gram) Add(t *tensor.Tensor) error {
	if t.Rank() < 2 || t.Shape[0] == 0 {
		return fmt.Errorf("no rows in data of shape %v", t.Shape)
	}
	if g.buf == nil {
		g.buf = make([]float32, g.Groups*gramRows*g.K)
	}
	x := tensor.Float32s(t)
	if g.axis < 0 {
		return g.addConv(x, t.Shape)
	}
	return g.addDense(x, t.Shape)
}

// addConv takes in windows.
func (g *Gram) addConv(x []float32, shape []int) error {
	taps := tensor.Len(g.window.kernel)
	channels, sizes := shape[1], shape[2:]
	if channels*taps != g.K*g.Groups || len(sizes) != len(g.window.kernel) {
		return fmt.Errorf("data of shape %v for %d weights in a row", shape, g.K)
	}
	places, size, at := g.window.places(sizes), tensor.Len(sizes), make([]int, taps)
	for n := range shape[0] {
		sample := x[n*channels*size:][:channels*size]
		g.chosen(tensor.Len(places), func(place int) {
			g.window.taps(place, places, sizes, at)
			for c := range channels {
				row, data := g.row(c*taps), sample[c*size:][:size]
				for i, from := range at {
					row[i] = 0
					if from >= 0 {
						row[i] = data[from]
					}
				}
			}
			g.next()
		})
	}
	return nil
}

// row is where the element of the next row lies that has number i over all groups.
func (g *Gram) row(i int) []float32 { return g.buf[(i/g.K*gramRows+g.rows)*g.K+i%g.K:] }

// addDense takes in vectors.
func (g *Gram) addDense(x []float32, shape []int) error {
	axis := g.axis
	if axis >= len(shape) || shape[axis] != g.K {
		return fmt.Errorf("data of shape %v for %d weights in a row", shape, g.K)
	}
	outer, inner, samples := tensor.Len(shape[:axis]), tensor.Len(shape[axis+1:]), shape[0]
	if axis == 0 {
		samples = 1
	}
	per := outer * inner / samples
	for n := range samples {
		g.chosen(per, func(place int) {
			p, row := n*per+place, g.row(0)[:g.K]
			from := x[p/inner*g.K*inner+p%inner:]
			for i := range row {
				row[i] = from[i*inner]
			}
			g.next()
		})
	}
	return nil
}

// chosen calls f for as many of n places as are wanted of a sample, spread evenly, and
// others for each sample.
func (g *Gram) chosen(n int, f func(place int)) {
	most := g.places
	if most <= 0 || n <= most {
		for p := range n {
			f(p)
		}
		g.samples++
		return
	}
	_, shift := math.Modf(float64(g.samples) * math.Phi)
	for i := range most {
		f(int((float64(i) + shift) * float64(n) / float64(most)))
	}
	g.samples++
}

// next is called when a row is complete.
func (g *Gram) next() {
	g.Rows++
	if g.rows++; g.rows == gramRows {
		g.flush()
	}
}

// flush adds the products of the rows at hand to the sums.
func (g *Gram) flush() {
	if g.rows == 0 {
		return
	}
	switch {
	case g.K > smallGram:
		for i, sum := range g.Sums {
			multiply(g.buf[i*gramRows*g.K:][:g.rows*g.K], g.K, sum, g.threads)
		}
	default:
		par.Each(g.Groups, g.threads, func(i int) {
			for row := range slices.Chunk(g.buf[i*gramRows*g.K:][:g.rows*g.K], g.K) {
				outer(row, g.Sums[i])
			}
		})
	}
	g.rows = 0
}

// smallGram is the number of weights up to which rows are multiplied one by one.
const smallGram = 16

// outer adds the upper triangle of row·rowᵀ.
func outer(row []float32, sum []float64) {
	k := len(row)
	for i, a := range row {
		line := sum[i*k : i*k+k]
		for j := i; j < k; j++ {
			line[j] += float64(a * row[j])
		}
	}
}

// multiply adds xᵀ·x, x having rows of k, by blocks of its upper triangle.
func multiply(x []float32, k int, sum []float64, threads int) {
	rows := len(x) / k
	across := make([]float32, len(x))
	for r := range rows {
		for i, v := range x[r*k : r*k+k] {
			across[i*rows+r] = v
		}
	}
	panels, err := kernel.PackB(rows, k, kernel.Source{Data: x, LD: k})
	if err != nil {
		panic(err) // sizes are not negative
	}
	const block = 64
	par.Each((k+block-1)/block, threads, func(b int) {
		from, n := b*block, min(block, k-b*block)
		p, err := kernel.NewGemm(kernel.GemmShape{M: n, N: k, K: rows})
		if err != nil {
			panic(err)
		}
		out, scratch := make([]float32, n*k), make([]float32, p.ScratchFloats())
		for t := range p.Tasks() {
			p.Run(t, out, across[from*rows:], panels, &kernel.Epilogue{}, scratch)
		}
		for i := range n {
			line := sum[(from+i)*k : (from+i+1)*k]
			for j := from + i; j < k; j++ {
				line[j] += float64(out[i*k+j])
			}
		}
	})
}

// Finish takes in what is left and completes the sums.
func (g *Gram) Finish() {
	g.flush()
	for _, sum := range g.Sums {
		for i := range g.K {
			for j := range i {
				sum[i*g.K+j] = sum[j*g.K+i]
			}
		}
	}
	g.buf = nil
}
