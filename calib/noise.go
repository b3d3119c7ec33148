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
// range. Pictures are dead leaves: discs of all sizes that cover each other, each
// of a colour and texture of its own, which have the edges and the spectrum of
// photographs; other inputs are uniform. A sample depends on the seed and its
// number alone. It says why where the input has no numbers, no declared
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

// What pictures are made of, found on networks whose statistics are known.
const (
	leaves     = 300
	leastLeaf  = 0.01 // radii, relative to the longer side; their number falls with
	mostLeaf   = 0.6  // the third power of the radius
	chroma     = 0.4  // deviation of a colour from grey, relative to half the range
	mostGrain  = 0.5  // largest deviation of a texture, likewise
	mostShade  = 0.6  // largest change of brightness across a picture
	brightness = 0.6  // deviation of the brightness of leaves
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
	p := newPicture(r, c, h, w)
	for k := range c {
		for i := range h * w {
			at := k*next + i*step
			dst[at] = s.scaled(at, p.at(k, i))
		}
	}
}

// picture is a dead-leaves picture, in numbers around -1 to 1.
type picture struct {
	leaf         []int // by pixel
	colour       [][]float64
	grain        []float64 // by leaf
	rough, shade []float64 // by pixel
	dark         float64
}

func newPicture(r *rand.Rand, c, h, w int) *picture {
	p := &picture{leaf: make([]int, h*w), rough: field(r, h, w, 0.8), shade: field(r, h, w, 0.5), dark: mostShade * r.Float64() / 2}
	middle := 0.3 * r.NormFloat64()
	for n := range leaves {
		grey, list := middle+brightness*r.NormFloat64(), make([]float64, c)
		for k := range list {
			list[k] = grey + chroma*r.NormFloat64()
		}
		p.colour, p.grain = append(p.colour, list), append(p.grain, mostGrain*r.Float64()*r.Float64())
		p.paint(r, n, h, w)
	}
	return p
}

// paint covers a disc at random; the first leaf covers all.
func (p *picture) paint(r *rand.Rand, n, h, w int) {
	if n == 0 {
		return
	}
	a, b := 1/(leastLeaf*leastLeaf), 1/(mostLeaf*mostLeaf)
	radius := float64(max(h, w)) / math.Sqrt(b+(a-b)*r.Float64())
	cy, cx := float64(h)*r.Float64(), float64(w)*r.Float64()
	for y := max(0, int(cy-radius)); y < min(h, int(cy+radius)+1); y++ {
		half := math.Sqrt(max(0, radius*radius-(float64(y)-cy)*(float64(y)-cy)))
		for x := max(0, int(math.Ceil(cx-half))); x <= min(w-1, int(cx+half)); x++ {
			p.leaf[y*w+x] = n
		}
	}
}

// at is the channel k of pixel i.
func (p *picture) at(k, i int) float64 {
	n := p.leaf[i]
	return p.colour[n][k] + p.grain[n]*p.rough[i] + p.dark*p.shade[i]
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

// field is a random field of mean 0 and deviation 1: octaves of noise, each twice
// as fine as the one before and decay times as large.
func field(r *rand.Rand, h, w int, decay float64) []float64 {
	out := make([]float64, h*w)
	for cells, amplitude := 2, 1.0; ; cells, amplitude = 2*cells, amplitude*decay {
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
