package decompose

import (
	"fmt"
	"math"
	"slices"

	"pare/compress"
	"pare/format"
	"pare/internal/fault"
	"pare/op"
	"pare/tensor"
)

// site is a layer that a chain of smaller ones may stand for.
type site struct {
	layer   *compress.Layer
	out, in int
	taps    []int   // of the filter; none for dense layers
	macs    int64   // as it is
	places  int64   // positions of the result; 1 where sizes are open
	input   moments // of the channels that it reads
	metric  metric
}

// siteOf describes a layer, or says why no chain can stand for it.
func siteOf(l *compress.Layer) (*site, string, error) {
	if why := unsuited(l); why != "" {
		return nil, why, nil
	}
	c := l.Weight.Const
	s := &site{layer: l, out: c.Shape[l.Out], in: c.Shape[l.In], places: 1}
	if l.Kind == compress.Conv {
		s.taps = c.Shape[2:]
	}
	for i, x := range tensor.Float64s(c) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, "", brokenWeight(l, i, x)
		}
	}
	s.macs = s.params()
	if n, ok := op.MACs(l.Node); ok && n > 0 {
		s.macs, s.places = n, n/s.params()
	}
	return s, "", nil
}

func brokenWeight(l *compress.Layer, i int, x float64) error {
	err := fault.Hint(&format.NotFiniteError{Index: i, Value: float32(x)},
		"the file holds a broken network; pare compress --recipe 'copy' passes it through unchanged")
	return fault.AtNode(l.Node, err)
}

// unsuited says why a layer has no smaller form.
func unsuited(l *compress.Layer) string {
	switch {
	case l.Reason != "":
		return l.Reason
	case l.Kind != compress.Conv && l.Kind != compress.Dense:
		return fmt.Sprintf("a %s has no low-rank form", l.Kind)
	case len(l.Weight.Uses()) > 1:
		return "its weights are read in several places"
	case l.Operand != 1:
		return "its weights come first"
	case l.Kind == compress.Dense && l.Weight.Const.Rank() > 2:
		return "its weights are a stack of matrices"
	case l.Node.Int("transA", 0) != 0 || l.Node.Float("alpha", 1) != 1 || l.Node.Float("beta", 1) != 1:
		return "its data are transposed or its product is scaled"
	}
	return ""
}

// transposed is the transpose of a rows x cols matrix.
func transposed(x []float64, rows, cols int) []float64 {
	out := make([]float64, len(x))
	for i := range rows {
		for j := range cols {
			out[j*rows+i] = x[i*cols+j]
		}
	}
	return out
}

// params is the number of weights.
func (s *site) params() int64 { return int64(tensor.Len(s.shape())) }

// tapCount is the number of taps of a filter.
func (s *site) tapCount() int { return tensor.Len(s.taps) }

// shape is that of the weights as decompositions see them: [out, in, taps].
func (s *site) shape() []int { return append([]int{s.out, s.in}, s.taps...) }

// weight is the layer's, of that shape.
func (s *site) weight() []float64 {
	w := tensor.Float64s(s.layer.Weight.Const)
	if s.layer.Out > s.layer.In {
		return transposed(w, s.in, s.out)
	}
	return w
}

// white is the weight whose errors count alike.
func (s *site) white() []float64 { return s.metric.whiten(s.weight(), s.shape()) }

// axes are the spatial axes.
func (s *site) axes() []int {
	out := make([]int, len(s.taps))
	for k := range out {
		out[k] = k
	}
	return out
}

// quick says that Winograd's form suits the layer.
func (s *site) quick() bool {
	if len(s.taps) != 2 || s.taps[0] != 3 || s.taps[1] != 3 {
		return false
	}
	far := func(x int) bool { return x != 1 }
	n := s.layer.Node
	return !slices.ContainsFunc(n.Ints("strides"), far) && !slices.ContainsFunc(n.Ints("dilations"), far)
}

// work is that of the layer as it is.
func (s *site) work() work { return work{s.places, s.out, s.in, s.tapCount(), s.quick()} }

// read is the number of positions of what the layer reads; that of the result where
// sizes are open.
func (s *site) read() int64 {
	n, t := int64(1), s.layer.Node.In[0].Type
	if t.Rank() != len(s.taps)+2 {
		return s.places
	}
	for _, d := range t.Shape[2:] {
		if !d.IsKnown() {
			return s.places
		}
		n *= int64(d.N)
	}
	if batch := t.Shape[0]; batch.IsKnown() {
		n *= int64(batch.N)
	}
	return n
}
