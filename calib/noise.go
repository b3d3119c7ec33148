package calib

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"pare/dataset"
	"pare/ir"
	"pare/tensor"
)

// Noise makes n samples for the model's input out of nothing but its declared
// range: pictures are sums of smooth random fields whose power falls with the
// square of the frequency, as that of photographs does, mostly grey, of varying
// brightness and contrast; other inputs are uniform. A sample depends on the seed
// and its number alone. It says why where the input has no numbers, no declared
// range, or a free size.
func Noise(m *ir.Model, lo, hi []float64, n int, seed uint64) (dataset.Set, error) {
	var input *ir.Value
	for _, v := range m.Graph.Inputs {
		if v.Const == nil {
			if input != nil {
				return nil, fmt.Errorf("the network has several inputs")
			}
			input = v
		}
	}
	switch {
	case input == nil || !input.Type.Ranked || input.Type.Rank() < 2 || !input.Type.DType.IsFloat():
		return nil, fmt.Errorf("the network's input holds no numbers of known shape")
	case len(lo) == 0 || len(lo) != len(hi):
		return nil, fmt.Errorf("the range of the network's input is not declared")
	}
	s := &noise{n: n, seed: seed, lo: lo, hi: hi, dtype: input.Type.DType, axis: 1}
	for _, d := range input.Type.Shape[1:] {
		if !d.IsKnown() {
			return nil, fmt.Errorf("the size of the network's input is left open")
		}
		s.shape = append(s.shape, d.N)
	}
	if len(s.shape) == 3 && s.shape[0] > 4 && s.shape[2] <= 4 {
		s.axis = 3
	}
	if c := s.shape[s.axis-1]; len(lo) > 1 && len(lo) != c {
		return nil, fmt.Errorf("a range for %d channels is declared, the network's input has %d", len(lo), c)
	}
	return s, nil
}

// noise is the data set of Noise.
type noise struct {
	n      int
	seed   uint64
	lo, hi []float64
	dtype  tensor.DType
	shape  []int // of a sample
	axis   int   // of the channels, in a batch
}

// Len implements dataset.Set.
func (s *noise) Len() int { return s.n }

// Task implements dataset.Set.
func (*noise) Task() dataset.Task { return dataset.Unlabelled }

// Prepared implements dataset.Set: the numbers are in the network's own units.
func (*noise) Prepared() string { return "" }

// Batch implements dataset.Set.
func (s *noise) Batch(_ context.Context, lo, hi int) (dataset.Batch, error) {
	per := tensor.Len(s.shape)
	all := make([]float32, (hi-lo)*per)
	for i := lo; i < hi; i++ {
		s.sample(all[(i-lo)*per:][:per], rand.New(rand.NewPCG(s.seed, uint64(i)+1)))
	}
	t, err := tensor.FromFloat32s(s.dtype, append([]int{hi - lo}, s.shape...), all)
	return dataset.Batch{Inputs: map[string]*tensor.Tensor{"": t}}, err
}

// Shares of the parts of a picture.
const (
	chroma      = 0.35 // deviation of a colour from grey, relative to the picture's
	leastSpread = 0.25 // least and largest deviation of a picture, relative to
	mostSpread  = 0.65 // half of the range
)

func (s *noise) sample(dst []float32, r *rand.Rand) {
	if len(s.shape) != 3 {
		for i := range dst {
			dst[i] = s.scaled(i, 2*r.Float64()-1)
		}
		return
	}
	c, h, w, step, next := s.shape[0], s.shape[1], s.shape[2], 1, s.shape[1]*s.shape[2]
	if s.axis == 3 {
		c, h, w, step, next = s.shape[2], s.shape[0], s.shape[1], s.shape[2], 1
	}
	grey := field(r, h, w)
	mean, spread := 0.5*r.NormFloat64(), leastSpread+(mostSpread-leastSpread)*r.Float64()
	for k := range c {
		own := field(r, h, w)
		for i := range h * w {
			at := k*next + i*step
			dst[at] = s.scaled(at, mean+spread*(grey[i]+chroma*own[i]))
		}
	}
}

// scaled maps x from -1..1 to the declared range of the channel of an element.
func (s *noise) scaled(element int, x float64) float32 {
	c := 0
	if len(s.lo) > 1 {
		c = element / tensor.Len(s.shape[s.axis:]) % len(s.lo)
	}
	x = min(max(x, -1), 1)
	return float32((s.lo[c]+s.hi[c])/2 + x*(s.hi[c]-s.lo[c])/2)
}

// field is a smooth random field of mean 0 and deviation 1: octaves of noise,
// each half as large and twice as fine as the one before.
func field(r *rand.Rand, h, w int) []float64 {
	out := make([]float64, h*w)
	for cells, amplitude := 2, 1.0; ; cells, amplitude = 2*cells, amplitude/2 {
		octave(out, r, h, w, cells, amplitude)
		if 2*cells > max(h, w) {
			break
		}
	}
	var s1, s2 float64
	for _, x := range out {
		s1 += x
		s2 += x * x
	}
	n := float64(len(out))
	mean := s1 / n
	std := math.Sqrt(max(s2/n-mean*mean, 1e-12))
	for i := range out {
		out[i] = (out[i] - mean) / std
	}
	return out
}

// octave adds a grid of random numbers, cells to a side, spread bilinearly.
func octave(out []float64, r *rand.Rand, h, w, cells int, amplitude float64) {
	grid := make([]float64, (cells+1)*(cells+1))
	for i := range grid {
		grid[i] = amplitude * r.NormFloat64()
	}
	for y := range h {
		v := float64(y) * float64(cells) / float64(h)
		i, fy := int(v), v-math.Floor(v)
		for x := range w {
			u := float64(x) * float64(cells) / float64(w)
			j, fx := int(u), u-math.Floor(u)
			g := grid[i*(cells+1)+j:]
			below := grid[(i+1)*(cells+1)+j:]
			out[y*w+x] += (1-fy)*((1-fx)*g[0]+fx*g[1]) + fy*((1-fx)*below[0]+fx*below[1])
		}
	}
}
