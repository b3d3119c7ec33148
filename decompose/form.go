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
	// matrix lays the weights of a layer out.
	matrix func(s *site) *mat.Dense
	// cost counts the multiply-accumulates of a layer of the given rank.
	cost func(s *site, rank int) int64
	// chain makes layers of the factors: a is rows x rank, b rank x columns.
	chain func(s *site, a, b *mat.Dense) []link
}

// forms are those of [svd]: dense ones; filters that span a basis followed by
// products of pixels [zhang15]; columns of pixels followed by rows [jaderberg14].
var forms = []form{denseForm, channelForm, spatialForm}

var denseForm = form{
	name:   "dense",
	suits:  func(s *site) bool { return s.layer.Kind == compress.Dense },
	matrix: byFilter,
	cost:   func(s *site, rank int) int64 { return s.places * int64(rank*(s.in+s.out)) },
	chain:  func(s *site, a, b *mat.Dense) []link { return []link{s.link(b, "basis"), s.link(a, "")} },
}

var channelForm = form{
	name:   "channel",
	suits:  func(s *site) bool { return s.layer.Kind == compress.Conv },
	matrix: byFilter,
	cost:   func(s *site, rank int) int64 { return s.places * int64(rank*(s.in*s.tapCount()+s.out)) },
	chain: func(s *site, a, b *mat.Dense) []link {
		first := s.link(b, "basis", s.taps...)
		for k := range s.taps {
			first.along = append(first.along, k)
		}
		return []link{first, s.link(a, "", ones(len(s.taps))...)}
	},
}

var spatialForm = form{
	name: "spatial",
	suits: func(s *site) bool {
		return s.layer.Kind == compress.Conv && len(s.taps) == 2 && s.taps[0] > 1 && s.taps[1] > 1
	},
	matrix: byRow,
	cost: func(s *site, rank int) int64 {
		return s.tallPlaces()*int64(rank*s.in*s.taps[0]) + s.places*int64(rank*s.out*s.taps[1])
	},
	chain: func(s *site, a, b *mat.Dense) []link {
		tall, wide := s.link(b, "basis", s.taps[0], 1), s.link(sideways(a, s.out, s.taps[1]), "", 1, s.taps[1])
		tall.along, wide.along = []int{0}, []int{1}
		return []link{tall, wide}
	},
}

// byFilter has a row for each filter.
func byFilter(s *site) *mat.Dense { return general(s.out, s.in*s.tapCount(), s.white()) }

// byRow has a row for each filter and column of its taps, and a column for each
// channel and row of its taps.
func byRow(s *site) *mat.Dense {
	h, w := s.taps[0], s.taps[1]
	m := mat.NewDense(s.out*w, s.in*h, nil)
	for at, x := range s.white() {
		o, i, y, x0 := at/(s.in*h*w), at/(h*w)%s.in, at/w%h, at%w
		m.Set(o*w+x0, i*h+y, x)
	}
	return m
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
