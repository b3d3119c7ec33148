package decompose

import (
	"fmt"
	"math"

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
	taps    []int     // of the filter; none for dense layers
	weight  []float64 // [out, in, taps]
	macs    int64     // as it is
	places  int64     // positions of the result; 1 where sizes are open
	input   moments   // of the channels that it reads
	place   bool      // whether there is a constant bias, or room for one
}

// moments are mean and variance of channels; nil where they are not known.
type moments struct{ mean, variance []float64 }

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
	s.weight = tensor.Float64s(c)
	if l.Out > l.In {
		s.weight = transposed(s.weight, s.in, s.out)
	}
	for i, x := range s.weight {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, "", brokenWeight(l, i, x)
		}
	}
	s.macs = int64(len(s.weight))
	if n, ok := op.MACs(l.Node); ok && n > 0 {
		s.macs, s.places = n, n/int64(len(s.weight))
	}
	s.place = biasOf(l) != nil
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
func (s *site) params() int64 { return int64(len(s.weight)) }

// tapCount is the number of taps of a filter.
func (s *site) tapCount() int { return tensor.Len(s.taps) }
