package decompose

import (
	"pare/compress"

	"gonum.org/v1/gonum/mat"
)

// form is a way to write a layer as two layers in a row: its weights, seen as a
// matrix, become a product of a tall and a wide one.
type form struct {
	name  string
	suits func(s *site) bool
	// matrix lays the whitened weights of a layer out.
	matrix func(s *site) *mat.Dense
	// work is that of the two layers.
	work func(s *site, rank int) []work
	// chain makes layers of the factors: a is rows x rank, b rank x columns.
	chain func(s *site, a, b *mat.Dense) []link
}

// forms are those of svd: dense layers; filters of a basis followed by products
// of pixels [zhang15]; columns of taps followed by rows [jaderberg14].
var forms = []form{
	{"dense", func(s *site) bool { return s.layer.Kind == compress.Dense }, byFilter, basisWork, basis},
	{"channel", func(s *site) bool { return s.layer.Kind == compress.Conv }, byFilter, basisWork, basis},
	{"spatial", hasPlane, byRow, rowsWork, rows},
}

// hasPlane: filters have rows and columns of taps.
func hasPlane(s *site) bool {
	return s.layer.Kind == compress.Conv && len(s.taps) == 2 && s.taps[0] > 1 && s.taps[1] > 1
}

// byFilter has a row for each filter.
func byFilter(s *site) *mat.Dense { return general(s.out, s.in*s.tapCount(), s.white()) }

func basisWork(s *site, rank int) []work {
	return []work{{s.places, rank, s.in, s.tapCount(), s.quick()}, {s.places, s.out, rank, 1, false}}
}

// basis has few filters first and products of pixels behind.
func basis(s *site, a, b *mat.Dense) []link {
	return []link{newLink(b, "basis", s.taps, s.axes()), newLink(a, "", ones(len(s.taps)), nil)}
}

// byRow has a row for each filter and column of its taps, and a column for each
// channel and row of its taps.
func byRow(s *site) *mat.Dense {
	h, w := s.taps[0], s.taps[1]
	m := mat.NewDense(s.out*w, s.in*h, nil)
	for at, v := range s.white() {
		o, i, y, x := at/(s.in*h*w), at/(h*w)%s.in, at/w%h, at%w
		m.Set(o*w+x, i*h+y, v)
	}
	return m
}

func rowsWork(s *site, rank int) []work {
	return []work{{s.tallPlaces(), rank, s.in, s.taps[0], false}, {s.places, s.out, rank, s.taps[1], false}}
}

// rows has columns of taps first and rows of taps behind.
func rows(s *site, a, b *mat.Dense) []link {
	return []link{
		newLink(b, "basis", []int{s.taps[0], 1}, []int{0}),
		newLink(sideways(a, s.out, s.taps[1]), "", []int{1, s.taps[1]}, []int{1}),
	}
}

// sideways turns rows for each filter and tap into filters of a row of taps.
func sideways(a *mat.Dense, out, taps int) *mat.Dense {
	_, rank := a.Dims()
	m := mat.NewDense(out, rank*taps, nil)
	for o := range out {
		for t := range taps {
			for k := range rank {
				m.Set(o, k*taps+t, a.At(o*taps+t, k))
			}
		}
	}
	return m
}

// tallPlaces is the number of positions between the two layers of the spatial
// form: as many rows as the result has, as many columns as the data.
func (s *site) tallPlaces() int64 {
	in, out := s.layer.Node.In[0].Type, s.layer.Node.Out[0].Type
	if in.Rank() != 4 || out.Rank() != 4 || !in.Shape[3].IsKnown() || !out.Shape[3].IsKnown() || out.Shape[3].N == 0 {
		return s.places
	}
	return s.places / int64(out.Shape[3].N) * int64(in.Shape[3].N)
}

func ones(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = 1
	}
	return out
}
